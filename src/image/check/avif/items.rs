//! The items of a still picture: which is shown, how large it is, and where its bytes lie.

use super::coded::Still;
use super::{Bounds, Box, KIND, MAX_EXTENTS, Unfit, damaged, find, next_box};
use crate::image::check::reader::Reader;

/// Width and height of the primary item as they are coded, and whether it is turned by a quarter. All bytes that any item
/// points to must be in `file`.
pub(super) fn primary(meta: &[u8], file: &[u8], bounds: Bounds) -> Result<(u32, u32, bool), Unfit> {
    // A full box: version and flags come first.
    let boxes = meta.get(4..).ok_or(Unfit::Truncated(KIND))?;
    let wanted = |name| find(boxes, name)?.ok_or(damaged("a box is missing"));
    let item = primary_id(wanted(b"pitm")?)?;
    let kind = av1_kind(wanted(b"iinf")?, item)?;
    let data = find(boxes, b"idat")?.unwrap_or_default();
    let lengths = (file.len(), data.len());
    if !locate(wanted(b"iloc")?, item, lengths, bounds)? {
        return Err(damaged("it has no pixels"));
    }
    let (width, height, sideways) = size(wanted(b"iprp")?, item)?;
    let still = Still {
        boxes,
        file,
        bounds,
    };
    if !still.can_have(item, kind, (width, height))? {
        return Err(damaged("its pixels have another size"));
    }
    Ok((width, height, sideways))
}

pub(super) fn version(reader: &mut Reader<'_>) -> Result<u8, Unfit> {
    let [version, ..] = reader.array::<4>()?;
    Ok(version)
}

/// An item's number, in two bytes or in four.
fn item_id(reader: &mut Reader<'_>, wide: bool) -> Result<u32, Unfit> {
    if wide {
        reader.be32()
    } else {
        reader.be16().map(u32::from)
    }
}

fn primary_id(pitm: &[u8]) -> Result<u32, Unfit> {
    let mut reader = Reader::new(KIND, pitm);
    let wide = version(&mut reader)? > 0;
    item_id(&mut reader, wide)
}

/// Refuses a primary item that is not AV1: a container of this format can hold anything.
fn av1_kind(iinf: &[u8], item: u32) -> Result<[u8; 4], Unfit> {
    let mut reader = Reader::new(KIND, iinf);
    let wide = version(&mut reader)? > 0;
    item_id(&mut reader, wide)?;
    while let Some(entry) = next_box(&mut reader)? {
        let mut entry = Reader::new(KIND, entry.data);
        let version = version(&mut entry)?;
        if version < 2 || item_id(&mut entry, version > 2)? != item {
            continue;
        }
        entry.take(2)?;
        let kind = entry.array()?;
        return match &kind {
            b"av01" | b"grid" | b"tmap" | b"iden" => Ok(kind),
            _ => Err(Unfit::Unknown),
        };
    }
    Err(damaged("it has no pixels"))
}

/// Checks where the items lie. The answer: has this one any bytes?
fn locate(
    iloc: &[u8],
    item: u32,
    (file_length, data_length): (usize, usize),
    bounds: Bounds,
) -> Result<bool, Unfit> {
    let mut has_bytes = false;
    each_extent(iloc, bounds, |extent| {
        let available = match extent.method {
            0 => file_length as u64,
            1 => data_length as u64,
            _ => u64::MAX,
        };
        if extent.start.saturating_add(extent.length) > available {
            return Err(Unfit::Truncated(KIND));
        }
        // A length of nothing means: up to the end.
        has_bytes |= extent.item == item && extent.start < available;
        Ok(())
    })?;
    Ok(has_bytes)
}

/// Where a piece of an item lies.
pub(super) struct Extent {
    pub(super) item: u32,
    /// 0: in the file; 1: in `idat`; 2: in another item.
    pub(super) method: u16,
    pub(super) start: u64,
    pub(super) length: u64,
}

/// Goes through the pieces of all items (ISO/IEC 14496-12, 8.11.3).
pub(super) fn each_extent(
    iloc: &[u8],
    bounds: Bounds,
    mut found: impl FnMut(Extent) -> Result<(), Unfit>,
) -> Result<(), Unfit> {
    let mut reader = Reader::new(KIND, iloc);
    let version = version(&mut reader)?;
    let [offset_and_length, base_and_index] = reader.array()?;
    let sizes = [
        offset_and_length >> 4,
        offset_and_length & 15,
        base_and_index >> 4,
        base_and_index & 15,
    ];
    let [offset_size, length_size, base_size, index_size] = sizes;
    let index_size = if version == 0 { 0 } else { index_size };
    let items = item_id(&mut reader, version > 1)?;
    let mut left = MAX_EXTENTS;
    for index in 0..items {
        if index % 4096 == 0 {
            bounds.time()?;
        }
        let item = item_id(&mut reader, version > 1)?;
        let method = if version == 0 { 0 } else { reader.be16()? & 15 };
        reader.take(2)?;
        let base = number(&mut reader, base_size)?;
        let count = usize::from(reader.be16()?);
        left = left.checked_sub(count).ok_or(damaged("too many items"))?;
        for _ in 0..count {
            number(&mut reader, index_size)?;
            let offset = number(&mut reader, offset_size)?;
            let length = number(&mut reader, length_size)?;
            found(Extent {
                item,
                method,
                start: base.saturating_add(offset),
                length,
            })?;
        }
    }
    Ok(())
}

/// A number of so many bytes.
fn number(reader: &mut Reader<'_>, size: u8) -> Result<u64, Unfit> {
    match size {
        0 => Ok(0),
        4 => reader.be32().map(u64::from),
        8 => reader.be64(),
        _ => Err(damaged("a number of an impossible size")),
    }
}

/// The properties of the item: its extent, and whether it is turned.
fn size(iprp: &[u8], item: u32) -> Result<(u32, u32, bool), Unfit> {
    let missing = || damaged("a box is missing");
    let properties = properties(find(iprp, b"ipco")?.ok_or_else(missing)?)?;
    let (mut extent, mut sideways) = (None, false);
    for index in associated(find(iprp, b"ipma")?.ok_or_else(missing)?, item)? {
        let Some(index) = usize::from(index).checked_sub(1) else {
            continue;
        };
        let Box { name, data } = properties.get(index).ok_or_else(missing)?;
        let mut reader = Reader::new(KIND, data);
        match name {
            b"ispe" => {
                reader.take(4)?;
                extent = Some((reader.be32()?, reader.be32()?));
            }
            b"irot" => sideways = reader.byte()? & 1 == 1,
            _ => {}
        }
    }
    let (width, height) = extent.ok_or(damaged("it has no size"))?;
    Ok((width, height, sideways))
}

/// All properties, in their order.
pub(super) fn properties(ipco: &[u8]) -> Result<Vec<Box<'_>>, Unfit> {
    let mut reader = Reader::new(KIND, ipco);
    let mut properties = Vec::new();
    while let Some(property) = next_box(&mut reader)? {
        properties.push(property);
    }
    Ok(properties)
}

/// The numbers of the item's properties, from 1; 0 stands for none.
pub(super) fn associated(ipma: &[u8], item: u32) -> Result<Vec<u16>, Unfit> {
    let mut reader = Reader::new(KIND, ipma);
    let [version, _, _, flags] = reader.array()?;
    for _ in 0..reader.be32()? {
        let id = item_id(&mut reader, version > 0)?;
        let mut indices = Vec::new();
        for _ in 0..reader.byte()? {
            // The highest bit says that a reader must know the property.
            let index = if flags & 1 == 1 {
                reader.be16()? & 0x7fff
            } else {
                u16::from(reader.byte()? & 0x7f)
            };
            indices.push(index);
        }
        if id == item {
            return Ok(indices);
        }
    }
    Err(damaged("it has no size"))
}
