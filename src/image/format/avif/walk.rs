//! The walk over the parts of an AVIF.

use crate::image::bmff::{BoxAt, file_boxes};
use crate::image::format::inspected::Inspected;
use crate::image::format::parts::Parts;
use crate::image::{InvalidImage, Limits};

use super::plan::Plan;
use super::shown::{KIND, Shown};
use super::{items, tracks};

/// The least length of a box: that of its head.
const BOX_HEAD: usize = 8;

pub(in crate::image::format) fn inspect(
    source: &[u8],
    limits: Limits,
) -> Result<Inspected<'_>, InvalidImage> {
    let mut walk = Walk::over(source)?;
    let Shown { size, is_sideways } = walk.shown.ok_or(InvalidImage::Truncated(KIND))?;
    limits.check_size(KIND, size.0, size.1)?;
    walk.plan.check(walk.end)?;
    let mut parts = Parts::of(&source[..walk.end]);
    walk.plan.write(source, walk.end, &mut parts);
    Ok(Inspected {
        size,
        orientation: if is_sideways { 6 } else { 1 },
        is_damaged: walk.is_damaged || walk.plan.is_damaged,
        parts,
    })
}

struct Walk {
    plan: Plan,
    shown: Option<Shown>,
    is_damaged: bool,
    /// The end of the last box.
    end: usize,
}

impl Walk {
    fn over(source: &[u8]) -> Result<Self, InvalidImage> {
        let (found, mut end) = file_boxes(source)?;
        let mut plan = Plan::default();
        let (mut still, mut movie) = (None, None);
        let mut is_damaged = false;
        for found in &found {
            is_damaged |= found.is_cut;
            match &found.name {
                b"ftyp" => {}
                b"mdat" => plan.media.push(found.data.clone()),
                b"meta" | b"moov" if found.is_cut => return Err(InvalidImage::Truncated(KIND)),
                b"meta" => still = still.or(items::read(source, found, &mut plan)?),
                b"moov" if movie.is_none() => movie = Some(tracks::read(source, found, &mut plan)?),
                _ => plan.blank(found),
            }
        }
        // The file may be cut off inside the head of a box with pixels.
        let rest = end..source.len();
        if rest.len() < BOX_HEAD && plan.pictures.iter().any(|picture| picture.end > end) {
            end = rest.end;
            plan.media.push(rest);
        }
        let brands = found.first().map_or(&[][..], |ftyp| brands(source, ftyp));
        // Chromium waits for what the brands announce.
        if brands.contains(b"avif") && still.is_none()
            || brands.contains(b"avis") && movie.is_none()
        {
            return Err(InvalidImage::Truncated(KIND));
        }
        let movie = movie.unwrap_or_default();
        // The major brand says which of the two is the image, if there are both.
        let is_sequence = brands.first() == Some(b"avis") && movie.has_tracks;
        let shown = match still {
            Some(still) if !is_sequence => Some(still?),
            _ => movie.shown,
        };
        Ok(Self {
            plan,
            shown,
            is_damaged,
            end,
        })
    }
}

/// The major brand, the minor version (which is no brand), and the compatible brands.
fn brands<'a>(source: &'a [u8], ftyp: &BoxAt) -> &'a [[u8; 4]] {
    source[ftyp.data.clone()].as_chunks().0
}
