//! Bounds on the work that one image may cause.

use std::time::{Duration, Instant};

use super::InvalidImage;

/// The largest image the board stores, and the time its decoding may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The limit on width times height, in pixels.
    pub max_pixels: u64,
    /// The limit on decoding, which makes the thumbnail.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            time: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// Refuses an image without pixels, or with more than the limit.
    pub(super) fn check_size(
        self,
        kind: &'static str,
        width: u32,
        height: u32,
    ) -> Result<(), InvalidImage> {
        if width == 0 || height == 0 {
            return Err(InvalidImage::Damaged(kind, "it has no pixels"));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(InvalidImage::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            });
        }
        Ok(())
    }
}

/// The reason that a decoder gave up. The image is stored nevertheless: a browser decides by the header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    /// No pixel could be decoded.
    #[error("it is damaged")]
    Damaged,
    /// The decoder lacks this variant of the format.
    #[error("the decoder does not support it")]
    Unsupported,
    /// It is too large, or takes too long.
    #[error("it exceeds the limits")]
    OverLimit,
}

/// [`Limits`] on a decoding that has started.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) limits: Limits,
    pub(super) deadline: Instant,
}

impl Bounds {
    /// Starts the clock.
    pub(super) fn start(limits: Limits) -> Self {
        Self {
            limits,
            deadline: Instant::now() + limits.time,
        }
    }

    /// Fails on an image without pixels or with too many.
    pub(super) fn check_size(self, width: u32, height: u32) -> Result<(), DecodeError> {
        let is_allowed = self.limits.check_size("", width, height).is_ok();
        is_allowed.then_some(()).ok_or(DecodeError::OverLimit)
    }

    /// Fails after the deadline. Decoders call it every few thousand steps.
    pub(super) fn check_time(self) -> Result<(), DecodeError> {
        let is_in_time = Instant::now() <= self.deadline;
        is_in_time.then_some(()).ok_or(DecodeError::OverLimit)
    }
}
