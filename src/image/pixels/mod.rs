//! Pixels between a decoder and the encoder of thumbnails: a bitmap of the size of a thumbnail, and the meaning of its
//! numbers.
//!
//! Each pixel of a thumbnail is the mean of the area that it covers. [`Shrink`] takes the rows as a decoder hands them
//! out, so that a large image need not be in memory.

mod bitmap;
mod colours;
mod shrink;
mod size;

pub(super) use self::bitmap::{Bitmap, weighted};
pub(super) use self::colours::Colours;
pub(super) use self::shrink::{Shrink, Side};
pub use self::size::MAX_SIDE;
pub(super) use self::size::small_size;

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
