//! ThumbHash: a blurred image in about 28 bytes, which pages show until the thumbnail is there
//! (<https://evanw.github.io/thumbhash/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thumbhash::rgba_to_thumb_hash;

use crate::image::pixels::{Bitmap, Shrink, Side, weighted};

/// The longest side of the bitmap that is hashed. The hash has at most seven waves a side, so more pixels add nothing.
const SIDE: u32 = 32;

/// The ThumbHash of a bitmap, as base64.
pub(super) fn thumbhash(bitmap: &Bitmap) -> String {
    let longest = bitmap.width.max(bitmap.height).max(SIDE);
    let scaled = |side: u32| (side * SIDE / longest).max(1);
    let (width, height) = (scaled(bitmap.width), scaled(bitmap.height));
    let mut shrink = Shrink::new(
        Side::new(bitmap.width, width),
        Side::new(bitmap.height, height),
    );
    let rows = bitmap.pixels.chunks_exact(bitmap.width as usize);
    for (y, row) in rows.enumerate() {
        shrink.row(y, (0, 1), row.iter().map(|&pixel| weighted(pixel)));
    }
    let small = Bitmap::from_weighted(width, height, shrink.finish());
    let hash = rgba_to_thumb_hash(width as usize, height as usize, small.pixels.as_flattened());
    STANDARD.encode(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn average(bitmap: &Bitmap) -> [u8; 4] {
        let hash = STANDARD.decode(thumbhash(bitmap)).unwrap();
        assert!(hash.len() <= 28, "{} bytes", hash.len());
        let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(&hash).unwrap();
        [red, green, blue, alpha].map(|value| (value * 255.0).round() as u8)
    }

    #[test]
    fn a_hash_has_the_colour_of_its_image_whatever_the_shape() {
        let colour = [200, 60, 20, 255];
        for (width, height) in [(1, 1), (512, 512), (512, 1), (3, 500), (40, 30)] {
            let pixels = vec![colour; (width * height) as usize];
            let bitmap = Bitmap {
                width,
                height,
                pixels,
            };
            let average = average(&bitmap);
            for (is, was) in average.into_iter().zip(colour) {
                assert!(is.abs_diff(was) < 12, "{width} × {height}: {average:?}");
            }
        }
    }

    #[test]
    fn a_hash_keeps_transparency() {
        let mut pixels = vec![[0, 0, 255, 255]; 100];
        pixels[..50].fill([0; 4]);
        let bitmap = Bitmap {
            width: 10,
            height: 10,
            pixels,
        };
        assert!(average(&bitmap)[3].abs_diff(128) < 24);
    }
}
