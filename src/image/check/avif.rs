//! AVIF: the boxes of the ISO base media file format (ISO/IEC 14496-12, 23008-12), and whether the bytes that they point
//! to are there. The pictures themselves are not decoded.

mod coded;
mod items;
mod sequence;

use super::reader::Reader;
use super::{Bounds, Unfit, upright};

const KIND: &str = "AVIF";

/// The most parts of items in one file: the largest grid has 65,536 tiles, its transparency as many. A count of parts
/// without a length costs a file two bytes, whatever it takes to look at them.
pub(in crate::image) const MAX_EXTENTS: usize = 200_000;

/// Whether a file says of itself that AVIF readers can read it.
pub(super) fn is_avif(bytes: &[u8]) -> bool {
    let is_brand = |brand: &[u8]| brand == b"avif" || brand == b"avis";
    match next_box(&mut Reader::new(KIND, bytes)) {
        Ok(Some(Box {
            name: [b'f', b't', b'y', b'p'],
            data,
            ..
        })) if data.len() >= 8 => is_brand(&data[..4]) || data[8..].chunks_exact(4).any(is_brand),
        _ => false,
    }
}

/// Width and height of a complete AVIF.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, bytes);
    let (mut meta, mut movie) = (None, None);
    while let Some(found) = next_box(&mut reader)? {
        bounds.time()?;
        match &found.name {
            b"meta" if meta.is_none() => meta = Some(found.data),
            b"moov" if movie.is_none() => movie = Some(found.data),
            _ => {}
        }
    }
    let (width, height, sideways) = match (meta, movie) {
        (Some(meta), _) => items::primary(meta, bytes, bounds)?,
        (None, Some(movie)) => track_size(movie)?,
        (None, None) => return Err(Unfit::Truncated(KIND)),
    };
    bounds.size(KIND, width, height)?;
    Ok(upright(width, height, sideways))
}

fn damaged(how: &'static str) -> Unfit {
    Unfit::Damaged(KIND, how)
}

/// A box and what is in it.
struct Box<'a> {
    name: [u8; 4],
    data: &'a [u8],
}

/// The next box, or `None` at the end. What follows the last box without looking like one is not looked at.
fn next_box<'a>(reader: &mut Reader<'a>) -> Result<Option<Box<'a>>, Unfit> {
    if reader.rest().len() < 8 {
        return Ok(None);
    }
    let start = reader.position();
    let length = reader.be32()?;
    let name: [u8; 4] = reader.array()?;
    if !name
        .iter()
        .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
    {
        return Ok(None);
    }
    let data = match length {
        0 => reader.take(reader.rest().len())?,
        1 => {
            let length = usize::try_from(reader.be64()?).map_err(|_| Unfit::Truncated(KIND))?;
            reader.take(
                length
                    .checked_sub(16)
                    .ok_or(damaged("a box without a length"))?,
            )?
        }
        length => {
            let head = reader.position() - start;
            reader.take(
                (length as usize)
                    .checked_sub(head)
                    .ok_or(damaged("a box without a length"))?,
            )?
        }
    };
    Ok(Some(Box { name, data }))
}

/// The first box of this name among these.
fn find<'a>(boxes: &'a [u8], name: &[u8; 4]) -> Result<Option<&'a [u8]>, Unfit> {
    let mut reader = Reader::new(KIND, boxes);
    while let Some(found) = next_box(&mut reader)? {
        if found.name == *name {
            return Ok(Some(found.data));
        }
    }
    Ok(None)
}

/// The size of the first track that can be seen, in an image sequence without a still picture.
fn track_size(movie: &[u8]) -> Result<(u32, u32, bool), Unfit> {
    let mut reader = Reader::new(KIND, movie);
    while let Some(found) = next_box(&mut reader)? {
        if &found.name != b"trak" {
            continue;
        }
        let header = find(found.data, b"tkhd")?.ok_or(damaged("a track without a header"))?;
        let size = header
            .len()
            .checked_sub(8)
            .ok_or(damaged("a track without a size"))?;
        let mut size = Reader::new(KIND, &header[size..]);
        // Fixed point: 16 bits before the point.
        let (width, height) = (size.be32()? >> 16, size.be32()? >> 16);
        if width > 0 && height > 0 {
            return Ok((width, height, false));
        }
    }
    Err(damaged("it has no pixels"))
}
