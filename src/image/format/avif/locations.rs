//! Where the items of an image lie.

use std::ops::Range;

use crate::image::reader::{Reader, Truncated};

/// The limit on parts of items in one file: the largest grid has 65,536 tiles, its transparency as many. A part without
/// a length costs a file two bytes, but takes memory here.
pub(super) const MAX_EXTENTS: usize = 200_000;

/// The location of an item.
pub(super) struct Located {
    pub(super) id: u32,
    /// The base of the offsets: 0 the file, 1 `idat`, 2 another item.
    method: u16,
    is_elsewhere: bool,
    /// The offset and length of each part. A length of 0 means up to the end.
    pub(super) extents: Vec<(u64, u64)>,
}

impl Located {
    /// The range of the file that the offsets refer to; `None` for an item in another file or inside another item.
    pub(super) fn base(
        &self,
        source: &[u8],
        inline: Option<&Range<usize>>,
    ) -> Option<Range<usize>> {
        match self.method {
            _ if self.is_elsewhere => None,
            0 => Some(0..source.len()),
            1 => inline.cloned(),
            _ => None,
        }
    }
}

/// Reads a box `iloc` (ISO/IEC 14496-12, 8.11.3).
pub(super) fn located(iloc: &[u8]) -> Result<Vec<Located>, Truncated> {
    let mut reader = Reader::new(iloc);
    let [version, ..] = reader.array::<4>()?;
    let [offset_and_length, base_and_index] = reader.array()?;
    let (offset_size, length_size) = (offset_and_length >> 4, offset_and_length & 15);
    let (base_size, index_size) = (base_and_index >> 4, base_and_index & 15);
    let index_size = if version == 0 { 0 } else { index_size };
    let mut items = Vec::new();
    let mut left = MAX_EXTENTS;
    for _ in 0..item_id(&mut reader, version > 1)? {
        let id = item_id(&mut reader, version > 1)?;
        let method = if version == 0 { 0 } else { reader.be16()? & 15 };
        let is_elsewhere = reader.be16()? != 0;
        let base = number(&mut reader, base_size)?;
        let count = usize::from(reader.be16()?);
        // More parts than any image has.
        left = left.checked_sub(count).ok_or(Truncated)?;
        let mut extents = Vec::new();
        for _ in 0..count {
            number(&mut reader, index_size)?;
            let offset = number(&mut reader, offset_size)?;
            let length = number(&mut reader, length_size)?;
            extents.push((base.saturating_add(offset), length));
        }
        items.push(Located {
            id,
            method,
            is_elsewhere,
            extents,
        });
    }
    Ok(items)
}

/// A part of a range, and whether it reaches beyond.
pub(super) fn part_of(base: &Range<usize>, offset: u64, length: u64) -> (Range<usize>, bool) {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let start = base.start.saturating_add(offset);
    let end = if length == 0 {
        base.end
    } else {
        start.saturating_add(length)
    };
    let part = start.min(base.end)..end.min(base.end);
    (part, start >= base.end || end > base.end)
}

/// An item's number, in two bytes or in four.
pub(super) fn item_id(reader: &mut Reader<'_>, is_wide: bool) -> Result<u32, Truncated> {
    if is_wide {
        reader.be32()
    } else {
        reader.be16().map(u32::from)
    }
}

/// A number of so many bytes.
fn number(reader: &mut Reader<'_>, size: u8) -> Result<u64, Truncated> {
    match size {
        4 => reader.be32().map(u64::from),
        8 => reader.be64(),
        0 => Ok(0),
        _ => Err(Truncated),
    }
}
