//! The properties of the items of an image.

use std::collections::HashMap;

use super::locations::{MAX_EXTENTS, item_id};
use super::shown::short;
use crate::image::InvalidImage;
use crate::image::bmff::{BoxAt, boxes, find};
use crate::image::reader::{Reader, Truncated};

/// The properties of all items.
#[derive(Default)]
pub(super) struct Properties<'a> {
    all: Vec<([u8; 4], &'a [u8])>,
    /// For each item, whether each of its properties is essential, and the property's number, from 1.
    associations: HashMap<u32, Vec<(bool, u16)>>,
}

impl<'a> Properties<'a> {
    pub(super) fn of(source: &'a [u8], iprp: Option<&BoxAt>) -> Result<Self, InvalidImage> {
        let Some(iprp) = iprp else {
            return Ok(Self::default());
        };
        let found = boxes(source, iprp.data.clone())?;
        let mut properties = Self::default();
        if let Some(ipco) = find(&found, b"ipco") {
            let all = boxes(source, ipco.data.clone())?.into_iter();
            properties.all = all.map(|found| (found.name, &source[found.data])).collect();
        }
        for ipma in found.iter().filter(|found| &found.name == b"ipma") {
            properties
                .associate(&source[ipma.data.clone()])
                .map_err(short)?;
        }
        Ok(properties)
    }

    /// Reads a box `ipma` (ISO/IEC 23008-12, 9.3).
    fn associate(&mut self, ipma: &[u8]) -> Result<(), Truncated> {
        let mut reader = Reader::new(ipma);
        let [version, _, _, flags] = reader.array()?;
        for _ in 0..reader.be32()? {
            let item = item_id(&mut reader, version > 0)?;
            let mut own = Vec::new();
            for _ in 0..reader.byte()? {
                own.push(if flags & 1 == 1 {
                    let index = reader.be16()?;
                    (index >> 15 == 1, index & 0x7fff)
                } else {
                    let index = reader.byte()?;
                    (index >> 7 == 1, u16::from(index & 0x7f))
                });
            }
            if self.associations.len() == MAX_EXTENTS {
                return Err(Truncated);
            }
            self.associations.entry(item).or_insert(own);
        }
        Ok(())
    }

    /// The properties of an item: whether each is essential, its name and its data.
    pub(super) fn of_item(&self, item: u32) -> impl Iterator<Item = (bool, &[u8; 4], &'a [u8])> {
        let own = self.associations.get(&item).into_iter().flatten();
        own.filter_map(|&(is_essential, number)| {
            let (name, data) = self.all.get(usize::from(number).checked_sub(1)?)?;
            Some((is_essential, name, *data))
        })
    }
}
