//! The walk over the parts of a JPEG.

use std::ops::Range;

use crate::image::format::inspected::Inspected;
use crate::image::format::parts::Parts;
use crate::image::reader::{Reader, Truncated};
use crate::image::{InvalidImage, Limits, exif};

const KIND: &str = "JPEG";

/// The length of a JFIF segment's data without the thumbnail in it.
const JFIF: usize = 14;
/// The length of an Adobe segment's data.
const ADOBE: usize = 12;
/// libjpeg's limit on either side (`JPEG_MAX_DIMENSION`).
const MAX_SIDE: u32 = 65_500;

const ICC_HEADER: &[u8] = b"ICC_PROFILE\0";

pub(in crate::image::format) fn inspect(
    source: &[u8],
    limits: Limits,
) -> Result<Inspected<'_>, InvalidImage> {
    let walk = Walk::over(source)?;
    let frame = walk.frame.expect("a scan comes after a frame header");
    limits.check_size(KIND, frame.width, frame.height)?;
    Ok(Inspected {
        size: (frame.width, frame.height),
        orientation: walk.orientation,
        is_damaged: walk.is_damaged,
        parts: walk.parts,
    })
}

/// The state of a walk over the markers.
pub(super) struct Walk<'a> {
    reader: Reader<'a>,
    parts: Parts<'a>,
    pub(super) frame: Option<Frame>,
    /// The number of scans so far.
    pub(super) scans: u32,
    has_restarts: bool,
    /// Decoding needs the coefficients of the whole image: a scan is progressive, or lacks a component.
    pub(super) is_buffered: bool,
    has_jfif: bool,
    has_exif: bool,
    pub(super) orientation: u16,
    /// The numbered pieces of the colour profile.
    icc: Vec<&'a [u8]>,
    pub(super) is_damaged: bool,
}

/// The contents of the frame header.
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
    is_progressive: bool,
    pub(super) component_ids: Vec<u8>,
}

/// The reason that libjpeg would stop.
enum Flaw {
    Truncated,
    Invalid(&'static str),
}

impl From<Truncated> for Flaw {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

impl<'a> Walk<'a> {
    /// Walks to the end of the image, or to the first flaw behind the first scan header.
    pub(super) fn over(source: &'a [u8]) -> Result<Self, InvalidImage> {
        let mut walk = Self {
            reader: Reader::new(source),
            parts: Parts::of(source),
            frame: None,
            scans: 0,
            has_restarts: false,
            is_buffered: false,
            has_jfif: false,
            has_exif: false,
            orientation: 1,
            icc: Vec::new(),
            is_damaged: false,
        };
        match walk.markers() {
            Ok(()) => Ok(walk),
            Err(_) if walk.scans > 0 => {
                walk.is_damaged = true;
                Ok(walk)
            }
            Err(Flaw::Truncated) => Err(InvalidImage::Truncated(KIND)),
            Err(Flaw::Invalid(flaw)) => Err(InvalidImage::Damaged(KIND, flaw)),
        }
    }

    fn markers(&mut self) -> Result<(), Flaw> {
        self.reader.take(2)?;
        self.parts.keep(0..2);
        loop {
            let marker = self.next_marker()?;
            let start = self.reader.position() - 2;
            match marker {
                0xd9 if self.scans == 0 => return Err(Flaw::Invalid("it has no pixels")),
                0xd9 => {
                    self.parts.keep(start..start + 2);
                    return Ok(());
                }
                // Restart markers between segments and TEM have no data and no effect.
                0xd0..=0xd7 | 0x01 => {}
                0xd8 => return Err(Flaw::Invalid("a second image inside the first")),
                _ => self.segment(marker, start)?,
            }
        }
    }

    /// The next marker. Like libjpeg, skips bytes in front of it; they are not kept.
    fn next_marker(&mut self) -> Result<u8, Flaw> {
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

    fn segment(&mut self, marker: u8, start: usize) -> Result<(), Flaw> {
        let length = usize::from(self.reader.be16()?);
        // libjpeg passes over a comment or an application segment whose length is less than that of the length itself,
        // and rejects the other segments by their contents.
        let data = self.reader.take(length.saturating_sub(2))?;
        let whole = start..self.reader.position();
        match marker {
            0xc0..=0xc2 | 0xc9 | 0xca => self.frame_header(marker, data)?,
            0xc4 | 0xdb if length < 2 => {
                return Err(Flaw::Invalid("a segment of the wrong length"));
            }
            0xc4 => huffman_tables(data)?,
            0xda => return self.scan(data, start),
            0xdb => quantization_tables(data)?,
            0xdd if data.len() == 2 => self.has_restarts = data != [0, 0],
            0xdd => return Err(Flaw::Invalid("a segment of the wrong length")),
            // The conditions of arithmetic coding and the number of lines.
            0xcc | 0xdc => {}
            0xe0..=0xef | 0xfe => {
                self.application_segment(marker, data, whole);
                return Ok(());
            }
            _ => return Err(Flaw::Invalid("browsers do not show this kind of JPEG")),
        }
        self.parts.keep(whole);
        Ok(())
    }

    fn frame_header(&mut self, marker: u8, data: &[u8]) -> Result<(), Flaw> {
        if self.frame.is_some() {
            return Err(Flaw::Invalid("two frame headers"));
        }
        let mut data = Reader::new(data);
        let precision = data.byte()?;
        let (height, width) = (u32::from(data.be16()?), u32::from(data.be16()?));
        let count = usize::from(data.byte()?);
        if width == 0 || height == 0 {
            return Err(Flaw::Invalid("it has no pixels"));
        }
        // Chromium knows one (gray), three and four (ink) components with 8 bits each.
        let is_known = matches!(count, 1 | 3 | 4) && precision == 8;
        if !is_known || data.rest().len() != count * 3 || width.max(height) > MAX_SIDE {
            return Err(Flaw::Invalid("browsers do not show this kind of JPEG"));
        }
        let components = data.rest().as_chunks::<3>().0;
        let is_sampling = |factor: u8| (1..=4).contains(&factor);
        if !components
            .iter()
            .all(|&[_, sampling, _]| is_sampling(sampling >> 4) && is_sampling(sampling & 15))
        {
            return Err(Flaw::Invalid("an invalid sampling factor"));
        }
        self.frame = Some(Frame {
            width,
            height,
            is_progressive: matches!(marker, 0xc2 | 0xca),
            component_ids: components.iter().map(|&[id, ..]| id).collect(),
        });
        Ok(())
    }

    fn scan(&mut self, data: &[u8], start: usize) -> Result<(), Flaw> {
        let frame = self
            .frame
            .as_ref()
            .ok_or(Flaw::Invalid("pixels before the frame header"))?;
        let (&count, parts) = data
            .split_first()
            .ok_or(Flaw::Invalid("a segment of the wrong length"))?;
        let count = usize::from(count);
        if !(1..=4).contains(&count) || data.len() != 1 + 2 * count + 3 {
            return Err(Flaw::Invalid("a segment of the wrong length"));
        }
        // Components may share an id, as in files of some scanners: like libjpeg, search from the part's own index on.
        let mut used = Vec::new();
        for (index, &[id, _]) in parts.as_chunks::<2>().0[..count].iter().enumerate() {
            let mut ids = frame.component_ids.iter().enumerate().skip(index);
            let found = ids.find(|&(component, &own)| own == id && !used.contains(&component));
            let (component, _) = found.ok_or(Flaw::Invalid("pixels of an unknown component"))?;
            used.push(component);
        }
        self.is_buffered |= frame.is_progressive || count < frame.component_ids.len();
        self.scans += 1;
        let is_complete = self.skip_entropy_coded_data();
        self.parts.keep(start..self.reader.position());
        is_complete
    }

    /// Skips to the marker behind the entropy-coded data.
    fn skip_entropy_coded_data(&mut self) -> Result<(), Flaw> {
        let has_restarts = self.has_restarts;
        let ends_scan = |pair: &[u8]| match pair[1] {
            0x00 | 0xd0..=0xd7 | 0xff => false,
            // With restarts, libjpeg searches on behind an invalid marker.
            ..0xc0 => !has_restarts,
            _ => true,
        };
        let rest = self.reader.rest();
        let marker =
            memchr::memchr_iter(0xff, rest).find(|&at| rest.get(at..at + 2).is_some_and(ends_scan));
        self.reader.take(marker.unwrap_or(rest.len()))?;
        marker.map(drop).ok_or(Flaw::Truncated)
    }

    fn application_segment(&mut self, marker: u8, data: &'a [u8], whole: Range<usize>) {
        match marker {
            0xe0 => self.jfif(data, whole),
            0xe1 => self.exif(data, whole),
            0xe2 => {
                if let Some(piece) = data.strip_prefix(ICC_HEADER) {
                    self.icc.push(piece);
                    self.parts.keep(whole);
                }
            }
            0xee if data.starts_with(b"Adobe") && data.len() >= ADOBE => {
                self.parts.replace(whole, segment(0xee, &data[..ADOBE]));
            }
            _ => {}
        }
    }

    /// Keeps the first JFIF segment without its thumbnail. Its presence says that the colours are YCbCr.
    fn jfif(&mut self, data: &[u8], whole: Range<usize>) {
        if self.has_jfif || !data.starts_with(b"JFIF\0") || data.len() < JFIF {
            return;
        }
        self.has_jfif = true;
        let mut head = [0; JFIF];
        head[..JFIF - 2].copy_from_slice(&data[..JFIF - 2]);
        self.parts.replace(whole, segment(0xe0, &head));
    }

    /// Keeps the orientation of the first EXIF segment, the one that browsers use.
    fn exif(&mut self, data: &[u8], whole: Range<usize>) {
        let Some(tiff) = data.strip_prefix(b"Exif\0\0").filter(|_| !self.has_exif) else {
            return;
        };
        self.has_exif = true;
        self.orientation = exif::orientation(tiff);
        if let Some(tiff) = exif::only_orientation(self.orientation) {
            let data = [&b"Exif\0\0"[..], &tiff].concat();
            self.parts.replace(whole, segment(0xe1, &data));
        }
    }

    /// The colour profile, if all of its pieces are there: each starts with its number, from 1, and their count.
    pub(super) fn icc_profile(&self) -> Option<Vec<u8>> {
        let mut profile = Vec::new();
        for number in 1..=self.icc.len() {
            let mut pieces = self.icc.iter();
            let piece = pieces.find(|piece| {
                piece.first().copied().map(usize::from) == Some(number)
                    && piece.get(1).copied().map(usize::from) == Some(self.icc.len())
            })?;
            profile.extend_from_slice(&piece[2..]);
        }
        (!profile.is_empty()).then_some(profile)
    }
}

/// Checks a DHT segment as libjpeg does: a wrong length would hide other segments in it.
fn huffman_tables(mut data: &[u8]) -> Result<(), Flaw> {
    while let Some((&[index, ref counts @ ..], symbols)) = data.split_first_chunk::<17>() {
        let count: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let is_valid = index & !0x10 < 4 && count <= 256;
        data = symbols
            .get(count..)
            .filter(|_| is_valid)
            .ok_or(Flaw::Invalid("an invalid table"))?;
    }
    let is_over = data.is_empty();
    is_over
        .then_some(())
        .ok_or(Flaw::Invalid("a segment of the wrong length"))
}

/// Checks a DQT segment as libjpeg does.
fn quantization_tables(mut data: &[u8]) -> Result<(), Flaw> {
    while let Some((&head, values)) = data.split_first() {
        let length = if head >> 4 == 0 { 64 } else { 128 };
        data = values
            .get(length..)
            .filter(|_| head & 15 < 4)
            .ok_or(Flaw::Invalid("an invalid table"))?;
    }
    Ok(())
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).expect("all segments made here are short");
    [&[0xff, marker][..], &length.to_be_bytes(), data].concat()
}
