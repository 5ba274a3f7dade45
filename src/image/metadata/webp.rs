//! WebP: the frames, and the chunks that colour and time them. EXIF data go altogether: Chromium does not turn a WebP, so not
//! even their orientation changes how it looks, and the board's check ignores it too.

use super::kept::Kept;
use crate::image::check::Unfit;
use crate::image::check::reader::Reader;

const KIND: &str = "WebP";

/// `RIFF`, the length of what follows, `WEBP`.
const HEADER: usize = 12;
/// The bits in `VP8X` that say that there are EXIF data or XMP.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;
/// The head of a frame in an animation.
const FRAME_HEAD: usize = 16;

pub(super) fn kept(source: &[u8]) -> Result<Kept<'_>, Unfit> {
    let mut reader = Reader::new(KIND, source);
    reader.take(4)?;
    let size = reader.le32()? as usize;
    reader.take(size)?;
    let container = &source[..reader.position()];
    let new_size = walk(container, None)?.len() - (HEADER - 4);
    let new_size = u32::try_from(new_size).map_err(|_| Unfit::Damaged(KIND, "it is too long"))?;
    walk(container, Some(new_size))
}

/// The chunks that stay, behind a header that says this size; or the old one, to learn what the size must be.
fn walk(container: &[u8], size: Option<u32>) -> Result<Kept<'_>, Unfit> {
    let mut kept = Kept::of(container);
    match size {
        Some(size) => {
            kept.keep(0..4);
            kept.replace(4..8, size.to_le_bytes().to_vec());
            kept.keep(8..HEADER);
        }
        None => kept.keep(0..HEADER),
    }
    let mut chunks = Chunks::of(container, HEADER)?;
    while let Some(chunk) = chunks.next()? {
        match &chunk.name {
            b"VP8X" => flags(&mut kept, &chunk)?,
            b"ICCP" | b"ANIM" | b"ALPH" | b"VP8 " | b"VP8L" => keep(&mut kept, &chunk),
            b"ANMF" => frame(&mut kept, &chunk)?,
            _ => {}
        }
    }
    Ok(kept)
}

/// `VP8X`, whose first byte says what else there is.
fn flags(kept: &mut Kept<'_>, chunk: &Chunk<'_>) -> Result<(), Unfit> {
    let (&flags, rest) = chunk.data.split_first().ok_or(Unfit::Truncated(KIND))?;
    let new = flags & !(HAS_EXIF | HAS_XMP);
    let data = [&[new], rest].concat();
    kept.replace(chunk.start..chunk.end, written(b"VP8X", &data));
    Ok(())
}

/// A frame of an animation, which consists of chunks itself.
fn frame(kept: &mut Kept<'_>, chunk: &Chunk<'_>) -> Result<(), Unfit> {
    let mut data = chunk
        .data
        .get(..FRAME_HEAD)
        .ok_or(Unfit::Truncated(KIND))?
        .to_vec();
    let mut inner = Chunks::of(chunk.data, FRAME_HEAD)?;
    while let Some(part) = inner.next()? {
        if matches!(&part.name, b"ALPH" | b"VP8 " | b"VP8L") {
            data.extend(written(&part.name, part.data));
        }
    }
    kept.replace(chunk.start..chunk.end, written(b"ANMF", &data));
    Ok(())
}

fn keep(kept: &mut Kept<'_>, chunk: &Chunk<'_>) {
    if (chunk.end - chunk.start).is_multiple_of(2) {
        kept.keep(chunk.start..chunk.end);
    } else {
        kept.replace(chunk.start..chunk.end, written(&chunk.name, chunk.data));
    }
}

struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
    start: usize,
    /// With the padding.
    end: usize,
}

struct Chunks<'a> {
    reader: Reader<'a>,
}

impl<'a> Chunks<'a> {
    fn of(bytes: &'a [u8], from: usize) -> Result<Self, Unfit> {
        let mut reader = Reader::new(KIND, bytes);
        reader.take(from)?;
        Ok(Self { reader })
    }

    fn next(&mut self) -> Result<Option<Chunk<'a>>, Unfit> {
        if self.reader.is_at_end() {
            return Ok(None);
        }
        let start = self.reader.position();
        let name = self.reader.array()?;
        let length = self.reader.le32()? as usize;
        let data = self.reader.take(length)?;
        // Chunks begin at even places; a last one without its padding hurts nobody.
        if length % 2 == 1 && !self.reader.is_at_end() {
            self.reader.byte()?;
        }
        Ok(Some(Chunk {
            name,
            data,
            start,
            end: self.reader.position(),
        }))
    }
}

fn written(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("no container is longer than its 32 bits say");
    let padding = &[0][..data.len() % 2];
    [&name[..], &length.to_le_bytes(), data, padding].concat()
}
