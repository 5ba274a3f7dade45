//! The accepted formats. Each has one walk over its structure, which decides whether browsers show the file, finds its
//! size and orientation, and lists the parts that stay when metadata are removed; and one decoder, which makes the
//! bitmap for the thumbnail.
//!
//! Acceptance follows Chromium, whose `<img>` shows a file as soon as its header is valid. The pixels are decoded once,
//! for the thumbnail; a flaw met there marks the image as damaged.
//!
//! Metadata are removed by keeping a list of known parts: EXIF data, XMP, IPTC, comments, maker notes, times, previews,
//! and everything outside the image are left out without being known one by one. Pixels are copied as they are. The
//! colour profile, transparency, animation and (except in a WebP) the orientation stay.

mod avif;
mod gif;
mod inspected;
mod jpeg;
mod parts;
mod png;
mod webp;

use bytes::Bytes;

use super::limits::{Bounds, DecodeError};
use super::pixels::Decoded;
use super::unsupported::Unsupported;
use super::{ImageType, InvalidImage, Limits, bmff, exif};

/// The treatment of metadata in a file, such as the position and the camera of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// They are removed before the image is stored.
    Remove,
    /// They stay.
    Keep,
}

/// A file that browsers show.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inspection {
    pub(super) kind: ImageType,
    /// Width in pixels as shown, after the orientation is applied.
    pub(super) width: u32,
    /// Height in pixels as shown, after the orientation is applied.
    pub(super) height: u32,
    /// The structure has a flaw. There may be others in the pixels.
    pub(super) is_damaged: bool,
    /// The file to store: without metadata, or as it is.
    pub(super) file: Bytes,
}

/// Determines the type of a file by its first bytes.
pub fn sniff(bytes: &[u8]) -> Option<ImageType> {
    match bytes {
        _ if bytes.starts_with(png::SIGNATURE) => Some(ImageType::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageType::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageType::Gif),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(ImageType::Webp),
        _ if bmff::is_avif(bytes) => Some(ImageType::Avif),
        _ => None,
    }
}

/// Inspects a file and removes its metadata. Takes about as long as copying the file, and memory for one copy. A file
/// without metadata is not copied.
///
/// # Errors
/// If browsers do not show it, or it has more pixels than the limit.
pub(super) fn inspect(
    bytes: &Bytes,
    limits: Limits,
    metadata: Metadata,
) -> Result<Inspection, InvalidImage> {
    let kind = sniff(bytes).ok_or_else(|| InvalidImage::Unknown(Unsupported::of(bytes)))?;
    let inspected = match kind {
        ImageType::Png => png::inspect(bytes, limits),
        ImageType::Jpeg => jpeg::inspect(bytes, limits),
        ImageType::Gif => gif::inspect(bytes, limits),
        ImageType::Webp => webp::inspect(bytes, limits),
        ImageType::Avif => avif::inspect(bytes, limits),
    }?;
    let (mut width, mut height) = inspected.size;
    if exif::is_sideways(inspected.orientation) {
        (width, height) = (height, width);
    }
    Ok(Inspection {
        kind,
        width,
        height,
        is_damaged: inspected.is_damaged,
        file: match metadata {
            Metadata::Remove => inspected.parts.finish(bytes),
            Metadata::Keep => bytes.clone(),
        },
    })
}

/// Decodes the first frame of a file that has been inspected, shrunk to the size of a thumbnail.
pub(super) fn decode(
    bytes: &[u8],
    kind: ImageType,
    bounds: Bounds,
) -> Result<Decoded, DecodeError> {
    match kind {
        ImageType::Png => png::decode(bytes, bounds),
        ImageType::Jpeg => jpeg::decode(bytes, bounds),
        ImageType::Gif => gif::decode(bytes, bounds),
        ImageType::Webp => webp::decode(bytes, bounds),
        ImageType::Avif => Err(DecodeError::Unsupported),
    }
}

/// An upper bound on the memory that [`decode`] takes besides the file, for an image of `pixels` pixels.
pub(super) fn decoding_memory(bytes: &[u8], kind: ImageType, pixels: u64) -> u64 {
    match kind {
        ImageType::Jpeg => jpeg::memory(bytes),
        // A still WebP takes up to 8 bytes a pixel, an animated one 16.
        ImageType::Webp => pixels * 16,
        ImageType::Avif => 0,
        ImageType::Png | ImageType::Gif => pixels.min(100 << 20),
    }
}

#[cfg(test)]
mod tests;
