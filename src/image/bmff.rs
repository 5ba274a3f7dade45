//! Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2).

use std::ops::Range;

use super::reader::{Reader, Truncated};

/// A box.
#[derive(Clone)]
pub(super) struct BoxAt {
    pub(super) name: [u8; 4],
    /// Offset of its name in the file.
    pub(super) name_at: usize,
    /// Range of its contents in the file.
    pub(super) data: Range<usize>,
    /// The file or the box around it ends inside. `data` is what there is.
    pub(super) is_cut: bool,
}

/// A box of an impossible length, or more boxes than any image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidBox;

/// The limit on boxes side by side: the largest grid has an item for each of its 65,536 tiles.
const MAX_BOXES: usize = 200_000;

/// The boxes inside another one. Like libavif, allows nothing else there.
///
/// # Errors
/// If a box is longer than the one around it, or shorter than its head.
pub(super) fn boxes(source: &[u8], range: Range<usize>) -> Result<Vec<BoxAt>, InvalidBox> {
    let mut found = Vec::new();
    let mut position = range.start;
    while position < range.end {
        let next = head(source, position, range.end).map_err(|_| InvalidBox)?;
        let has_no_length = source[position..position + 4] == [0; 4];
        let is_impossible = next.data.start > next.data.end || next.is_cut || has_no_length;
        if found.len() == MAX_BOXES || is_impossible {
            return Err(InvalidBox);
        }
        position = next.data.end;
        found.push(next);
    }
    Ok(found)
}

/// The boxes of a file, and where the last of them ends. Bytes that do not look like a box end the list.
///
/// # Errors
/// If a box is shorter than its head.
pub(super) fn file_boxes(source: &[u8]) -> Result<(Vec<BoxAt>, usize), InvalidBox> {
    let end = source.len();
    let mut found = Vec::new();
    let mut position = 0;
    while position < end {
        let Ok(next) = head(source, position, end) else {
            break;
        };
        if !next.name.iter().all(|byte| (0x20..0x7f).contains(byte)) {
            break;
        }
        if found.len() == MAX_BOXES || next.data.start > next.data.end {
            return Err(InvalidBox);
        }
        position = next.data.end;
        found.push(next);
    }
    Ok((found, position))
}

/// The box at `start`. A range that ends before it starts stands for an impossible length.
fn head(source: &[u8], start: usize, end: usize) -> Result<BoxAt, Truncated> {
    let mut reader = Reader::new(source.get(start..end).unwrap_or_default());
    let length = reader.be32()?;
    let name = reader.array()?;
    let length = match length {
        // Up to the end.
        0 => (end - start) as u64,
        1 => reader.be64()?,
        length => length.into(),
    };
    let box_end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(BoxAt {
        name,
        name_at: start + 4,
        data: start + reader.position()..box_end.min(end),
        is_cut: box_end > end,
    })
}

/// The first box of this name.
pub(super) fn find<'a>(boxes: &'a [BoxAt], name: &[u8; 4]) -> Option<&'a BoxAt> {
    boxes.iter().find(|found| found.name == *name)
}

/// Returns `true` if a file claims to be an AVIF: by the major brand of its first box, or by a compatible brand.
pub(super) fn is_avif(bytes: &[u8]) -> bool {
    let is_brand = |brand: &[u8]| brand == b"avif" || brand == b"avis";
    match head(bytes, 0, bytes.len()) {
        Ok(first) if &first.name == b"ftyp" && first.data.len() >= 8 => {
            let data = &bytes[first.data];
            is_brand(&data[..4]) || data[8..].chunks_exact(4).any(is_brand)
        }
        _ => false,
    }
}
