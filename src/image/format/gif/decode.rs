//! Decoding of the first frame, row by row. Later frames are not decoded: browsers show the first whatever is wrong
//! there.

use ::gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use crate::image::Limits;
use crate::image::limits::{Bounds, DecodeError};
use crate::image::pixels::{Bitmap, Colours, Decoded, Shrink, Side, small_size, weighted};

/// The passes of an interlaced frame: the first row, and the distance between two.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

pub(in crate::image::format) fn decode(
    bytes: &[u8],
    bounds: Bounds,
) -> Result<Decoded, DecodeError> {
    let limits = Limits {
        max_pixels: u64::MAX,
        ..bounds.limits
    };
    let inspected = super::walk::inspect(bytes, limits).map_err(|_| DecodeError::Damaged)?;
    let size = inspected.size;
    bounds.check_size(size.0, size.1)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // Rows are read one by one, so the decoder holds none of the pixels.
    options.set_memory_limit(MemoryLimit::Unlimited);
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(bytes).map_err(failed)?;
    let frame = decoder.next_frame_info().map_err(failed)?;
    let frame = frame.ok_or(DecodeError::Damaged)?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let (transparent, is_interlaced) = (frame.transparent, frame.interlaced);
    let palette = palette(decoder.palette().map_err(failed)?, transparent);

    let (width, height) = small_size(size.0, size.1);
    let mut shrink = Shrink::new(Side::new(size.0, width), Side::new(size.1, height));
    let mut row = vec![0; frame_width];
    let passes = if is_interlaced {
        &PASSES[..]
    } else {
        &[(0, 1)]
    };
    let lines = passes
        .iter()
        .flat_map(|&(first, step)| (first..frame_height).step_by(step));
    let mut is_complete = true;
    for (count, y) in lines.filter(|_| frame_width > 0).enumerate() {
        if count % 64 == 0 {
            bounds.check_time()?;
        }
        if !decoder.fill_buffer(&mut row).unwrap_or(false) {
            is_complete = false;
            break;
        }
        let pixels = row.iter().map(|&index| palette[usize::from(index)]);
        shrink.row(top + y, (left, 1), pixels);
    }
    let is_animated = !matches!(decoder.next_frame_info(), Ok(None));
    Ok(Decoded {
        bitmap: Bitmap::from_weighted(width, height, shrink.finish()),
        size,
        orientation: 1,
        is_animated,
        is_lossless: true,
        is_damaged: inspected.is_damaged || !is_complete,
        // Browsers ignore the colour profile that a GIF may have.
        colours: Colours::Srgb,
    })
}

/// The colour of each index; transparent behind the last one.
fn palette(colours: &[u8], transparent: Option<u8>) -> [[f32; 4]; 256] {
    let mut palette = [[0.0; 4]; 256];
    for (entry, &[red, green, blue]) in palette.iter_mut().zip(colours.as_chunks().0) {
        *entry = weighted([red, green, blue, 255]);
    }
    if let Some(transparent) = transparent {
        palette[usize::from(transparent)] = [0.0; 4];
    }
    palette
}

fn failed(error: DecodingError) -> DecodeError {
    drop(error);
    DecodeError::Damaged
}
