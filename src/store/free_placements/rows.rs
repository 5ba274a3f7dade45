//! The geometry of justified rows: images of one height side by side, as wide together as the row.

use serde::{Deserialize, Serialize};

use super::area::{Area, tile_aspect};
use crate::image::{ImageId, SHOWN_WIDTHS};

/// Height of a row that is not full yet, in board units.
pub(super) const ROW_HEIGHT: f64 = 240.0;

/// The heights to which a full row may be scaled.
const ROW_HEIGHTS: std::ops::RangeInclusive<f64> = 120.0..=300.0;

/// The greatest height of a row, which is kept free for it.
pub(super) const TALLEST_ROW: f64 = *ROW_HEIGHTS.end();

/// Distance between the images of a row.
pub(super) const GAP: f64 = 16.0;

/// Distance between two rows. Names and captions stand in it.
pub(super) const ROW_GAP: f64 = 40.0;

/// The size of an image to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Size {
    /// Width of the tile divided by its height.
    aspect: f64,
    /// Greatest height at which the image is not enlarged, or the height that was requested.
    height: f64,
    /// Not scaled with its row, because its width was requested.
    is_fixed: bool,
}

impl Size {
    /// The size of an image of `width` × `height` pixels, at the requested width if there is one.
    pub(crate) fn of(width: u32, height: u32, requested: Option<f64>) -> Self {
        let aspect = tile_aspect(width, height);
        let natural = f64::from(height).min(f64::from(width) / aspect);
        // Even a single pixel gets the least width that an image may have.
        let natural = natural.max(SHOWN_WIDTHS.start() / aspect);
        Self {
            aspect,
            height: requested.map_or(natural, |w| w / aspect),
            is_fixed: requested.is_some(),
        }
    }

    /// Height in a row of height `row`.
    pub(super) fn height_in(self, row: f64) -> f64 {
        if self.is_fixed {
            self.height
        } else {
            self.height.min(row)
        }
    }

    /// Width in a row of height `row`.
    pub(super) fn width_in(self, row: f64) -> f64 {
        self.height_in(row) * self.aspect
    }

    /// Returns `true` if the image fills `area` without being enlarged.
    pub(super) fn fits(self, area: Area) -> bool {
        (self.width_in(area.h) - area.w).abs() < 1.0
    }

    /// The area of the image in a row of height `row` whose top is `y`, centred vertically.
    pub(super) fn area_in(self, row: f64, x: f64, y: f64) -> Area {
        let (w, h) = (self.width_in(row), self.height_in(row));
        // The gap absorbs the rounding.
        let round = |value: f64| (value * 100.0).round() / 100.0;
        Area {
            x: round(x),
            y: round(y + ((row - h) / 2.0).max(0.0)),
            w: round(w),
            h,
        }
    }
}

/// An image of a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct RowImage {
    pub(super) id: ImageId,
    pub(super) size: Size,
    /// The area that it was given.
    pub(super) area: Area,
}

/// Height at which a row of these sizes is as wide as `width`; outside the permitted heights if there is none.
pub(super) fn justified_height(sizes: &[Size], width: f64) -> f64 {
    let gaps = GAP * sizes.len().saturating_sub(1) as f64;
    let width_at = |height| sizes.iter().map(|size| size.width_in(height)).sum::<f64>() + gaps;
    let (mut low, mut high) = (0.0, 2.0 * TALLEST_ROW);
    if width_at(high) < width {
        return f64::INFINITY;
    }
    // The width grows with the height. Fifty halvings are exact to a billionth of a unit.
    for _ in 0..50 {
        let middle = (low + high) / 2.0;
        if width_at(middle) > width {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

/// Returns `true` if a full row may have this height.
pub(super) fn is_row_height(height: f64) -> bool {
    ROW_HEIGHTS.contains(&height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size::of(width, height, None)
    }

    #[test]
    fn no_image_is_enlarged_beyond_its_pixels() {
        let area = |size: Size| size.area_in(240.0, 0.0, 0.0);
        let photo = area(size(4000, 3000));
        assert_eq!((photo.w, photo.h, photo.y), (320.0, 240.0, 0.0));
        let icon = area(size(32, 32));
        assert_eq!((icon.w, icon.h, icon.y), (32.0, 32.0, 104.0));
        // A row that is scaled up does not take it along.
        assert_eq!(size(400, 250).height_in(300.0), 250.0);
        assert_eq!(area(size(1, 1)).w, 16.0);
        assert!(size(32, 32).fits(icon) && size(3000, 4000).fits(area(size(3000, 4000))));
        assert!(!size(32, 32).fits(photo) && !size(3000, 4000).fits(photo));
    }

    #[test]
    fn an_extreme_image_has_a_tile_of_sensible_shape() {
        let area = |size: Size| size.area_in(240.0, 0.0, 0.0);
        assert_eq!(area(size(1_000, 15_000)).w, 80.0);
        assert_eq!(area(size(20_000, 500)).w, 960.0);
        // The tile shows the middle of the image at its own size: 100 × 300 of 100 × 9,000 pixels.
        assert_eq!(area(size(100, 9_000)).h, 240.0);
        assert_eq!(size(100, 9_000).height_in(1_000.0), 300.0);
        assert_eq!(size(9_000, 100).width_in(1_000.0), 400.0);
    }

    #[test]
    fn a_requested_width_is_kept_in_every_row() {
        let size = Size::of(100, 50, Some(500.0));
        for row in [100.0, 240.0, 600.0] {
            assert_eq!((size.width_in(row), size.height_in(row)), (500.0, 250.0));
        }
        assert_eq!(size.area_in(240.0, 0.0, 7.0).y, 7.0);
        assert!(size.fits(size.area_in(240.0, 0.0, 7.0)));
    }

    #[test]
    fn a_justified_row_is_exactly_as_wide_as_wanted() {
        let photos = [size(4000, 3000), size(3000, 4000), size(4000, 2250)];
        let height = justified_height(&photos, 1000.0);
        let total: f64 = photos.iter().map(|size| size.width_in(height)).sum();
        assert!((total + 2.0 * GAP - 1000.0).abs() < 1e-6, "{total}");
        assert!(is_row_height(height), "{height}");
        // Icons cannot fill a row.
        assert_eq!(justified_height(&[size(32, 32); 3], 1000.0), f64::INFINITY);
        assert!(!is_row_height(f64::INFINITY));
    }
}
