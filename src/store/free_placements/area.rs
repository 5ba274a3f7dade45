//! Rectangles on the board.

use serde::{Deserialize, Serialize};

/// The bounds of a tile's aspect ratio (width divided by height). The tile of a more extreme image shows its middle.
const TILE_ASPECTS: std::ops::RangeInclusive<f64> = 1.0 / 3.0..=4.0;

/// A rectangle on the board, in board units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

/// The aspect ratio of the tile of an image of `width` × `height` pixels.
pub(super) fn tile_aspect(width: u32, height: u32) -> f64 {
    let aspect = f64::from(width.max(1)) / f64::from(height.max(1));
    aspect.clamp(*TILE_ASPECTS.start(), *TILE_ASPECTS.end())
}

impl Area {
    pub(super) fn right(self) -> f64 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> f64 {
        self.y + self.h
    }

    /// Returns `true` if the areas have a point in common. Areas that only touch do not overlap.
    pub(super) fn overlaps(self, other: Self) -> bool {
        self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// The area with a margin on each side.
    pub(super) fn grown(self, margin: f64) -> Self {
        Self {
            x: self.x - margin,
            y: self.y - margin,
            w: self.w + 2.0 * margin,
            h: self.h + 2.0 * margin,
        }
    }

    /// The smallest area that contains both.
    pub(super) fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self {
            x,
            y,
            w: self.right().max(other.right()) - x,
            h: self.bottom().max(other.bottom()) - y,
        }
    }

    /// Returns `true` if both have the same position and width, up to the rounding of their sums.
    pub(super) fn is_at(self, other: Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        near(self.x, other.x) && near(self.y, other.y) && near(self.w, other.w)
    }
}
