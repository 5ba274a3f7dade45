//! Whether the size that the boxes tell is that of the coded pictures.

use super::items::{Extent, associated, each_extent, properties, version};
use super::sequence::max_frame_size;
use super::{Bounds, KIND, Unfit, find, next_box};
use crate::image::check::reader::Reader;

/// Properties of pictures in several layers: one that is shown may be smaller than the sequence header says.
const LAYERS: [&[u8; 4]; 3] = [b"a1lx", b"a1op", b"lsel"];

/// The boxes of a still picture, and the file that they point into.
pub(super) struct Still<'a> {
    pub(super) boxes: &'a [u8],
    pub(super) file: &'a [u8],
    pub(super) bounds: Bounds,
}

impl Still<'_> {
    /// Whether an item of this kind can have this size. It can if nothing is found that tells its true size.
    pub(super) fn can_have(
        &self,
        item: u32,
        kind: [u8; 4],
        (width, height): (u32, u32),
    ) -> Result<bool, Unfit> {
        match &kind {
            b"av01" => {
                let Some(coded) = self.coded_size(item)? else {
                    return Ok(true);
                };
                let is_smaller = width <= coded.0 && height <= coded.1;
                Ok(coded == (width, height) || is_smaller && self.has_layers(item)?)
            }
            b"grid" => Ok(self.grid_can_have(item, (width, height))?.unwrap_or(true)),
            _ => Ok(true),
        }
    }

    /// Whether the tiles of a grid (ISO/IEC 23008-12, 6.6.2.3.2) can fill this size. All have one size.
    fn grid_can_have(&self, item: u32, size: (u32, u32)) -> Result<Option<bool>, Unfit> {
        let Some(content) = self.content(item)? else {
            return Ok(None);
        };
        let mut grid = Reader::new(KIND, content);
        let [_, flags, rows, columns] = grid.array()?;
        let whole = if flags & 1 == 1 {
            (grid.be32()?, grid.be32()?)
        } else {
            (grid.be16()?.into(), grid.be16()?.into())
        };
        if whole != size {
            return Ok(Some(false));
        }
        let Some(tile) = self.first_tile(item)? else {
            return Ok(None);
        };
        let Some((width, height)) = self.coded_size(tile)? else {
            return Ok(None);
        };
        let reaches = |count: u8, tile: u32, whole: u32| {
            (u64::from(count) + 1) * u64::from(tile) >= u64::from(whole)
        };
        Ok(Some(
            reaches(columns, width, whole.0) && reaches(rows, height, whole.1),
        ))
    }

    /// The first item that this one is derived from (ISO/IEC 14496-12, 8.11.12).
    fn first_tile(&self, item: u32) -> Result<Option<u32>, Unfit> {
        let Some(iref) = find(self.boxes, b"iref")? else {
            return Ok(None);
        };
        let mut reader = Reader::new(KIND, iref);
        let wide = version(&mut reader)? > 0;
        while let Some(reference) = next_box(&mut reader)? {
            let mut ids = Reader::new(KIND, reference.data);
            let id = |ids: &mut Reader<'_>| {
                if wide {
                    ids.be32()
                } else {
                    ids.be16().map(u32::from)
                }
            };
            if &reference.name == b"dimg" && id(&mut ids)? == item && ids.be16()? > 0 {
                return id(&mut ids).map(Some);
            }
        }
        Ok(None)
    }

    /// How large the frames of an AV1 item are, by its bytes or else by its configuration (AV1 in ISOBMFF, 2.3).
    fn coded_size(&self, item: u32) -> Result<Option<(u32, u32)>, Unfit> {
        if let Some(size) = self.content(item)?.and_then(max_frame_size) {
            return Ok(Some(size));
        }
        let configuration = self.property(item, &[b"av1C"])?;
        let units = configuration.and_then(|configuration| configuration.get(4..));
        Ok(units.and_then(max_frame_size))
    }

    fn has_layers(&self, item: u32) -> Result<bool, Unfit> {
        Ok(self.property(item, &LAYERS)?.is_some())
    }

    /// The first of the item's properties that has one of these names.
    fn property(&self, item: u32, names: &[&[u8; 4]]) -> Result<Option<&[u8]>, Unfit> {
        let iprp = find(self.boxes, b"iprp")?.unwrap_or_default();
        let properties = properties(find(iprp, b"ipco")?.unwrap_or_default())?;
        let Some(ipma) = find(iprp, b"ipma")? else {
            return Ok(None);
        };
        let indices = associated(ipma, item)?.into_iter().map(usize::from);
        let mut own = indices.filter_map(|index| properties.get(index.checked_sub(1)?));
        Ok(own
            .find(|property| names.contains(&&property.name))
            .map(|property| property.data))
    }

    /// The item's bytes, or the first of several pieces of them.
    fn content(&self, item: u32) -> Result<Option<&[u8]>, Unfit> {
        let iloc = find(self.boxes, b"iloc")?.unwrap_or_default();
        let idat = find(self.boxes, b"idat")?.unwrap_or_default();
        let mut first: Option<Extent> = None;
        each_extent(iloc, self.bounds, |extent| {
            if extent.item == item && first.is_none() {
                first = Some(extent);
            }
            Ok(())
        })?;
        Ok(first.and_then(|extent| {
            let all = match extent.method {
                0 => self.file,
                1 => idat,
                _ => return None,
            };
            let rest = all.get(usize::try_from(extent.start).ok()?..)?;
            match usize::try_from(extent.length).ok()? {
                // Up to the end.
                0 => Some(rest),
                length => rest.get(..length),
            }
        }))
    }
}
