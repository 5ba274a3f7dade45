//! Adds images without a position: fills justified rows, in regions that keep the board about as wide as a screen.
//!
//! Rows fill a *region* from top to bottom, and images fill a row from left to right at the height [`ROW_HEIGHT`]. The
//! image that exceeds the width of the region completes the row: all images of the row are scaled to fill the width.
//! When a region is full, the next one lies right of the images on the board or below them, whichever brings the whole
//! closer to the proportions of a screen.
//!
//! A row is only opened where its whole area is free, and no image is placed on another.

use super::area::Area;
use super::layout::{Region, Row};
use super::planner::{Planner, Stale};
use super::rows::{
    GAP, ROW_GAP, ROW_HEIGHT, RowImage, Size, TALLEST_ROW, is_row_height, justified_height,
};
use crate::image::ImageId;

/// Width of the first region, in board units: four photos.
const FIRST_WIDTH: f64 = 1280.0;

/// The board grows downwards while it is wider than this, in proportion to its height, and then to the right up to
/// [`WIDEST`]. A screen of 16:10 lies in between.
const NARROWEST: f64 = 1.35;
const WIDEST: f64 = 1.9;

/// The least width of a region right of the images: about two photos.
const MIN_STRIP: f64 = 500.0;

impl Planner<'_> {
    /// Places an image at the end of the rows.
    pub(super) fn next(&mut self, id: ImageId, size: Size) -> Result<Area, Stale> {
        if self.occupied.is_empty() && self.layout.open.is_empty() && self.layout.region.is_some() {
            self.require_fresh()?;
            (self.layout.region, self.layout.row) = (None, None);
        }
        loop {
            let row = self.open_row(size)?;
            let region = self.layout.region.map_or(0.0, |region| region.area.right());
            let left = self.layout.region.map_or(0.0, |region| region.area.x);
            let end = row.images.iter().map(|image| image.area.right());
            let x = end.reduce(f64::max).map_or(left, |end| end + GAP);
            let area = size.area_in(ROW_HEIGHT, x, row.y);
            if area.right() <= region + 1e-6 || row.images.is_empty() {
                if self.is_covered(area, |other| self.is_in_row(other)) {
                    // Somebody has put an image where the row would continue.
                    self.close_row(None);
                    continue;
                }
                self.append(RowImage { id, size, area });
                return Ok(area);
            }
            if let Some(area) = self
                .compact_row(id, size)
                .or_else(|| self.complete_row(size))
            {
                return Ok(area);
            }
        }
    }

    /// Returns the row that is being filled, or opens one that has room for an image of this size.
    fn open_row(&mut self, size: Size) -> Result<Row, Stale> {
        if let Some(row) = &self.layout.row {
            if !self.is_abandoned(row) {
                return Ok(row.clone());
            }
            self.require_fresh()?;
            (self.layout.row, self.layout.region) = (None, None);
        }
        if self
            .layout
            .region
            .is_some_and(|region| !self.is_beside_images(region))
        {
            self.require_fresh()?;
            self.layout.region = None;
        }
        loop {
            let region = self.region()?;
            let band = Area {
                y: region.next_y,
                w: region.area.w.max(size.width_in(ROW_HEIGHT)),
                h: TALLEST_ROW.max(size.height_in(ROW_HEIGHT)),
                ..region.area
            };
            if let Some(obstacle) = self.covering(band, |_| false) {
                self.advance(obstacle.bottom() + ROW_GAP);
                continue;
            }
            let row = Row {
                y: region.next_y,
                images: Vec::new(),
            };
            self.layout.row = Some(row.clone());
            return Ok(row);
        }
    }

    /// Returns a region with room for another row.
    fn region(&mut self) -> Result<Region, Stale> {
        let has_room = |region: &Region| region.next_y + ROW_HEIGHT / 2.0 <= region.area.bottom();
        if let Some(region) = self.layout.region.filter(has_room) {
            return Ok(region);
        }
        self.require_fresh()?;
        // A region in which no image could be placed counts too, so that the next one differs.
        let region = self.next_region(self.layout.region.map(|region| Area {
            h: region.next_y - ROW_GAP - region.area.y,
            ..region.area
        }));
        self.layout.region = Some(region);
        Ok(region)
    }

    /// Returns `false` if the images have been moved away from a region, as by tidying the board.
    fn is_beside_images(&self, region: Region) -> bool {
        let placed = self.bounds();
        placed.is_none_or(|bounds| bounds.grown(2.0 * ROW_HEIGHT).overlaps(region.area))
    }

    fn next_region(&self, filled: Option<Area>) -> Region {
        let bounds = match (self.bounds(), filled) {
            (Some(bounds), Some(filled)) => bounds.union(filled),
            (bounds, filled) => match bounds.or(filled) {
                Some(bounds) => bounds,
                None => {
                    let h = FIRST_WIDTH / NARROWEST;
                    let (x, y, w) = (0.0, 0.0, FIRST_WIDTH);
                    return region(Area { x, y, w, h });
                }
            },
        };
        let w = bounds.w.max(FIRST_WIDTH);
        if bounds.h + ROW_GAP + ROW_HEIGHT / 2.0 <= w / NARROWEST {
            return region(Area {
                x: bounds.x,
                y: bounds.bottom() + ROW_GAP,
                w,
                h: w / NARROWEST - bounds.h - ROW_GAP,
            });
        }
        let strip = bounds.h * WIDEST - bounds.w - GAP;
        region(Area {
            x: bounds.right() + GAP,
            y: bounds.y,
            w: strip.clamp(MIN_STRIP, w),
            h: bounds.h,
        })
    }

    /// The bounds of the images on the board and of the uploads in progress.
    fn bounds(&self) -> Option<Area> {
        let open = self.layout.open.values();
        let open = open.filter(|open| !open.is_chosen).map(|open| open.area);
        self.occupied
            .bounds()
            .into_iter()
            .chain(open)
            .reduce(Area::union)
    }

    fn append(&mut self, image: RowImage) {
        if let Some(row) = &mut self.layout.row {
            row.images.push(image);
        }
    }

    /// Moves on to the next row of the region.
    fn advance(&mut self, next_y: f64) {
        if let Some(region) = &mut self.layout.region {
            region.next_y = region.next_y.max(next_y);
        }
    }

    /// Closes the gaps that moved images and canceled uploads have left in the row, if that makes room for an image.
    /// Returns the area of the image.
    fn compact_row(&mut self, id: ImageId, size: Size) -> Option<Area> {
        let row = self.layout.row.clone()?;
        let width = self.layout.region?.area.right();
        let images = self.images_in_place(&row);
        let areas = self.areas_with(&row, &images, size, ROW_HEIGHT);
        let area = *areas.last()?;
        if area.right() > width + 1e-6 || !self.are_free(&areas) {
            return None;
        }
        self.move_images(&images, &areas);
        let images = images.iter().zip(&areas);
        let images = images.map(|(image, &area)| RowImage { area, ..*image });
        self.layout.row = Some(Row {
            images: images.chain([RowImage { id, size, area }]).collect(),
            ..row
        });
        Some(area)
    }

    /// Completes the row with an image, or without it if the row then keeps its height better. Returns the area of the
    /// image if the row contains it.
    fn complete_row(&mut self, size: Size) -> Option<Area> {
        let row = self.layout.row.clone()?;
        let width = self.layout.region?.area.w;
        let images = self.images_in_place(&row);
        let mut sizes: Vec<Size> = images.iter().map(|image| image.size).collect();
        let without = justified_height(&sizes, width);
        sizes.push(size);
        let with = justified_height(&sizes, width);
        let change = |height: f64| (height / ROW_HEIGHT).ln().abs();
        let takes_image = is_row_height(with) && change(with) <= change(without);
        if !takes_image {
            self.close_row(is_row_height(without).then_some(without));
            return None;
        }
        let areas = self.areas_with(&row, &images, size, with);
        if !self.are_free(&areas) {
            self.close_row(None);
            return None;
        }
        let area = *areas.last()?;
        self.move_images(&images, &areas);
        self.end_row(&row, &areas);
        Some(area)
    }

    /// Ends the row, scaled to `height`, or as it is if there is no height that fills the width.
    fn close_row(&mut self, height: Option<f64>) {
        let Some(row) = self.layout.row.clone() else {
            return;
        };
        let images = self.images_in_place(&row);
        let areas =
            height.map(|height| self.areas_of(&row, images.iter().map(|image| image.size), height));
        match areas.filter(|areas| self.are_free(areas)) {
            Some(areas) => {
                self.move_images(&images, &areas);
                self.end_row(&row, &areas);
            }
            None => {
                let areas: Vec<Area> = row.images.iter().map(|image| image.area).collect();
                self.end_row(&row, &areas);
            }
        }
    }

    /// The areas of images of these sizes, side by side from the start of a row of this height.
    fn areas_of(&self, row: &Row, sizes: impl Iterator<Item = Size>, height: f64) -> Vec<Area> {
        let mut x = self.layout.region.map_or(0.0, |region| region.area.x);
        let mut next = |size: Size| {
            let area = size.area_in(height, x, row.y);
            x += size.width_in(height) + GAP;
            area
        };
        sizes.map(&mut next).collect()
    }

    /// The areas of the images of a row and of one that follows them.
    fn areas_with(&self, row: &Row, images: &[RowImage], last: Size, height: f64) -> Vec<Area> {
        let sizes = images.iter().map(|image| image.size).chain([last]);
        self.areas_of(row, sizes, height)
    }

    fn images_in_place(&self, row: &Row) -> Vec<RowImage> {
        let images = row.images.iter();
        images
            .filter(|image| self.is_in_place(image))
            .copied()
            .collect()
    }

    fn are_free(&self, areas: &[Area]) -> bool {
        let is_covered = |area: &Area| self.is_covered(*area, |other| self.is_in_row(other));
        !areas.iter().any(is_covered)
    }

    /// Moves images to the first of these areas.
    fn move_images(&mut self, images: &[RowImage], areas: &[Area]) {
        for (image, &to) in images.iter().zip(areas) {
            if let Some(open) = self.layout.open.get_mut(&image.id) {
                open.area = to;
            }
            self.move_image(image.id, image.area, to);
        }
    }

    fn end_row(&mut self, row: &Row, areas: &[Area]) {
        let bottom = areas.iter().map(|area| area.bottom()).reduce(f64::max);
        let next_y = bottom.unwrap_or(row.y + ROW_HEIGHT) + ROW_GAP;
        self.layout.row = None;
        self.advance(next_y);
    }

    /// Returns `true` if none of the images of a row lies in it any more, as after tidying the board.
    fn is_abandoned(&self, row: &Row) -> bool {
        !row.images.is_empty() && !row.images.iter().any(|image| self.is_in_place(image))
    }

    /// Returns `true` for an image that nobody has moved. One that is not stored yet, or not known here, is in its
    /// place.
    fn is_in_place(&self, image: &RowImage) -> bool {
        let area = self.occupied.area_of(image.id);
        area.is_none_or(|area| self.after_moves(image.id, area).is_at(image.area))
    }

    /// Returns `true` for the images of the current row that lie in it. The others are obstacles.
    fn is_in_row(&self, id: ImageId) -> bool {
        let mut images = self.layout.row.iter().flat_map(|row| &row.images);
        images.any(|image| image.id == id && self.is_in_place(image))
    }
}

fn region(area: Area) -> Region {
    Region {
        area,
        next_y: area.y,
    }
}
