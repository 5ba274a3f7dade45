//! The box `meta`: the items of a still image, where they lie, and their properties.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::locations::{Located, item_id, located, part_of};
use super::plan::Plan;
use super::properties::Properties;
use super::shown::{Shown, damaged, short};
use crate::image::InvalidImage;
use crate::image::bmff::{BoxAt, boxes, find};
use crate::image::reader::{Reader, Truncated};

/// The items that make up pictures: coded ones, and those that are put together from others.
const PICTURES: [&[u8; 4]; 6] = [b"av01", b"grid", b"iovl", b"iden", b"tmap", b"sato"];

/// Properties that describe the making of an image and not its look: descriptions, alternative texts, times, private
/// ones.
const TELLING: [&[u8; 4]; 5] = [b"udes", b"altt", b"crtt", b"mdft", b"uuid"];

/// Properties that browsers know. An item with another one that is marked as essential is not shown.
const KNOWN: [&[u8; 4]; 17] = [
    b"ispe", b"auxC", b"colr", b"av1C", b"pasp", b"clap", b"irot", b"imir", b"pixi", b"a1op",
    b"lsel", b"a1lx", b"clli", b"mdcv", b"amve", b"cclv", b"grpl",
];

/// Properties that must be marked as essential (MIAF, HEIF).
const ESSENTIAL: [&[u8; 4]; 5] = [b"clap", b"irot", b"imir", b"a1op", b"lsel"];

/// The type of an auxiliary image with the transparency.
const ALPHA: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
    b"urn:mpeg:hevc:2015:auxid:1\0",
];

/// Adds the items to the plan. Returns the primary item, if there is one, or the reason that browsers do not show it.
///
/// # Errors
/// If browsers cannot read the file, even to show another image in it.
pub(super) fn read(
    source: &[u8],
    meta: &BoxAt,
    plan: &mut Plan,
) -> Result<Option<Result<Shown, InvalidImage>>, InvalidImage> {
    // A full box: version and flags come first.
    let found = boxes(source, meta.data.start + 4..meta.data.end)?;
    let inline = find(&found, b"idat").map(|data| data.data.clone());
    plan.media.extend(inline.clone());
    let items = match find(&found, b"iinf") {
        Some(iinf) => item_kinds(source, iinf)?,
        None => HashMap::new(),
    };
    for found in &found {
        match &found.name {
            b"hdlr" | b"pitm" | b"iinf" | b"iref" | b"idat" | b"dinf" | b"grpl" | b"ipro" => {}
            b"iprp" => blank_properties(source, found, plan)?,
            b"iloc" => add_items(source, found, &items, inline.as_ref(), plan)?,
            _ => plan.blank(found),
        }
    }
    let Some(pitm) = find(&found, b"pitm") else {
        return Ok(None);
    };
    let primary = primary_id(&source[pitm.data.clone()]).map_err(short)?;
    let Some(iloc) = find(&found, b"iloc") else {
        return Ok(Some(Err(damaged("it has no pixels"))));
    };
    let image = Image {
        source,
        kinds: &items,
        references: references(source, find(&found, b"iref"))?,
        properties: Properties::of(source, find(&found, b"iprp"))?,
        located: located(&source[iloc.data.clone()]).map_err(short)?,
        inline,
    };
    Ok(Some(image.shown(primary)))
}

/// The parts of `meta` that say what the image is.
struct Image<'a> {
    source: &'a [u8],
    kinds: &'a HashMap<u32, [u8; 4]>,
    references: Vec<Reference>,
    properties: Properties<'a>,
    located: Vec<Located>,
    inline: Option<Range<usize>>,
}

impl Image<'_> {
    fn shown(&self, primary: u32) -> Result<Shown, InvalidImage> {
        match self.kinds.get(&primary) {
            Some(b"grid") => self.check_grid(primary)?,
            Some(b"av01" | b"tmap" | b"iden") => {}
            // A container of this format can hold anything, HEVC for one.
            Some(_) => return Err(InvalidImage::Unknown(None)),
            None => return Err(damaged("it has no pixels")),
        }
        let shown = self.own_size(primary)?;
        for reference in &self.references {
            // Chromium shows no image whose transparency has no size of its own.
            let is_auxiliary = &reference.kind == b"auxl" && reference.to == primary;
            if is_auxiliary && self.is_alpha(reference.from) {
                self.own_size(reference.from)?;
            }
        }
        Ok(shown)
    }

    /// The size that the item's properties say.
    fn own_size(&self, item: u32) -> Result<Shown, InvalidImage> {
        let (mut size, mut is_sideways) = (None, false);
        for (is_essential, name, data) in self.properties.of_item(item) {
            if is_essential && !KNOWN.contains(&name) || !is_essential && ESSENTIAL.contains(&name)
            {
                return Err(damaged("browsers do not know one of its properties"));
            }
            let mut reader = Reader::new(data);
            match name {
                b"ispe" => {
                    reader.take(4).map_err(short)?;
                    size = size.or(Some((
                        reader.be32().map_err(short)?,
                        reader.be32().map_err(short)?,
                    )));
                }
                b"irot" => is_sideways = reader.byte().map_err(short)? & 1 == 1,
                b"pixi" => self.check_depths(item, data)?,
                b"colr" => {
                    if let Some(profile) = data.strip_prefix(b"prof") {
                        check_icc(profile).map_err(short)?;
                    }
                }
                _ => {}
            }
        }
        if self.kinds.get(&item) == Some(b"av01") && self.bit_depth(item).is_none() {
            return Err(damaged("it has no configuration"));
        }
        let size = size.ok_or(damaged("it has no size"))?;
        Ok(Shown { size, is_sideways })
    }

    /// Requires a whole description of a grid that has as many tiles as it says (ISO/IEC 23008-12, 6.6.2.3), each used
    /// once.
    fn check_grid(&self, item: u32) -> Result<(), InvalidImage> {
        let description = self.data(item).ok_or(damaged("it has no pixels"))?;
        let mut reader = Reader::new(&description);
        let [version, flags, rows, columns] = reader.array().map_err(short)?;
        let length = if flags & 1 == 1 { 8 } else { 4 };
        let tiles = self.tiles(item).count();
        let is_valid = version == 0 && reader.rest().len() == length;
        if !is_valid || tiles != (usize::from(rows) + 1) * (usize::from(columns) + 1) {
            return Err(damaged("an invalid grid"));
        }
        let mut derived = self.references.iter().filter(|own| &own.kind == b"dimg");
        let mut used = HashSet::new();
        if !derived.all(|reference| used.insert(reference.to)) {
            return Err(damaged("a tile that is used twice"));
        }
        Ok(())
    }

    /// Requires of `pixi` the bit depth of the coded image.
    fn check_depths(&self, item: u32, pixi: &[u8]) -> Result<(), InvalidImage> {
        let coded = self.tiles(item).next().unwrap_or(item);
        let &[_, _, _, _, count, ref depths @ ..] = pixi else {
            return Err(damaged("a box is too short"));
        };
        let depths = &depths[..depths.len().min(count.into())];
        match self.bit_depth(coded) {
            Some(depth) if depths.iter().any(|&other| other != depth) => {
                Err(damaged("its pixels have another bit depth"))
            }
            _ => Ok(()),
        }
    }

    /// The bit depth in the item's configuration (AV1-ISOBMFF, 2.3.3).
    fn bit_depth(&self, item: u32) -> Option<u8> {
        let mut properties = self.properties.of_item(item);
        let (_, _, configuration) = properties.find(|&(_, name, _)| name == b"av1C")?;
        Some(match configuration.get(2)? {
            flags if flags & 0x40 == 0 => 8,
            flags if flags & 0x20 == 0 => 10,
            _ => 12,
        })
    }

    /// The items that a derived item is put together from.
    fn tiles(&self, item: u32) -> impl Iterator<Item = u32> {
        let references = self.references.iter();
        let own = references.filter(move |own| &own.kind == b"dimg" && own.from == item);
        own.map(|reference| reference.to)
    }

    /// The bytes of an item, if all of them are there.
    fn data(&self, item: u32) -> Option<Vec<u8>> {
        let located = self.located.iter().find(|located| located.id == item)?;
        let base = located.base(self.source, self.inline.as_ref())?;
        let mut data = Vec::new();
        for &(offset, length) in &located.extents {
            let (range, is_cut) = part_of(&base, offset, length);
            data.extend_from_slice(self.source.get(range).filter(|_| !is_cut)?);
        }
        Some(data)
    }

    fn is_alpha(&self, item: u32) -> bool {
        let mut properties = self.properties.of_item(item);
        properties.any(|(_, name, data)| {
            name == b"auxC"
                && data
                    .get(4..)
                    .is_some_and(|kind| ALPHA.iter().any(|alpha| kind.starts_with(alpha)))
        })
    }
}

fn primary_id(pitm: &[u8]) -> Result<u32, Truncated> {
    let mut reader = Reader::new(pitm);
    let [version, ..] = reader.array::<4>()?;
    item_id(&mut reader, version > 0)
}

/// Requires an ICC profile whose parts lie inside (ICC.1, 7.2 and 7.3), as Chromium does of an AVIF.
fn check_icc(profile: &[u8]) -> Result<(), Truncated> {
    let mut reader = Reader::new(profile);
    let length = reader.be32()? as usize;
    let profile = profile.get(..length).ok_or(Truncated)?;
    let mut reader = Reader::new(profile.get(36..).ok_or(Truncated)?);
    if reader.array()? != *b"acsp" {
        return Err(Truncated);
    }
    reader.take(128 - 40)?;
    for _ in 0..reader.be32()? {
        reader.take(4)?;
        let (offset, length) = (reader.be32()? as usize, reader.be32()? as usize);
        let end = offset.checked_add(length).ok_or(Truncated)?;
        if length < 4 || end > profile.len() {
            return Err(Truncated);
        }
    }
    Ok(())
}

/// A relation between two items.
struct Reference {
    kind: [u8; 4],
    from: u32,
    to: u32,
}

/// The references between items (ISO/IEC 14496-12, 8.11.12).
fn references(source: &[u8], iref: Option<&BoxAt>) -> Result<Vec<Reference>, InvalidImage> {
    let mut references = Vec::new();
    let Some(iref) = iref else {
        return Ok(references);
    };
    let version = source[iref.data.clone()].first().copied();
    let is_wide = version > Some(0);
    for found in boxes(source, iref.data.start + 4..iref.data.end)? {
        let mut reader = Reader::new(&source[found.data]);
        let from = item_id(&mut reader, is_wide).map_err(short)?;
        for _ in 0..reader.be16().map_err(short)? {
            references.push(Reference {
                kind: found.name,
                from,
                to: item_id(&mut reader, is_wide).map_err(short)?,
            });
        }
    }
    Ok(references)
}

fn blank_properties(source: &[u8], iprp: &BoxAt, plan: &mut Plan) -> Result<(), InvalidImage> {
    for container in boxes(source, iprp.data.clone())? {
        if &container.name != b"ipco" {
            continue;
        }
        for property in boxes(source, container.data)? {
            if TELLING.contains(&&property.name) {
                plan.blank(&property);
            }
        }
    }
    Ok(())
}

/// The type of each item.
fn item_kinds(source: &[u8], iinf: &BoxAt) -> Result<HashMap<u32, [u8; 4]>, InvalidImage> {
    let mut reader = Reader::new(&source[iinf.data.clone()]);
    let [version, ..] = reader.array::<4>().map_err(short)?;
    item_id(&mut reader, version > 0).map_err(short)?;
    let entries = iinf.data.start + reader.position()..iinf.data.end;
    let mut kinds = HashMap::new();
    for entry in boxes(source, entries)? {
        let mut reader = Reader::new(&source[entry.data]);
        let [version, ..] = reader.array::<4>().map_err(short)?;
        // Older entries have no type: none of them is a picture.
        if version >= 2 {
            let id = item_id(&mut reader, version > 2).map_err(short)?;
            reader.take(2).map_err(short)?;
            kinds.entry(id).or_insert(reader.array().map_err(short)?);
        }
    }
    Ok(kinds)
}

/// Sorts the ranges of all items (ISO/IEC 14496-12, 8.11.3) by what becomes of them.
fn add_items(
    source: &[u8],
    iloc: &BoxAt,
    kinds: &HashMap<u32, [u8; 4]>,
    inline: Option<&Range<usize>>,
    plan: &mut Plan,
) -> Result<(), InvalidImage> {
    for item in located(&source[iloc.data.clone()]).map_err(short)? {
        let base = item
            .base(source, inline)
            .ok_or(damaged("an item outside the file"))?;
        let mut ranges = Vec::new();
        for (offset, length) in item.extents {
            let (range, is_cut) = part_of(&base, offset, length);
            plan.is_damaged |= is_cut;
            ranges.push(range);
        }
        match kinds.get(&item.id) {
            Some(kind) if PICTURES.contains(&kind) => plan.pictures.extend(ranges),
            Some(b"Exif") => plan.exif.push(ranges),
            _ => plan.others.extend(ranges),
        }
    }
    Ok(())
}
