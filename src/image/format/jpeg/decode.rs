//! Decoding by libjpeg-turbo (as Mozilla's fork, built with `cc` alone), row by row, at an eighth, a quarter or half of
//! the size where that is enough for a thumbnail.
//!
//! No decoder in Rust both scales and tolerates what libjpeg tolerates, which is what browsers show: `zune-jpeg`
//! decodes at full size, `jpeg-decoder` gives up at the first flaw.

use std::cell::Cell;
use std::ffi::{c_int, c_long};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use mozjpeg::{ColorSpace, Decompress};
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr};

use super::walk::{Frame, Walk};
use crate::image::limits::{Bounds, DecodeError};
use crate::image::pixels::{
    Bitmap, Colours, Decoded, MAX_SIDE, Shrink, Side, small_size, weighted,
};

/// The most pixels times scans that are decoded. A progressive image has about ten scans; hundreds of them in a large
/// image only keep decoders busy.
const MAX_SCANNED_PIXELS: u64 = 1 << 33;

/// The flaws that libjpeg has passed over in the image that this thread decodes, and when to stop.
#[derive(Clone, Copy)]
struct Progress {
    warnings: u32,
    deadline: Instant,
}

thread_local! {
    static PROGRESS: Cell<Option<Progress>> = const { Cell::new(None) };
}

/// The unwinding payload for an error inside libjpeg.
struct Fatal(DecodeError);

pub(in crate::image::format) fn decode(
    bytes: &[u8],
    mut bounds: Bounds,
) -> Result<Decoded, DecodeError> {
    let walk = Walk::over(bytes).map_err(|_| DecodeError::Damaged)?;
    let frame = walk.frame.as_ref().ok_or(DecodeError::Damaged)?;
    let size = (frame.width, frame.height);
    bounds.check_size(size.0, size.1)?;
    let pixels = u64::from(size.0) * u64::from(size.1);
    if pixels * u64::from(walk.scans) > MAX_SCANNED_PIXELS {
        return Err(DecodeError::OverLimit);
    }
    let _turn = walk.is_buffered.then(|| bounds.turn(size.0, size.1));
    bounds.check_time()?;
    let (bitmap, is_damaged) = bitmap(bytes, frame, bounds)?;
    Ok(Decoded {
        bitmap,
        size,
        orientation: walk.orientation,
        is_animated: false,
        is_lossless: false,
        is_damaged: is_damaged || walk.is_damaged,
        colours: walk.icc_profile().map_or(Colours::Srgb, Colours::Profile),
    })
}

/// An upper bound on the memory that decoding takes: a few rows, or two bytes for each coefficient of up to four
/// components if they do not come in the order of the rows.
pub(in crate::image::format) fn memory(bytes: &[u8]) -> u64 {
    let Ok(Walk {
        frame: Some(frame),
        is_buffered,
        ..
    }) = Walk::over(bytes)
    else {
        return 0;
    };
    let pixels = u64::from(frame.width) * u64::from(frame.height);
    let coefficients = 2 * pixels * frame.component_ids.len() as u64;
    (4 << 20) + if is_buffered { coefficients } else { 0 }
}

/// Decodes to a bitmap of the thumbnail's size. The second value says whether a flaw was met.
fn bitmap(bytes: &[u8], frame: &Frame, bounds: Bounds) -> Result<(Bitmap, bool), DecodeError> {
    PROGRESS.set(Some(Progress {
        warnings: 0,
        deadline: bounds.deadline,
    }));
    let mut rows = None;
    // The C code has no other way to report an error than to unwind (or to exit the process).
    let result = catch_unwind(AssertUnwindSafe(|| {
        decode_rows(bytes, frame, bounds, &mut rows)
    }));
    let warnings = PROGRESS.take().map_or(0, |progress| progress.warnings);
    let result = result.unwrap_or_else(|payload| {
        match payload.downcast::<Fatal>() {
            Ok(fatal) => Err(fatal.0),
            // A bug in Rust code, which is not the image's fault.
            Err(payload) => resume_unwind(payload),
        }
    });
    let shrink = match (rows, result) {
        (None, _) | (_, Err(DecodeError::OverLimit)) => {
            return Err(result.err().unwrap_or(DecodeError::Damaged));
        }
        (Some(shrink), _) => shrink,
    };
    let (width, height) = small_size(frame.width, frame.height);
    let bitmap = Bitmap::from_weighted(width, height, shrink.finish());
    Ok((bitmap, warnings > 0 || result.is_err()))
}

fn decode_rows(
    bytes: &[u8],
    frame: &Frame,
    bounds: Bounds,
    decoded: &mut Option<Shrink<4>>,
) -> Result<(), DecodeError> {
    let unsupported = |_| DecodeError::Unsupported;
    let mut decompress = Decompress::with_err(error_manager())
        .from_mem(bytes)
        .map_err(unsupported)?;
    decompress.scale(scale(frame.width.max(frame.height)));
    let has_inks = matches!(
        decompress.color_space(),
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK
    );
    let target = if has_inks {
        ColorSpace::JCS_CMYK
    } else {
        ColorSpace::JCS_RGB
    };
    let mut started = decompress.to_colorspace(target).map_err(unsupported)?;
    let (width, height) = (started.width(), started.height());
    let small = small_size(frame.width, frame.height);
    let side = |count: usize, small| Side::new(u32::try_from(count).unwrap_or(u32::MAX), small);
    let shrink = decoded.insert(Shrink::new(side(width, small.0), side(height, small.1)));
    let mut row = vec![0_u8; width * if has_inks { 4 } else { 3 }];
    for y in 0..height {
        if y % 64 == 0 {
            bounds.check_time()?;
        }
        started
            .read_scanlines_into(&mut row)
            .map_err(|_| DecodeError::Damaged)?;
        if has_inks {
            let pixels = row.as_chunks().0.iter().map(|&inks| weighted(paint(inks)));
            shrink.row(y, (0, 1), pixels);
        } else {
            let pixels = row.as_chunks().0.iter();
            let pixels = pixels.map(|&[red, green, blue]| weighted([red, green, blue, 255]));
            shrink.row(y, (0, 1), pixels);
        }
    }
    // The last rows may hide a missing end.
    started.finish().map_err(|_| DecodeError::Damaged)
}

/// The least scale, in eighths, at which the longest side is no shorter than that of the thumbnail.
fn scale(longest: u32) -> u8 {
    let scales = [1, 2, 4];
    let is_enough = |&scale: &u8| longest.saturating_mul(scale.into()) / 8 >= MAX_SIDE;
    scales.into_iter().find(is_enough).unwrap_or(8)
}

/// The colour of four inks. Adobe stores them inverted, and browsers expect that of every file.
fn paint([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 4] {
    let mix = |ink: u8| (u16::from(ink) * u16::from(black) / 255) as u8;
    [mix(cyan), mix(magenta), mix(yellow), 255]
}

/// The callbacks for libjpeg's errors and warnings. `mozjpeg`'s own drop the warnings, which tell a damaged image from
/// an intact one.
fn error_manager() -> jpeg_error_mgr {
    jpeg_error_mgr {
        error_exit: Some(on_error),
        emit_message: Some(on_message),
        output_message: Some(ignore),
        format_message: None,
        reset_error_mgr: Some(ignore),
        msg_code: 0,
        msg_parm: Default::default(),
        trace_level: 0,
        num_warnings: 0 as c_long,
        jpeg_message_table: std::ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: std::ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    }
}

extern "C-unwind" fn on_error(_: &mut jpeg_common_struct) {
    resume_unwind(Box::new(Fatal(DecodeError::Damaged)));
}

/// Counts a warning (level -1); other levels are traces. A corrupt image warns for each of its blocks, so this is also
/// where the deadline ends a progressive one, whose scans are decoded in one call.
extern "C-unwind" fn on_message(_: &mut jpeg_common_struct, level: c_int) {
    if level != -1 {
        return;
    }
    let Some(mut progress) = PROGRESS.get() else {
        return;
    };
    progress.warnings = progress.warnings.saturating_add(1);
    PROGRESS.set(Some(progress));
    if progress.warnings.is_multiple_of(1024) && Instant::now() > progress.deadline {
        resume_unwind(Box::new(Fatal(DecodeError::OverLimit)));
    }
}

extern "C-unwind" fn ignore(_: &mut jpeg_common_struct) {}
