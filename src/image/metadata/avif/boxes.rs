//! Boxes (ISO/IEC 14496-12, 4.2) and where they lie in the file.

use std::ops::Range;

use super::{KIND, Unfit, damaged};
use crate::image::check::reader::Reader;

/// A box.
pub(super) struct Found {
    pub(super) name: [u8; 4],
    /// Where its name stands.
    pub(super) name_at: usize,
    /// Where its contents lie.
    pub(super) data: Range<usize>,
}

/// The most boxes side by side: the largest grid has an item for each of its 65,536 tiles.
const MAX_BOXES: usize = 200_000;

/// The boxes in this part of a file, and where the last of them ends: as in the board's check, what follows without looking
/// like a box is none.
pub(super) fn boxes(source: &[u8], place: Range<usize>) -> Result<(Vec<Found>, usize), Unfit> {
    let inside = source.get(place.clone()).ok_or(Unfit::Truncated(KIND))?;
    let mut reader = Reader::new(KIND, inside);
    let mut found = Vec::new();
    while reader.rest().len() >= 8 {
        let start = reader.position();
        let length = reader.be32()?;
        let name: [u8; 4] = reader.array()?;
        if !name
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
        {
            return Ok((found, place.start + start));
        }
        let whole = match length {
            0 => inside.len() - start,
            1 => usize::try_from(reader.be64()?).map_err(|_| Unfit::Truncated(KIND))?,
            length => length as usize,
        };
        let data = reader.position();
        let length = (start + whole.min(inside.len() + 1)).checked_sub(data);
        reader.take(length.ok_or(damaged("a box without a length"))?)?;
        if found.len() == MAX_BOXES {
            return Err(damaged("too many boxes"));
        }
        found.push(Found {
            name,
            name_at: place.start + start + 4,
            data: place.start + data..place.start + reader.position(),
        });
    }
    Ok((found, place.start + reader.position()))
}

/// The first box of this name among these.
pub(super) fn find<'a>(boxes: &'a [Found], name: &[u8; 4]) -> Option<&'a Found> {
    boxes.iter().find(|found| found.name == *name)
}
