//! The reasons to refuse a file.

use super::unsupported::Unsupported;

/// A file that is not an image the board can show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    /// A type that browsers do not show in general, or no known type at all.
    #[error("{}", .0.map_or("the file is not a PNG, JPEG, GIF, WebP or AVIF image", Unsupported::advice))]
    Unknown(Option<Unsupported>),
    /// The file ends before its header does.
    #[error("the {0} photo is truncated")]
    Truncated(&'static str),
    /// The header is invalid in a way that keeps browsers from showing the image.
    #[error("the {0} photo is damaged: {1}")]
    Damaged(&'static str, &'static str),
    /// The image has more pixels than the configured limit.
    #[error("the photo has {width} × {height} pixels; the limit is {max_pixels}")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// The limit on width times height.
        max_pixels: u64,
    },
}
