//! Pixels between a decoder and the encoder of thumbnails: a bitmap of the size of a thumbnail, and the meaning of its numbers.
//!
//! Each pixel of a thumbnail is the mean of the area that it covers. [`Shrink`] takes the rows as a decoder hands them out,
//! so that a large image need not be in memory.

mod bitmap;
mod colours;
mod shrink;

pub(super) use self::bitmap::{Bitmap, weighted};
pub(super) use self::colours::Colours;
pub(super) use self::shrink::{Shrink, Side};

/// The longest side of a thumbnail, in pixels.
pub const MAX_SIDE: u32 = 512;

/// The output of a decoder.
pub(super) struct Decoded {
    /// The bitmap, shrunk but not turned.
    pub(super) bitmap: Bitmap,
    /// The size of the image, not turned.
    pub(super) size: (u32, u32),
    /// The EXIF orientation, from 1 to 8.
    pub(super) orientation: u16,
    /// More frames follow.
    pub(super) is_animated: bool,
    /// The image is coded without loss.
    pub(super) is_lossless: bool,
    /// The pixels have a flaw.
    pub(super) is_damaged: bool,
    /// The meaning of the numbers of its pixels.
    pub(super) colours: Colours,
}

/// The size of the thumbnail of a bitmap of this size.
pub(super) fn small_size(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= MAX_SIDE {
        return (width, height);
    }
    let shrunk = |side: u32| {
        let side =
            (u64::from(side) * u64::from(MAX_SIDE) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(side).map_or(MAX_SIDE, |side| side.clamp(1, MAX_SIDE))
    };
    (shrunk(width), shrunk(height))
}
