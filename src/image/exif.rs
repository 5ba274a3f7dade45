//! EXIF orientation, the only part of EXIF data that changes how an image is shown.

use super::reader::{Reader, Truncated};

/// The tag `Orientation` in the first image file directory.
const ORIENTATION: u16 = 0x0112;
/// The TIFF type of a 16-bit number.
const SHORT: u16 = 3;

/// EXIF data without entries: the TIFF header and an empty directory.
pub(super) const EMPTY: [u8; 14] = *b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0";

/// The orientation in EXIF data that start with a TIFF header, from 1 to 8. Invalid data count as upright (1), as they
/// do in browsers.
pub(super) fn orientation(tiff: &[u8]) -> u16 {
    let orientation = read_orientation(tiff).ok().flatten();
    orientation
        .filter(|orientation| (1..=8).contains(orientation))
        .unwrap_or(1)
}

/// Returns `true` if an orientation swaps width and height.
pub(super) fn is_sideways(orientation: u16) -> bool {
    (5..=8).contains(&orientation)
}

/// EXIF data with this orientation and nothing else. `None` for an upright image, which needs none.
pub(super) fn only_orientation(orientation: u16) -> Option<[u8; 26]> {
    if !(2..=8).contains(&orientation) {
        return None;
    }
    // The header and one directory: the number of entries, tag 0x0112 of type 3 (16 bits) once, no further directory.
    let mut minimal = *b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    minimal[18..20].copy_from_slice(&orientation.to_be_bytes());
    Some(minimal)
}

fn read_orientation(tiff: &[u8]) -> Result<Option<u16>, Truncated> {
    let mut reader = Reader::new(tiff);
    let is_big_endian = match reader.array()? {
        [b'M', b'M', 0, 42] => true,
        [b'I', b'I', 42, 0] => false,
        _ => return Ok(None),
    };
    let half = |reader: &mut Reader<'_>| {
        if is_big_endian {
            reader.be16()
        } else {
            reader.le16()
        }
    };
    let word = |reader: &mut Reader<'_>| {
        if is_big_endian {
            reader.be32()
        } else {
            reader.le32()
        }
    };

    let directory = word(&mut reader)? as usize;
    let mut reader = Reader::new(tiff.get(directory..).unwrap_or_default());
    for _ in 0..half(&mut reader)? {
        let (tag, kind, count) = (half(&mut reader)?, half(&mut reader)?, word(&mut reader)?);
        let value = half(&mut reader)?;
        reader.take(2)?;
        if tag == ORIENTATION && kind == SHORT && count == 1 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiff(orientation: u8, big_endian: bool) -> Vec<u8> {
        if big_endian {
            [
                b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
                &[orientation][..],
                b"\0\0\0\0\0\0",
            ]
            .concat()
        } else {
            [
                b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
                &[orientation][..],
                b"\0\0\0\0\0\0\0",
            ]
            .concat()
        }
    }

    #[test]
    fn four_of_the_eight_orientations_are_sideways() {
        for big_endian in [false, true] {
            let sideways: Vec<u8> = (0..=9)
                .filter(|&o| is_sideways(orientation(&tiff(o, big_endian))))
                .collect();
            assert_eq!(sideways, [5, 6, 7, 8]);
        }
    }

    #[test]
    fn invalid_data_count_as_upright() {
        let whole = tiff(6, true);
        for length in 0..20 {
            assert_eq!(orientation(&whole[..length]), 1, "{length}");
        }
        assert_eq!(orientation(b"MM\0\x2a\xff\xff\xff\xff"), 1);
        assert_eq!(orientation(&tiff(9, true)), 1);
    }
}
