//! Smaller versions of a thumbnail, for a board that is shown at a distance.

use std::panic::catch_unwind;

use bytes::Bytes;
use mozjpeg::{ColorSpace, Compress};

use super::encode::webp;
use crate::image::format;
use crate::image::limits::{Bounds, Limits};
use crate::image::pixels::{Bitmap, MAX_SIDE, Shrink, Side, weighted};
use crate::image::{ImageType, sniff};

/// With `mozjpeg`'s tables. Detail is invisible at this size.
const QUALITY: f32 = 72.0;

/// The longest side of a smaller thumbnail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SmallSide {
    /// 64 pixels, about 1 kB.
    Px64,
    /// 160 pixels, about 4 kB.
    Px160,
}

impl SmallSide {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Px64, Self::Px160];

    /// The number of pixels.
    pub fn pixels(self) -> u32 {
        match self {
            Self::Px64 => 64,
            Self::Px160 => 160,
        }
    }
}

/// Makes a thumbnail smaller, in sRGB and without metadata. Returns it as it is if it is small already, or cannot be
/// decoded.
///
/// `thumbnail` is a stored thumbnail, or an image that is its own. Takes some milliseconds.
pub fn smaller(thumbnail: &Bytes, side: SmallSide) -> Bytes {
    let made = sniff(thumbnail).and_then(|kind| made(thumbnail, kind, side.pixels()));
    match made {
        Some(bytes) if bytes.len() < thumbnail.len() => bytes.into(),
        _ => thumbnail.clone(),
    }
}

fn made(thumbnail: &Bytes, kind: ImageType, side: u32) -> Option<Vec<u8>> {
    if kind == ImageType::Avif {
        return None;
    }
    let limits = Limits {
        max_pixels: u64::from(MAX_SIDE * MAX_SIDE),
        ..Limits::default()
    };
    let decoded = format::decode(thumbnail, kind, Bounds::start(limits)).ok()?;
    let mut bitmap = shrunk(decoded.bitmap.upright(decoded.orientation), side);
    decoded.colours.convert_to_srgb(&mut bitmap);
    if bitmap.is_opaque() {
        jpeg(&bitmap)
    } else {
        Some(webp(&bitmap, None))
    }
}

fn shrunk(bitmap: Bitmap, side: u32) -> Bitmap {
    let longest = bitmap.width.max(bitmap.height);
    if longest <= side {
        return bitmap;
    }
    let scaled = |length: u32| ((length * side + longest / 2) / longest).max(1);
    let (width, height) = (scaled(bitmap.width), scaled(bitmap.height));
    let across = Side::new(bitmap.width, width);
    let mut shrink = Shrink::new(across, Side::new(bitmap.height, height));
    let rows = bitmap.pixels.chunks_exact(bitmap.width as usize);
    for (y, row) in rows.enumerate() {
        shrink.row(y, (0, 1), row.iter().map(|&pixel| weighted(pixel)));
    }
    Bitmap::from_weighted(width, height, shrink.finish())
}

/// With `mozjpeg`, whose files of this size are half as long as those of `image`: most of these is tables.
fn jpeg(bitmap: &Bitmap) -> Option<Vec<u8>> {
    let pixel = |&[red, green, blue, _]: &[u8; 4]| [red, green, blue];
    let pixels: Vec<u8> = bitmap.pixels.iter().flat_map(pixel).collect();
    let encode = || {
        let mut encoder = Compress::new(ColorSpace::JCS_RGB);
        encoder.set_size(bitmap.width as usize, bitmap.height as usize);
        encoder.set_quality(QUALITY);
        let mut encoder = encoder.start_compress(Vec::new()).ok()?;
        encoder.write_scanlines(&pixels).ok()?;
        encoder.finish().ok()
    };
    // The library reports its errors by unwinding.
    catch_unwind(encode).ok().flatten()
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbImage, Rgba, RgbaImage};

    use super::*;
    use crate::image::test_files::encoded;

    #[test]
    fn a_photo_becomes_a_small_jpeg_of_the_same_shape() {
        let photo = RgbImage::from_fn(512, 341, |x, y| {
            image::Rgb([(x / 2) as u8, (y / 2) as u8, (x * y) as u8])
        });
        let thumbnail = encoded(&photo.into(), ImageFormat::Jpeg);
        for (side, size, length) in [
            (SmallSide::Px64, (64, 43), 3000),
            (SmallSide::Px160, (160, 107), 12_000),
        ] {
            let small = smaller(&thumbnail, side);
            assert_eq!(sniff(&small), Some(ImageType::Jpeg));
            let decoded = image::load_from_memory(&small).unwrap().to_rgb8();
            assert_eq!(decoded.dimensions(), size);
            assert!(small.len() < length, "{}", small.len());
            // The mean of what it covers.
            let red = decoded.get_pixel(size.0 / 2, 5)[0];
            assert!(red.abs_diff(128) < 16, "{red}");
        }
    }

    #[test]
    fn transparency_is_kept() {
        let drawing = RgbaImage::from_fn(300, 100, |x, _| Rgba([200, 0, x as u8, (x % 256) as u8]));
        let thumbnail = encoded(&drawing.into(), ImageFormat::Png);
        let small = smaller(&thumbnail, SmallSide::Px64);
        let decoded = image::load_from_memory(&small).unwrap().to_rgba8();
        assert_eq!(decoded.dimensions(), (64, 21));
        assert!(decoded.get_pixel(2, 10)[3] < 32);
    }

    #[test]
    fn what_cannot_be_made_smaller_stays_as_it_is() {
        let tiny = encoded(&RgbImage::new(2, 2).into(), ImageFormat::Png);
        let broken = Bytes::from_static(b"\xff\xd8\xff\xe0 no JPEG");
        for bytes in [tiny, broken, Bytes::new()] {
            assert_eq!(smaller(&bytes, SmallSide::Px64), bytes);
        }
    }
}
