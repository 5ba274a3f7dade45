//! The orientation in EXIF data, the one thing there that changes how an image is shown.

use super::Unfit;
use super::reader::Reader;

/// Whether the camera was held sideways: orientations 5 to 8 swap width and height. `tiff` is EXIF data from its TIFF
/// header on; what cannot be read counts as upright, as it does in browsers.
pub(super) fn is_sideways(tiff: &[u8]) -> bool {
    orientation(tiff).is_ok_and(|orientation| (5..=8).contains(&orientation))
}

/// The tag `Orientation` in the first image file directory.
const ORIENTATION: u16 = 0x0112;
/// The TIFF type of a 16 bit number.
const SHORT: u16 = 3;

pub(in crate::image) fn orientation(tiff: &[u8]) -> Result<u16, Unfit> {
    let mut reader = Reader::new("EXIF", tiff);
    let big_endian = match reader.array()? {
        [b'M', b'M', 0, 42] => true,
        [b'I', b'I', 42, 0] => false,
        _ => return Err(Unfit::Damaged("EXIF", "an unknown byte order")),
    };
    let half = |reader: &mut Reader<'_>| {
        if big_endian {
            reader.be16()
        } else {
            reader.le16()
        }
    };
    let word = |reader: &mut Reader<'_>| {
        if big_endian {
            reader.be32()
        } else {
            reader.le32()
        }
    };

    let directory = word(&mut reader)? as usize;
    let mut reader = Reader::new("EXIF", tiff.get(directory..).unwrap_or_default());
    for _ in 0..half(&mut reader)? {
        let (tag, kind, count) = (half(&mut reader)?, half(&mut reader)?, word(&mut reader)?);
        let value = half(&mut reader)?;
        reader.take(2)?;
        if tag == ORIENTATION && kind == SHORT && count == 1 {
            return Ok(value);
        }
    }
    Ok(1)
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
                .filter(|&o| is_sideways(&tiff(o, big_endian)))
                .collect();
            assert_eq!(sideways, [5, 6, 7, 8]);
        }
    }

    #[test]
    fn what_cannot_be_read_is_upright() {
        let whole = tiff(6, true);
        for length in 0..20 {
            assert!(!is_sideways(&whole[..length]), "{length}");
        }
        assert!(!is_sideways(b"MM\0\x2a\xff\xff\xff\xff"));
    }
}
