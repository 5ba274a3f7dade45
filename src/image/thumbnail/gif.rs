//! GIF: the first frame, row by row.

use ::gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::colours::Colours;
use super::picture::{Picture, weighted};
use super::shrink::{Shrink, Side};
use super::{Bounds, Decoded, Unfit, small_size};

const KIND: &str = "GIF";

/// The passes of an interlaced frame: the first row, and how many lie between two.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

pub(super) fn decode(bytes: &[u8], bounds: Bounds) -> Result<Decoded, Unfit> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Unlimited);
    options.allow_unknown_blocks(true);
    let mut decoder = options.read_info(bytes).map_err(unfit)?;
    let size = (u32::from(decoder.width()), u32::from(decoder.height()));
    bounds.size(KIND, size.0, size.1)?;
    let none = Unfit::Damaged(KIND, "it has no frames");
    let frame = decoder.next_frame_info().map_err(unfit)?.ok_or(none)?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    bounds.size(
        KIND,
        u32::from(frame.width.max(1)),
        u32::from(frame.height.max(1)),
    )?;
    let (transparent, is_interlaced) = (frame.transparent, frame.interlaced);
    let palette = palette(decoder.palette().map_err(unfit)?, transparent);

    let (width, height) = small_size(size.0, size.1);
    let mut shrink = Shrink::new(Side::new(size.0, width), Side::new(size.1, height));
    let mut row = vec![0; frame_width];
    let passes = if is_interlaced {
        &PASSES[..]
    } else {
        &[(0, 1)]
    };
    for &(first, step) in passes {
        for (count, y) in (first..frame_height).step_by(step).enumerate() {
            if count % 64 == 0 {
                bounds.time()?;
            }
            if !row.is_empty() && !decoder.fill_buffer(&mut row).map_err(unfit)? {
                return Err(Unfit::Damaged(
                    KIND,
                    "a frame has fewer pixels than it says",
                ));
            }
            let pixels = row.iter().map(|&index| palette[usize::from(index)]);
            shrink.row(top + y, (left, 1), pixels);
        }
    }
    let is_animated = !matches!(decoder.next_frame_info(), Ok(None));
    Ok(Decoded {
        picture: Picture::from_weighted(width, height, shrink.finish()),
        size,
        orientation: 1,
        is_animated,
        is_lossless: true,
        // Browsers do not look at the profile that a GIF may have.
        colours: Colours::Srgb,
    })
}

/// What each index stands for; nothing behind the last colour.
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

fn unfit(error: DecodingError) -> Unfit {
    drop(error);
    Unfit::Damaged(KIND, "it cannot be decoded")
}
