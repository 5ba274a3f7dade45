//! The size of the image in an AVIF that browsers show, and the errors of finding it.

use crate::image::InvalidImage;
use crate::image::bmff::InvalidBox;
use crate::image::reader::Truncated;

pub(super) const KIND: &str = "AVIF";

pub(super) fn damaged(how: &'static str) -> InvalidImage {
    InvalidImage::Damaged(KIND, how)
}

impl From<InvalidBox> for InvalidImage {
    fn from(_: InvalidBox) -> Self {
        damaged("a box of an impossible length")
    }
}

/// Only the boxes that describe the image are read with this conversion. They are as good as a header.
pub(super) fn short(_: Truncated) -> InvalidImage {
    damaged("a box is too short")
}

/// The image that browsers show.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    /// As it is coded.
    pub(super) size: (u32, u32),
    pub(super) is_sideways: bool,
}
