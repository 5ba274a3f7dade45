//! Writes the thumbnail, in the fewest bytes that do.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::ImageType;
use crate::image::pixels::Bitmap;

/// Of the thumbnails that are JPEG. The encoder keeps the colours of every pixel, so this looks like 80 elsewhere.
const QUALITY: u8 = 75;

/// The bitmap as JPEG, or as WebP without loss: if it is transparent, and if that is shorter, as it is for drawings.
pub(super) fn encode(
    bitmap: &Bitmap,
    profile: Option<Vec<u8>>,
    is_drawing_likely: bool,
) -> (Vec<u8>, ImageType) {
    if !bitmap.is_opaque() {
        return (webp(bitmap, profile), ImageType::Webp);
    }
    let jpeg = jpeg(bitmap, profile.clone());
    if is_drawing_likely {
        let webp = webp(bitmap, profile);
        if webp.len() <= jpeg.len() {
            return (webp, ImageType::Webp);
        }
    }
    (jpeg, ImageType::Jpeg)
}

const NOTHING_FAILS: &str = "a bitmap of up to 512 pixels a side can be written to memory";

fn jpeg(bitmap: &Bitmap, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).expect(NOTHING_FAILS);
    }
    let is_gray = bitmap
        .pixels
        .iter()
        .all(|&[red, green, blue, _]| red == green && green == blue);
    let channels = if is_gray { 1 } else { 3 };
    let kind = if is_gray {
        ExtendedColorType::L8
    } else {
        ExtendedColorType::Rgb8
    };
    let pixels: Vec<u8> = bitmap
        .pixels
        .iter()
        .flat_map(|pixel| &pixel[..channels])
        .copied()
        .collect();
    encoder
        .write_image(&pixels, bitmap.width, bitmap.height, kind)
        .expect(NOTHING_FAILS);
    bytes
}

pub(super) fn webp(bitmap: &Bitmap, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).expect(NOTHING_FAILS);
    }
    let kind = ExtendedColorType::Rgba8;
    let pixels = bitmap.pixels.as_flattened();
    let done = if bitmap.is_opaque() {
        let pixels: Vec<u8> = pixels
            .as_chunks::<4>()
            .0
            .iter()
            .flat_map(|pixel| &pixel[..3])
            .copied()
            .collect();
        encoder.write_image(
            &pixels,
            bitmap.width,
            bitmap.height,
            ExtendedColorType::Rgb8,
        )
    } else {
        encoder.write_image(pixels, bitmap.width, bitmap.height, kind)
    };
    done.expect(NOTHING_FAILS);
    bytes
}
