//! The one thing in EXIF data that stays.

use crate::image::check::exif;

/// EXIF data, from their TIFF header on, that hold the orientation of these and nothing else; `None` if that is upright.
pub(super) fn only_orientation(tiff: &[u8]) -> Option<[u8; 26]> {
    let orientation = exif::orientation(tiff)
        .ok()
        .filter(|orientation| (2..=8).contains(orientation))?;
    // The header, and one directory: how many entries, tag 0x0112 of type 3 (16 bits) once, no further directory.
    let mut minimal = *b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    minimal[18..20].copy_from_slice(&orientation.to_be_bytes());
    Some(minimal)
}

/// EXIF data with nothing in them: the header and a directory without entries.
pub(super) const EMPTY: [u8; 14] = *b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0";
