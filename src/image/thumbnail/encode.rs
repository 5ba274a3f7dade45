//! Writes the thumbnail, in the fewest bytes that do.

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use mozjpeg::{ColorSpace, Compress};

use super::ImageType;
use crate::image::pixels::Bitmap;

/// Of the thumbnails that are JPEG. They keep the colours of every pixel, so this looks like 80 elsewhere.
const QUALITY: f32 = 75.0;

/// The bitmap as JPEG, or as WebP without loss: if it is transparent, and if that is shorter, as it is for drawings.
pub(super) fn encode(
    bitmap: &Bitmap,
    profile: Option<Vec<u8>>,
    is_drawing_likely: bool,
) -> (Vec<u8>, ImageType) {
    if !bitmap.is_opaque() {
        return (webp(bitmap, profile), ImageType::Webp);
    }
    let jpeg = jpeg(bitmap, profile.as_deref());
    if is_drawing_likely {
        let webp = webp(bitmap, profile);
        if webp.len() <= jpeg.len() {
            return (webp, ImageType::Webp);
        }
    }
    (jpeg, ImageType::Jpeg)
}

const NOTHING_FAILS: &str = "a bitmap of up to 512 pixels a side can be written to memory";

fn jpeg(bitmap: &Bitmap, profile: Option<&[u8]>) -> Vec<u8> {
    let is_gray = bitmap
        .pixels
        .iter()
        .all(|&[red, green, blue, _]| red == green && green == blue);
    let mut encoder = Compress::new(if is_gray {
        ColorSpace::JCS_GRAYSCALE
    } else {
        ColorSpace::JCS_EXT_RGBA
    });
    // Trellis quantization takes ten times as long, which delays uploads.
    encoder.set_fastest_defaults();
    encoder.set_size(bitmap.width as usize, bitmap.height as usize);
    encoder.set_quality(QUALITY);
    if !is_gray {
        encoder.set_chroma_sampling_pixel_sizes((1, 1), (1, 1));
    }
    let mut encoder = encoder.start_compress(Vec::new()).expect(NOTHING_FAILS);
    if let Some(profile) = profile {
        encoder.write_icc_profile(profile);
    }
    let written = if is_gray {
        let pixels: Vec<u8> = bitmap.pixels.iter().map(|&[gray, ..]| gray).collect();
        encoder.write_scanlines(&pixels)
    } else {
        encoder.write_scanlines(bitmap.pixels.as_flattened())
    };
    written.expect(NOTHING_FAILS);
    encoder.finish().expect(NOTHING_FAILS)
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
