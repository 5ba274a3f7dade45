//! Plans changes of a layout for the requests of a server.
//!
//! A reserved placement is not reserved again while its region is in use, so it does no harm if a server learns late of
//! the images of another one.

use super::area::Area;
use super::layout::{Layout, Move, OpenPlacement};
use super::nearest::nearest;
use super::occupied::Occupied;
use super::rows::{GAP, ROW_HEIGHT, Size};
use crate::image::ImageId;

/// The position that an uploader asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wanted {
    /// The next free placement of the layout.
    Next,
    /// The free placement nearest to this position of the left and top edges.
    Near(f64, f64),
    /// Exactly this position, even if it covers other images.
    At(f64, f64),
}

/// The images that are known do not suffice for a decision: they must be read from the database first.
#[derive(Debug, PartialEq)]
pub(super) struct Stale;

/// Plans changes of a layout.
pub(super) struct Planner<'a> {
    pub(super) layout: Layout,
    pub(super) occupied: &'a Occupied,
    /// `occupied` was read after the layout, so it contains every image that was stored in a placement that was
    /// reserved before.
    pub(super) is_fresh: bool,
}

impl Planner<'_> {
    /// Gives an upload a placement, or returns the one that it has, unless somebody has moved an image there since.
    ///
    /// # Errors
    ///
    /// [`Stale`] if the decision needs all images and `is_fresh` is not set. The plan must then be made anew.
    pub(super) fn place(
        &mut self,
        id: ImageId,
        size: Size,
        wanted: Wanted,
        until: i64,
    ) -> Result<Area, Stale> {
        if let (Some(open), Wanted::Next | Wanted::Near(..)) = (self.layout.open.get(&id), wanted) {
            let area = open.area;
            if !self.holds_image(area, id) {
                return Ok(area);
            }
            self.require_fresh()?;
        }
        self.release(id);
        let natural = size.area_in(ROW_HEIGHT, 0.0, 0.0);
        let area = match wanted {
            Wanted::Next => self.next(id, size)?,
            Wanted::At(x, y) => Area { x, y, ..natural },
            Wanted::Near(x, y) => self.nearest(id, Area { x, y, ..natural })?,
        };
        let open = OpenPlacement {
            area,
            until,
            is_chosen: wanted != Wanted::Next,
        };
        self.layout.open.insert(id, open);
        Ok(area)
    }

    /// Notes that an image has been stored at `area`. A chosen placement stays reserved until `until`, because other
    /// servers learn of the image later.
    pub(super) fn confirm(&mut self, id: ImageId, area: Area, until: i64) {
        let Some(open) = self.layout.open.get_mut(&id) else {
            return;
        };
        let to = open.area;
        if open.is_chosen {
            open.until = open.until.min(until);
        } else {
            self.layout.open.remove(&id);
        }
        self.move_image(id, area, to);
    }

    /// Takes back the placement of an upload that has ended without an image.
    pub(super) fn release(&mut self, id: ImageId) {
        if self.layout.open.remove(&id).is_none() {
            return;
        }
        if let Some(row) = &mut self.layout.row {
            row.images.retain(|image| image.id != id);
        }
    }

    /// Forgets the placements of uploads that have taken too long.
    pub(super) fn forget(&mut self, now: i64) {
        let open = self.layout.open.iter();
        let expired = open
            .filter(|(_, open)| open.until <= now)
            .map(|(&id, _)| id);
        for id in expired.collect::<Vec<ImageId>>() {
            let is_chosen = self.layout.open.get(&id).is_some_and(|open| open.is_chosen);
            if is_chosen {
                self.layout.open.remove(&id);
            } else {
                self.release(id);
            }
        }
    }

    fn nearest(&self, id: ImageId, wanted: Area) -> Result<Area, Stale> {
        self.require_fresh()?;
        Ok(nearest(wanted, |area| {
            !self.is_covered(area.grown(GAP), |other| other == id)
        }))
    }

    pub(super) fn move_image(&mut self, id: ImageId, from: Area, to: Area) {
        if to.is_at(from) {
            return;
        }
        let planned = self.layout.moves.entry(id).or_insert(Move {
            from: Vec::new(),
            to,
        });
        planned.from.push(from);
        planned.to = to;
    }

    /// The area of an image after the planned moves.
    pub(super) fn after_moves(&self, id: ImageId, area: Area) -> Area {
        match self.layout.moves.get(&id) {
            Some(planned) if planned.from.iter().any(|from| from.is_at(area)) => planned.to,
            _ => area,
        }
    }

    /// Returns `true` if an image other than `id` is stored in `area`.
    fn holds_image(&self, area: Area, id: ImageId) -> bool {
        self.occupied
            .overlapping(area)
            .any(|(other, stored)| other != id && self.after_moves(other, stored).overlaps(area))
    }

    pub(super) fn is_covered(&self, area: Area, except: impl Fn(ImageId) -> bool) -> bool {
        self.covering(area, except).is_some()
    }

    /// Returns the image or open placement in `area` that reaches down the farthest.
    pub(super) fn covering(&self, area: Area, except: impl Fn(ImageId) -> bool) -> Option<Area> {
        let open = self.layout.open.iter().map(|(&id, open)| (id, open.area));
        let stored = self.occupied.overlapping(area);
        let stored = stored.map(|(id, other)| (id, self.after_moves(id, other)));
        let mut covering: Option<Area> = None;
        for (id, other) in stored.chain(open).filter(|(_, other)| other.overlaps(area)) {
            let is_lower = covering.is_none_or(|lowest| other.bottom() > lowest.bottom());
            if is_lower && !except(id) {
                covering = Some(other);
            }
        }
        covering
    }

    pub(super) fn require_fresh(&self) -> Result<(), Stale> {
        if self.is_fresh { Ok(()) } else { Err(Stale) }
    }
}
