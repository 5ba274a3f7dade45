//! Decoding of the (first) image as a whole, since the decoder does not hand out rows.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::error::ImageError;
use image::{AnimationDecoder as _, ColorType, ImageDecoder as _, Rgba};

use super::walk::Walk;
use crate::image::limits::{Bounds, DecodeError};
use crate::image::pixels::{Bitmap, Colours, Decoded};

pub(in crate::image::format) fn decode(
    bytes: &[u8],
    mut bounds: Bounds,
) -> Result<Decoded, DecodeError> {
    let walk = Walk::over(bytes).map_err(|_| DecodeError::Damaged)?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(failed)?;
    let size = decoder.dimensions();
    bounds.check_size(size.0, size.1)?;
    let colours = match decoder.icc_profile() {
        Ok(Some(profile)) => Colours::Profile(profile),
        _ => Colours::Srgb,
    };
    let is_animated = decoder.has_animation();
    let _turn = bounds.turn(size.0, size.1);
    bounds.check_time()?;
    let bitmap = if is_animated {
        // Browsers show the page behind the image, whatever background it asks for.
        decoder.set_background_color(Rgba([0; 4])).map_err(failed)?;
        let frame = decoder.into_frames().next().ok_or(DecodeError::Damaged)?;
        let frame = frame.map_err(failed)?;
        Bitmap::shrunk(size, frame.buffer(), bounds, |&pixel: &[u8; 4]| pixel)?
    } else {
        still(decoder, bounds)?
    };
    Ok(Decoded {
        bitmap,
        size,
        orientation: 1,
        is_animated,
        is_lossless: is_lossless(bytes),
        is_damaged: walk.is_damaged,
        colours,
    })
}

fn still(decoder: WebPDecoder<Cursor<&[u8]>>, bounds: Bounds) -> Result<Bitmap, DecodeError> {
    let size = decoder.dimensions();
    let colour_type = decoder.color_type();
    let length = usize::try_from(decoder.total_bytes()).map_err(|_| DecodeError::OverLimit)?;
    let mut pixels = vec![0; length];
    decoder.read_image(&mut pixels).map_err(failed)?;
    match colour_type {
        ColorType::Rgba8 => Bitmap::shrunk(size, &pixels, bounds, |&pixel: &[u8; 4]| pixel),
        _ => Bitmap::shrunk(size, &pixels, bounds, |&[red, green, blue]| {
            [red, green, blue, 255]
        }),
    }
}

/// Returns `true` if the first image is coded without loss.
fn is_lossless(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((&[ref name @ .., a, b, c, d], data)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        match name {
            b"VP8L" => return true,
            b"VP8 " => return false,
            b"ANMF" => return data.get(16..20) == Some(b"VP8L"),
            _ => {}
        }
        rest = data.get(length + length % 2..).unwrap_or_default();
    }
    false
}

fn failed(error: ImageError) -> DecodeError {
    drop(error);
    DecodeError::Damaged
}
