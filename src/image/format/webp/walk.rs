//! The walk over the parts of a WebP.

use crate::image::format::inspected::Inspected;
use crate::image::format::parts::Parts;
use crate::image::reader::{Reader, Truncated};
use crate::image::{InvalidImage, Limits};

const KIND: &str = "WebP";

/// `RIFF`, the length of what follows, `WEBP`.
const HEADER: usize = 12;
/// The bits in `VP8X` that announce a colour profile, an animation, EXIF data and XMP.
const HAS_ICC: u8 = 0x20;
const HAS_ANIMATION: u8 = 0x02;
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;
/// The length of the head of a frame in an animation.
const FRAME_HEAD: usize = 16;

pub(in crate::image::format) fn inspect(
    source: &[u8],
    limits: Limits,
) -> Result<Inspected<'_>, InvalidImage> {
    let mut walk = Walk::over(source)?;
    limits.check_size(KIND, walk.canvas.0, walk.canvas.1)?;
    walk.set_length()?;
    Ok(Inspected {
        size: walk.canvas,
        orientation: 1,
        is_damaged: walk.is_damaged,
        parts: walk.parts,
    })
}

fn damaged(how: &'static str) -> InvalidImage {
    InvalidImage::Damaged(KIND, how)
}

struct Chunk<'a> {
    name: [u8; 4],
    /// Its data, as far as they go.
    data: &'a [u8],
    /// The length of its data as it says.
    length: usize,
    start: usize,
    /// With the padding.
    end: usize,
    /// The file ends inside.
    is_cut: bool,
}

impl<'a> Chunk<'a> {
    /// The chunk at the start of the rest of `bytes`. `limit` is where its container ends, which may be behind the
    /// file.
    fn next(bytes: &'a [u8], start: usize, limit: usize) -> Result<Option<Self>, InvalidImage> {
        let mut reader = Reader::new(bytes.get(start..bytes.len().min(limit)).unwrap_or_default());
        let (Ok(name), Ok(length)) = (reader.array(), reader.le32()) else {
            return Ok(None);
        };
        let length = length as usize;
        let data_at = start + 8;
        if length > limit.saturating_sub(data_at) {
            return Err(damaged("a chunk is longer than its container"));
        }
        // A last chunk without its padding is accepted.
        let end = (data_at + length + length % 2).min(bytes.len()).min(limit);
        let is_cut = length > reader.rest().len();
        Ok(Some(Self {
            name,
            data: &reader.rest()[..length.min(reader.rest().len())],
            length,
            start,
            end,
            is_cut,
        }))
    }
}

pub(super) struct Walk<'a> {
    parts: Parts<'a>,
    canvas: (u32, u32),
    is_animation: bool,
    has_icc: bool,
    has_loop: bool,
    /// The pixels of a still image have begun.
    has_pixels: bool,
    /// A still image with its header, or a whole frame, has been found.
    has_image: bool,
    pub(super) is_damaged: bool,
    /// The bytes behind the end of the file that the header promises.
    missing: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn over(source: &'a [u8]) -> Result<Self, InvalidImage> {
        let mut reader = Reader::new(source);
        reader.take(4).map_err(|cut| cut.of(KIND))?;
        let length = reader.le32().map_err(|cut| cut.of(KIND))? as usize;
        let limit = length + 8;
        let mut walk = Self {
            parts: Parts::of(&source[..source.len().min(limit)]),
            canvas: (0, 0),
            is_animation: false,
            has_icc: false,
            has_loop: false,
            has_pixels: false,
            has_image: false,
            is_damaged: source.len() < limit,
            missing: limit.saturating_sub(source.len()),
        };
        let mut position = HEADER;
        let first = Chunk::next(source, position, limit)?.ok_or(InvalidImage::Truncated(KIND))?;
        let is_extended = &first.name == b"VP8X";
        if is_extended {
            walk.extended_header(&first)?;
            position = first.end;
        } else if !matches!(&first.name, b"VP8 " | b"VP8L") {
            return Err(damaged("it does not start with an image"));
        }
        while let Some(chunk) = Chunk::next(source, position, limit)? {
            walk.chunk(&chunk, is_extended)?;
            walk.is_damaged |= chunk.is_cut;
            position = chunk.end;
        }
        if walk.canvas == (0, 0) {
            return Err(InvalidImage::Truncated(KIND));
        }
        // Chromium waits for the colour profile until the pixels begin.
        if walk.has_icc && !walk.has_pixels && !walk.has_image {
            return Err(InvalidImage::Truncated(KIND));
        }
        // An animation is shown from its first complete frame on, a still image before its pixels.
        if !walk.has_image && (walk.is_animation || !walk.is_damaged) {
            return Err(damaged("it has no pixels"));
        }
        Ok(walk)
    }

    fn extended_header(&mut self, chunk: &Chunk<'_>) -> Result<(), InvalidImage> {
        let mut reader = Reader::new(chunk.data);
        let canvas = |reader: &mut Reader<'_>| -> Result<_, Truncated> {
            let flags = reader.byte()?;
            reader.take(3)?;
            Ok((flags, reader.le24()? + 1, reader.le24()? + 1))
        };
        let (flags, width, height) = canvas(&mut reader).map_err(|cut| cut.of(KIND))?;
        self.canvas = (width, height);
        self.is_animation = flags & HAS_ANIMATION != 0;
        self.has_icc = flags & HAS_ICC != 0;
        let data = [&[flags & !(HAS_EXIF | HAS_XMP)], &chunk.data[1..]].concat();
        let new = written(b"VP8X", &data, data.len());
        self.parts.replace(chunk.start..chunk.end, new);
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, is_extended: bool) -> Result<(), InvalidImage> {
        match &chunk.name {
            b"ANIM" => self.has_loop = true,
            b"ANMF" if !self.has_loop => return Err(damaged("a frame before the animation")),
            b"ANMF" => return self.frame(chunk),
            b"VP8 " | b"VP8L" if self.has_loop && self.is_animation => return Ok(()),
            b"VP8 " | b"VP8L" if self.has_image => return Ok(()),
            b"VP8 " | b"VP8L" => {
                self.has_pixels = true;
                let Some(size) = image_size(chunk)? else {
                    // With a colour profile, Chromium shows the file from here on, and nothing without this head.
                    self.keep(chunk);
                    return Ok(());
                };
                // libwebp allows no still image of another size than its canvas.
                if is_extended && !self.is_animation && self.canvas != size {
                    return Err(damaged("its pixels have another size"));
                }
                if !is_extended {
                    self.canvas = size;
                }
                self.has_image = true;
            }
            b"ICCP" | b"ALPH" => {}
            _ => return Ok(()),
        }
        self.keep(chunk);
        Ok(())
    }

    /// A frame of an animation, which consists of chunks itself. One that is cut off is kept as far as it goes.
    fn frame(&mut self, chunk: &Chunk<'_>) -> Result<(), InvalidImage> {
        let Some(head) = chunk.data.get(..FRAME_HEAD) else {
            return Ok(());
        };
        let mut reader = Reader::new(head);
        let mut number = || reader.le24().expect("the head is long enough");
        let (x, y, width, height) = (2 * number(), 2 * number(), number() + 1, number() + 1);
        if x + width > self.canvas.0 || y + height > self.canvas.1 {
            return Err(damaged("a frame is outside the image"));
        }
        let mut data = head.to_vec();
        let mut position = FRAME_HEAD;
        while let Some(part) = Chunk::next(chunk.data, position, chunk.length)? {
            position = part.end;
            if matches!(&part.name, b"VP8 " | b"VP8L")
                && image_size(&part)?.is_some_and(|size| size != (width, height))
            {
                return Err(damaged("its pixels have another size"));
            }
            if matches!(&part.name, b"ALPH" | b"VP8 " | b"VP8L") {
                data.extend(rewritten(&part));
            }
        }
        self.has_image |= !chunk.is_cut;
        let length = chunk.length - chunk.data.len() + data.len();
        let new = written(b"ANMF", &data, length);
        self.parts.replace(chunk.start..chunk.end, new);
        Ok(())
    }

    fn keep(&mut self, chunk: &Chunk<'_>) {
        self.parts.replace(chunk.start..chunk.end, rewritten(chunk));
    }

    /// Writes the header with the length of the new file. It promises as many bytes too many as before, so that a file
    /// that is cut off stays one: Chromium refuses a complete file without pixels.
    fn set_length(&mut self) -> Result<(), InvalidImage> {
        let length = u32::try_from(self.parts.len() + HEADER - 8 + self.missing);
        let length = length.map_err(|_| damaged("it is too long"))?;
        let header = [&b"RIFF"[..], &length.to_le_bytes(), b"WEBP"].concat();
        self.parts.put_first(0..HEADER, header);
        Ok(())
    }
}

/// The width and height in the head of an image; `None` if the file ends before.
fn image_size(chunk: &Chunk<'_>) -> Result<Option<(u32, u32)>, InvalidImage> {
    let read = if &chunk.name == b"VP8 " {
        lossy_size
    } else {
        lossless_size
    };
    match read(chunk.data) {
        Ok(Some((width, height))) if width > 0 && height > 0 => Ok(Some((width, height))),
        Err(Truncated) if chunk.is_cut => Ok(None),
        _ => Err(damaged("a frame without its header")),
    }
}

/// RFC 6386, 9.1.
fn lossy_size(data: &[u8]) -> Result<Option<(u32, u32)>, Truncated> {
    let mut reader = Reader::new(data);
    let head = reader.le24()?;
    let signature = reader.array()?;
    let width = u32::from(reader.le16()? & 0x3fff);
    let height = u32::from(reader.le16()? & 0x3fff);
    let (is_key_frame, version, is_shown) = (head & 1 == 0, head >> 1 & 7, head >> 4 & 1 == 1);
    let is_valid = is_key_frame && version <= 3 && is_shown && signature == [0x9d, 0x01, 0x2a];
    Ok(is_valid.then_some((width, height)))
}

/// RFC 9649, 3.4.
fn lossless_size(data: &[u8]) -> Result<Option<(u32, u32)>, Truncated> {
    let mut reader = Reader::new(data);
    let signature = reader.byte()?;
    let bits = reader.le32()?;
    let is_valid = signature == 0x2f && bits >> 29 == 0;
    Ok(is_valid.then_some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1)))
}

/// Pixels without chunks of metadata at their end, which are there if the length of the pixels is wrong.
fn without_swallowed(data: &[u8]) -> &[u8] {
    let starts =
        memchr::memmem::find_iter(data, b"EXIF").chain(memchr::memmem::find_iter(data, b"XMP "));
    let is_chunk = |&start: &usize| {
        let length = Reader::new(&data[start + 4..]).le32();
        // A chunk of metadata, and nothing behind it but other such chunks: compressed pixels do not look like that.
        length.is_ok_and(|length| {
            let end = start + 8 + length as usize;
            let end = end + end % 2;
            end >= data.len() || matches!(data.get(end..end + 4), Some(b"EXIF" | b"XMP "))
        }) && start % 2 == 0
    };
    starts
        .filter(is_chunk)
        .min()
        .map_or(data, |start| &data[..start])
}

/// A chunk without metadata that a wrong length has put among its pixels.
fn rewritten(chunk: &Chunk<'_>) -> Vec<u8> {
    let data = without_swallowed(chunk.data);
    let length = if data.len() == chunk.data.len() {
        chunk.length
    } else {
        data.len()
    };
    written(&chunk.name, data, length)
}

/// A chunk that says that it has this length. It has a padding unless it is cut off.
fn written(name: &[u8; 4], data: &[u8], length: usize) -> Vec<u8> {
    let padding = &[0][..usize::from(length == data.len()) * (length % 2)];
    let length = u32::try_from(length).expect("no container is longer than its 32 bits say");
    [&name[..], &length.to_le_bytes(), data, padding].concat()
}
