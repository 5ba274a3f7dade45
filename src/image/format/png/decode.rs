//! Decoding row by row, interlaced or not, so that the image is never in memory as a whole.

use std::io::Cursor;

use ::png::{ColorType, DecodingError, Info, Reader, Transformations};

use super::walk::{decoder, walk};
use crate::image::limits::{Bounds, DecodeError};
use crate::image::pixels::{Bitmap, Colours, Decoded, Shrink, Side, small_size, weighted};

/// Adam7: the first column, the first row, and the distances between columns and rows of each pass (PNG specification,
/// 8.1).
const PASSES: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

pub(in crate::image::format) fn decode(
    bytes: &[u8],
    bounds: Bounds,
) -> Result<Decoded, DecodeError> {
    let mut decoder = decoder(bytes, false);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| failed(&error))?;
    let info = reader.info();
    let size = (info.width, info.height);
    bounds.check_size(size.0, size.1)?;
    let (_, orientation, is_damaged) = walk(bytes);
    let colours = colours(info);
    let is_animated = info.animation_control.is_some();
    // The image that is shown where animations are unknown need not be a frame of the animation.
    if is_animated && info.frame_control.is_none() {
        reader.next_frame_info().map_err(|error| failed(&error))?;
    }
    let (width, height) = small_size(size.0, size.1);
    let mut shrink = Shrink::new(Side::new(size.0, width), Side::new(size.1, height));
    let is_complete = read_rows(&mut reader, &mut shrink, bounds)?;
    Ok(Decoded {
        bitmap: Bitmap::from_weighted(width, height, shrink.finish()),
        size,
        orientation,
        is_animated,
        is_lossless: true,
        is_damaged: is_damaged || !is_complete,
        colours,
    })
}

/// Reads the current frame. Returns whether it is complete; what is missing stays transparent.
fn read_rows(
    reader: &mut Reader<Cursor<&[u8]>>,
    shrink: &mut Shrink<4>,
    bounds: Bounds,
) -> Result<bool, DecodeError> {
    let (colour_type, _) = reader.output_color_type();
    let info = reader.info();
    let frame = info.frame_control.as_ref();
    let (left, top) = frame.map_or((0, 0), |frame| (frame.x_offset, frame.y_offset));
    let (width, height) = frame.map_or((info.width, info.height), |frame| {
        (frame.width, frame.height)
    });
    let passes = if info.interlaced {
        &PASSES[..]
    } else {
        &[(0, 0, 1, 1)]
    };
    let mut has_rows = false;
    for &(x, y, dx, dy) in passes {
        // A pass without columns has no rows either.
        let lines = (y..height as usize).step_by(dy);
        for (count, line) in lines.filter(|_| x < width as usize).enumerate() {
            if count % 64 == 0 {
                bounds.check_time()?;
            }
            match reader.next_interlaced_row() {
                Ok(Some(row)) => {
                    let (x, line) = (left as usize + x, top as usize + line);
                    add_row(shrink, line, (x, dx), row.data(), colour_type);
                }
                _ if has_rows => return Ok(false),
                Ok(None) => return Err(DecodeError::Damaged),
                Err(error) => return Err(failed(&error)),
            }
            has_rows = true;
        }
    }
    Ok(true)
}

fn add_row(
    shrink: &mut Shrink<4>,
    line: usize,
    columns: (usize, usize),
    row: &[u8],
    colour_type: ColorType,
) {
    match colour_type {
        ColorType::Grayscale | ColorType::Indexed => {
            let pixels = row.iter().map(|&gray| weighted([gray, gray, gray, 255]));
            shrink.row(line, columns, pixels);
        }
        ColorType::GrayscaleAlpha => {
            let pixels = row.as_chunks().0.iter();
            let pixels = pixels.map(|&[gray, alpha]| weighted([gray, gray, gray, alpha]));
            shrink.row(line, columns, pixels);
        }
        ColorType::Rgb => {
            let pixels = row.as_chunks().0.iter();
            let pixels = pixels.map(|&[red, green, blue]| weighted([red, green, blue, 255]));
            shrink.row(line, columns, pixels);
        }
        ColorType::Rgba => {
            let pixels = row.as_chunks().0.iter().map(|&pixel| weighted(pixel));
            shrink.row(line, columns, pixels);
        }
    }
}

/// In the order of precedence (PNG specification, 4.3).
fn colours(info: &Info<'_>) -> Colours {
    if let Some(points) = info.coding_independent_code_points {
        return Colours::CodePoints {
            primaries: points.color_primaries,
            transfer: points.transfer_function,
        };
    }
    if let Some(profile) = &info.icc_profile {
        return Colours::Profile(profile.to_vec());
    }
    if info.srgb.is_some() {
        return Colours::Srgb;
    }
    let point = |(x, y): (::png::ScaledFloat, ::png::ScaledFloat)| (x.into_value(), y.into_value());
    match info.gama_chunk {
        Some(gamma) => Colours::Gamma {
            gamma: gamma.into_value(),
            primaries: info
                .chrm_chunk
                .map(|points| [points.white, points.red, points.green, points.blue].map(point)),
        },
        None => Colours::Srgb,
    }
}

fn failed(error: &DecodingError) -> DecodeError {
    match error {
        DecodingError::LimitsExceeded => DecodeError::OverLimit,
        _ => DecodeError::Damaged,
    }
}
