//! The box `meta`: which items there are, where they lie, and what is said about them.

use std::collections::HashMap;
use std::ops::Range;

use super::boxes::{Found, boxes, find};
use super::{KIND, Plan, Unfit, damaged};
use crate::image::check::avif::MAX_EXTENTS;
use crate::image::check::reader::Reader;

/// The items that make up pictures: coded ones, and those that are put together from others.
const PICTURES: [&[u8; 4]; 6] = [b"av01", b"grid", b"iovl", b"iden", b"tmap", b"sato"];

/// Properties that tell of the picture's making and do not change how it looks: descriptions, texts for those who cannot
/// see it, times, whatever somebody made up.
const TELLING: [&[u8; 4]; 5] = [b"udes", b"altt", b"crtt", b"mdft", b"uuid"];

impl Plan {
    pub(super) fn meta(&mut self, source: &[u8], meta: &Found) -> Result<(), Unfit> {
        // A full box: version and flags come first.
        let inside = meta.data.start + 4..meta.data.end;
        let found = boxes(source, inside)?.0;
        let inline = find(&found, b"idat").map(|data| data.data.clone());
        self.media.extend(inline.clone());
        let kinds = match find(&found, b"iinf") {
            Some(iinf) => kinds(source, iinf)?,
            None => HashMap::new(),
        };
        for found in &found {
            match &found.name {
                b"hdlr" | b"pitm" | b"iinf" | b"iref" | b"idat" | b"dinf" | b"grpl" | b"ipro" => {}
                b"iprp" => self.properties(source, found)?,
                b"iloc" => self.items(source, found, &kinds, inline.as_ref())?,
                _ => self.blank(found),
            }
        }
        Ok(())
    }

    fn properties(&mut self, source: &[u8], iprp: &Found) -> Result<(), Unfit> {
        for container in boxes(source, iprp.data.clone())?.0 {
            if &container.name != b"ipco" {
                continue;
            }
            for property in boxes(source, container.data)?.0 {
                if TELLING.contains(&&property.name) {
                    self.blank(&property);
                }
            }
        }
        Ok(())
    }

    /// Where the items lie (ISO/IEC 14496-12, 8.11.3), and which of them have to go.
    fn items(
        &mut self,
        source: &[u8],
        iloc: &Found,
        kinds: &HashMap<u32, [u8; 4]>,
        inline: Option<&Range<usize>>,
    ) -> Result<(), Unfit> {
        for item in located(&source[iloc.data.clone()])? {
            let base = match item.method {
                0 => 0..source.len(),
                1 => inline.cloned().ok_or(damaged("a box is missing"))?,
                _ => return Err(damaged("an item inside another")),
            };
            let mut places = Vec::new();
            for (offset, length) in item.extents {
                places.push(place(&base, offset, length)?);
            }
            if item.is_elsewhere {
                return Err(damaged("an item in another file"));
            }
            self.item(kinds.get(&item.id), places);
        }
        Ok(())
    }

    fn item(&mut self, kind: Option<&[u8; 4]>, places: Vec<Range<usize>>) {
        match kind {
            Some(kind) if PICTURES.contains(&kind) => self.pictures.extend(places),
            Some(b"Exif") => self.exif.push(places),
            _ => self.others.extend(places),
        }
    }
}

/// What kind each item is.
fn kinds(source: &[u8], iinf: &Found) -> Result<HashMap<u32, [u8; 4]>, Unfit> {
    let mut reader = Reader::new(KIND, &source[iinf.data.clone()]);
    let [version, ..] = reader.array::<4>()?;
    item_id(&mut reader, version > 0)?;
    let entries = iinf.data.start + reader.position()..iinf.data.end;
    let mut kinds = HashMap::new();
    for entry in boxes(source, entries)?.0 {
        let mut reader = Reader::new(KIND, &source[entry.data]);
        let [version, ..] = reader.array::<4>()?;
        // Older entries have no kind: none of them is a picture.
        if version >= 2 {
            let id = item_id(&mut reader, version > 2)?;
            reader.take(2)?;
            kinds.entry(id).or_insert(reader.array()?);
        }
    }
    Ok(kinds)
}

struct Located {
    id: u32,
    /// Counted from where: 0 the file, 1 `idat`, 2 another item.
    method: u16,
    is_elsewhere: bool,
    /// Where each part begins and how long it is; 0 for all that there is.
    extents: Vec<(u64, u64)>,
}

fn located(iloc: &[u8]) -> Result<Vec<Located>, Unfit> {
    let mut reader = Reader::new(KIND, iloc);
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
        left = left.checked_sub(count).ok_or(damaged("too many items"))?;
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

/// A part of the base.
fn place(base: &Range<usize>, offset: u64, length: u64) -> Result<Range<usize>, Unfit> {
    let truncated = Unfit::Truncated(KIND);
    let offset = usize::try_from(offset).map_err(|_| truncated.clone())?;
    let length = usize::try_from(length).map_err(|_| truncated.clone())?;
    let start = base.start.checked_add(offset);
    let start = start
        .filter(|&start| start <= base.end)
        .ok_or(truncated.clone())?;
    let end = if length == 0 {
        Some(base.end)
    } else {
        start.checked_add(length)
    };
    let end = end.filter(|&end| end <= base.end).ok_or(truncated)?;
    Ok(start..end)
}

/// An item's number, in two bytes or in four.
fn item_id(reader: &mut Reader<'_>, wide: bool) -> Result<u32, Unfit> {
    if wide {
        reader.be32()
    } else {
        reader.be16().map(u32::from)
    }
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
