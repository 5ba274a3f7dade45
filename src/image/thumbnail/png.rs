//! PNG: rows, interlaced or not, as they are inflated.

use std::io::Cursor;

use ::png::{
    ColorType, DecodeOptions, Decoder, DecodingError, Info, Limits, Reader, Transformations,
};

use super::colours::Colours;
use super::picture::{Picture, weighted};
use super::shrink::{Shrink, Side};
use super::{Bounds, Decoded, Unfit, small_size};

const KIND: &str = "PNG";

/// The decoder's memory: two rows, the inflater's window, and a colour profile. The same as in the board's check.
const DECODER_MEMORY: usize = 32 << 20;

/// Adam7: of each pass, the first column and row and how many columns and rows lie between two (PNG specification, 8.1).
const PASSES: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

pub(super) fn decode(bytes: &[u8], bounds: Bounds) -> Result<Decoded, Unfit> {
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(true);
    options.set_ignore_text_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(Limits {
        bytes: DECODER_MEMORY,
    });
    decoder.set_transformations(Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| unfit(&error))?;
    let info = reader.info();
    let size = (info.width, info.height);
    bounds.size(KIND, size.0, size.1)?;
    let orientation = orientation(bytes);
    let colours = colours(info);
    let is_animated = info.animation_control.is_some();
    // The picture that is shown where animations are unknown need not be a part of the animation.
    if is_animated && info.frame_control.is_none() {
        reader.next_frame_info().map_err(|error| unfit(&error))?;
    }
    let (width, height) = small_size(size.0, size.1);
    let mut shrink = Shrink::new(Side::new(size.0, width), Side::new(size.1, height));
    rows(&mut reader, &mut shrink, bounds)?;
    Ok(Decoded {
        picture: Picture::from_weighted(width, height, shrink.finish()),
        size,
        orientation,
        is_animated,
        is_lossless: true,
        colours,
    })
}

/// Reads the frame that the reader is at.
fn rows(
    reader: &mut Reader<Cursor<&[u8]>>,
    shrink: &mut Shrink<4>,
    bounds: Bounds,
) -> Result<(), Unfit> {
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
    for &(x, y, dx, dy) in passes {
        // A pass without columns has no rows either.
        let lines = (y..height as usize).step_by(dy);
        for (count, line) in lines.filter(|_| x < width as usize).enumerate() {
            if count % 64 == 0 {
                bounds.time()?;
            }
            let row = reader
                .next_interlaced_row()
                .map_err(|error| unfit(&error))?;
            let row = row.ok_or(Unfit::Damaged(KIND, "it has fewer pixels than it says"))?;
            let (x, line) = (left as usize + x, top as usize + line);
            take(shrink, line, (x, dx), row.data(), colour_type);
        }
    }
    Ok(())
}

fn take(
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

/// In the order in which they take precedence (PNG specification, 4.3).
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

/// That of the last EXIF chunk, as in the board's check: it may stand behind the pixels.
fn orientation(bytes: &[u8]) -> u16 {
    let mut rest = bytes.get(8..).unwrap_or_default();
    let mut orientation = 1;
    while let Some((&[a, b, c, d, ref name @ ..], data)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some(data) = data.get(..length) else {
            break;
        };
        match name {
            b"IEND" => break,
            b"eXIf" => orientation = super::orientation(data),
            _ => {}
        }
        rest = rest.get(length + 12..).unwrap_or_default();
    }
    orientation
}

fn unfit(error: &DecodingError) -> Unfit {
    match error {
        DecodingError::LimitsExceeded => Unfit::Damaged(KIND, "its rows are too wide"),
        _ => Unfit::Damaged(KIND, "it cannot be decoded"),
    }
}
