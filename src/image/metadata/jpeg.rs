//! JPEG: the tables, the scans, and of the application segments those that colours depend on.
//!
//! What follows the end of the image goes: a camera's previews (MPF), the gain map of an HDR picture, a phone's video. The
//! picture is whole without them, and each of them carries metadata of its own.

use std::ops::Range;

use super::exif;
use super::kept::Kept;
use crate::image::check::Unfit;
use crate::image::check::reader::Reader;

const KIND: &str = "JPEG";

/// The length of a JFIF segment's data without the thumbnail in it.
const JFIF: usize = 14;
/// The length of an Adobe segment's data.
const ADOBE: usize = 12;

pub(super) fn kept(source: &[u8]) -> Result<Kept<'_>, Unfit> {
    let mut walk = Walk {
        reader: Reader::new(KIND, source),
        kept: Kept::of(source),
        has_jfif: false,
        has_exif: false,
    };
    walk.reader.take(2)?;
    walk.kept.keep(0..2);
    loop {
        let marker = walk.next_marker()?;
        let start = walk.reader.position() - 2;
        match marker {
            0xd9 => {
                walk.kept.keep(start..start + 2);
                return Ok(walk.kept);
            }
            // Marks without a segment, which mean nothing here.
            0xd0..=0xd7 | 0x01 => {}
            0xd8 => return Err(Unfit::Damaged(KIND, "a second image inside the first")),
            _ => walk.segment(marker, start)?,
        }
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    kept: Kept<'a>,
    has_jfif: bool,
    has_exif: bool,
}

impl<'a> Walk<'a> {
    /// The next mark. What stands before it is passed over, as decoders do, and goes.
    fn next_marker(&mut self) -> Result<u8, Unfit> {
        loop {
            while self.reader.byte()? != 0xff {}
            let mut marker = 0xff;
            while marker == 0xff {
                marker = self.reader.byte()?;
            }
            if marker != 0 {
                return Ok(marker);
            }
        }
    }

    fn segment(&mut self, marker: u8, start: usize) -> Result<(), Unfit> {
        let length = usize::from(self.reader.be16()?);
        let data = self.reader.take(
            length
                .checked_sub(2)
                .ok_or(Unfit::Damaged(KIND, "a segment without a length"))?,
        )?;
        let whole = start..self.reader.position();
        match marker {
            // Frames, tables, the arithmetic coder's conditions, the number of lines, the restart interval.
            0xc0..=0xcf | 0xdb | 0xdc | 0xdd => self.kept.keep(whole),
            0xda => {
                self.skip_scan()?;
                self.kept.keep(start..self.reader.position());
            }
            0xe0 => self.jfif(data, whole),
            0xe1 => self.exif(data, whole),
            0xe2 if data.starts_with(b"ICC_PROFILE\0") => self.kept.keep(whole),
            0xee if data.starts_with(b"Adobe") && data.len() >= ADOBE => {
                self.kept.replace(whole, segment(0xee, &data[..ADOBE]));
            }
            _ => {}
        }
        Ok(())
    }

    /// Goes to the mark behind the entropy-coded data.
    fn skip_scan(&mut self) -> Result<(), Unfit> {
        let rest = self.reader.rest();
        let is_mark =
            |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
        let length = rest.windows(2).position(is_mark);
        self.reader.take(length.ok_or(Unfit::Truncated(KIND))?)?;
        Ok(())
    }

    /// Keeps the first JFIF segment, without its thumbnail: its presence says that the colours are YCbCr.
    fn jfif(&mut self, data: &[u8], whole: Range<usize>) {
        if self.has_jfif || !data.starts_with(b"JFIF\0") || data.len() < JFIF {
            return;
        }
        self.has_jfif = true;
        let mut head = [0; JFIF];
        head[..JFIF - 2].copy_from_slice(&data[..JFIF - 2]);
        self.kept.replace(whole, segment(0xe0, &head));
    }

    /// Keeps the orientation of the first EXIF segment, the one that browsers look at.
    fn exif(&mut self, data: &[u8], whole: Range<usize>) {
        let Some(tiff) = data.strip_prefix(b"Exif\0\0").filter(|_| !self.has_exif) else {
            return;
        };
        self.has_exif = true;
        if let Some(orientation) = exif::only_orientation(tiff) {
            let data = [&b"Exif\0\0"[..], &orientation].concat();
            self.kept.replace(whole, segment(0xe1, &data));
        }
    }
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).expect("all segments made here are short");
    [&[0xff, marker][..], &length.to_be_bytes(), data].concat()
}
