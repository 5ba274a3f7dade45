//! A small bitmap that is held as a whole.

use super::shrink::{Shrink, Side};
use super::size::small_size;
use crate::image::limits::{Bounds, DecodeError};

/// Pixels with red, green, blue and opacity.
#[derive(Clone)]
pub(in crate::image) struct Bitmap {
    pub(in crate::image) width: u32,
    pub(in crate::image) height: u32,
    /// From left to right, row by row.
    pub(in crate::image) pixels: Vec<[u8; 4]>,
}

/// A pixel whose colours are multiplied by its opacity, as they are when means are made of them.
pub(in crate::image) fn weighted([red, green, blue, alpha]: [u8; 4]) -> [f32; 4] {
    let (red, green, blue) = (f32::from(red), f32::from(green), f32::from(blue));
    if alpha == 255 {
        return [red, green, blue, 255.0];
    }
    let opacity = f32::from(alpha) / 255.0;
    [
        red * opacity,
        green * opacity,
        blue * opacity,
        f32::from(alpha),
    ]
}

/// A number from 0 to 255, rounded.
fn byte(value: f32) -> u8 {
    // A cast from a float does not wrap around.
    (value + 0.5) as u8
}

impl Bitmap {
    /// From pixels that were made by [`weighted`], or of means of such.
    pub(in crate::image) fn from_weighted(width: u32, height: u32, pixels: Vec<[f32; 4]>) -> Self {
        let pixel = |[red, green, blue, alpha]: [f32; 4]| {
            let opacity = byte(alpha);
            if opacity == 0 {
                return [0; 4];
            }
            let [red, green, blue] = [red, green, blue].map(|colour| byte(colour * 255.0 / alpha));
            [red, green, blue, opacity]
        };
        Self {
            width,
            height,
            pixels: pixels.into_iter().map(pixel).collect(),
        }
    }

    /// From all pixels of a large one, row by row, with so many bytes each.
    pub(in crate::image) fn shrunk<const BYTES: usize>(
        size: (u32, u32),
        pixels: &[u8],
        bounds: Bounds,
        colour: impl Fn(&[u8; BYTES]) -> [u8; 4],
    ) -> Result<Self, DecodeError> {
        let (width, height) = small_size(size.0, size.1);
        let mut shrink = Shrink::new(Side::new(size.0, width), Side::new(size.1, height));
        let rows = pixels.as_chunks().0.chunks_exact(size.0 as usize);
        for (y, row) in rows.enumerate() {
            if y % 64 == 0 {
                bounds.check_time()?;
            }
            let pixels = row.iter().map(|pixel| weighted(colour(pixel)));
            shrink.row(y, (0, 1), pixels);
        }
        Ok(Self::from_weighted(width, height, shrink.finish()))
    }

    /// Returns `true` if nothing shines through.
    pub(in crate::image) fn is_opaque(&self) -> bool {
        self.pixels.iter().all(|&[.., alpha]| alpha == 255)
    }

    /// Turned and mirrored as its EXIF orientation wants it to be shown.
    pub(in crate::image) fn upright(self, orientation: u16) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        // The stored position of the pixel that is shown at x and y. `right` and `bottom` count from the other side.
        let from: fn(usize, usize, usize, usize) -> (usize, usize) = match orientation {
            2 => |x, y, right, _| (right - x, y),
            3 => |x, y, right, bottom| (right - x, bottom - y),
            4 => |x, y, _, bottom| (x, bottom - y),
            5 => |x, y, _, _| (y, x),
            6 => |x, y, _, bottom| (y, bottom - x),
            7 => |x, y, right, bottom| (right - y, bottom - x),
            8 => |x, y, right, _| (right - y, x),
            _ => return self,
        };
        let is_sideways = orientation > 4;
        let shown = if is_sideways {
            (height, width)
        } else {
            (width, height)
        };
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..shown.1 {
            for x in 0..shown.0 {
                let (x, y) = from(x, y, width - 1, height - 1);
                pixels.push(self.pixels[y * width + x]);
            }
        }
        let (width, height) = if is_sideways {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        };
        Self {
            width,
            height,
            pixels,
        }
    }
}
