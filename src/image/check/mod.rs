//! Is it an image that the board takes, is it whole, and how large is it? By its bytes alone.
//!
//! Every kind is read to its very end, so that nothing that breaks off half-way is stored. Memory stays small whatever a
//! header claims: rows are decoded and dropped (PNG), codes are counted and not painted (JPEG, GIF), boxes are walked
//! (AVIF); only WebP is painted, of all large pictures one at a time. Dimensions over the limit are refused from the header.

pub(super) mod avif;
pub(super) mod exif;
mod gif;
mod jpeg;
mod large;
mod png;
pub(super) mod reader;
mod webp;

use std::time::{Duration, Instant};

use super::ImageType;

/// What an upload may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest number of pixels, width times height.
    pub max_pixels: u64,
    /// How long the check of one image may take.
    pub time: Duration,
}

/// Why some bytes are not an image that the board takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not one of the kinds that the board takes.
    #[error("the file is not a PNG, JPEG, GIF, WebP or AVIF image")]
    Unknown,
    /// The bytes end before the image does.
    #[error("the {0} image is truncated")]
    Truncated(&'static str),
    /// The bytes contradict themselves.
    #[error("the {0} image is damaged: {1}")]
    Damaged(&'static str, &'static str),
    /// A larger picture than the board takes.
    #[error("the image has {width} × {height} pixels; at most {max_pixels} are taken")]
    TooLarge {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// Such an image was made to keep a decoder busy.
    #[error("the image takes too long to decode")]
    TooSlow,
}

/// What the bytes say of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// The kind.
    pub(super) kind: ImageType,
    /// Pixels from left to right, upright.
    pub(super) width: u32,
    /// Pixels from top to bottom, upright.
    pub(super) height: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            time: Duration::from_secs(20),
        }
    }
}

/// Reads an image to its end. It computes for up to [`Limits::time`], so it does not belong on a thread that others
/// wait for.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(bytes: &[u8], limits: Limits) -> Result<Facts, Unfit> {
    let kind = sniff(bytes).ok_or(Unfit::Unknown)?;
    let bounds = Bounds::start(limits);
    let (width, height) = match kind {
        ImageType::Png => png::check(bytes, bounds),
        ImageType::Jpeg => jpeg::check(bytes, bounds),
        ImageType::Gif => gif::check(bytes, bounds),
        ImageType::Webp => webp::check(bytes, bounds),
        ImageType::Avif => avif::check(bytes, bounds),
    }?;
    Ok(Facts {
        kind,
        width,
        height,
    })
}

/// The type of a file that starts with these bytes, by its signature.
pub fn sniff(bytes: &[u8]) -> Option<ImageType> {
    if bytes.starts_with(png::SIGNATURE) {
        Some(ImageType::Png)
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some(ImageType::Jpeg)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(ImageType::Gif)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(ImageType::Webp)
    } else if avif::is_avif(bytes) {
        Some(ImageType::Avif)
    } else {
        None
    }
}

/// [`Limits`] for one image whose clock is running.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    max_pixels: u64,
    deadline: Instant,
}

impl Bounds {
    /// The clock runs from now on.
    pub(super) fn start(limits: Limits) -> Self {
        Self {
            max_pixels: limits.max_pixels,
            deadline: Instant::now() + limits.time,
        }
    }

    /// Refuses a picture without pixels or with too many.
    pub(super) fn size(self, kind: &'static str, width: u32, height: u32) -> Result<(), Unfit> {
        if width == 0 || height == 0 {
            return Err(Unfit::Damaged(kind, "it has no pixels"));
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(Unfit::TooLarge {
                width,
                height,
                max_pixels: self.max_pixels,
            });
        }
        Ok(())
    }

    /// To be called every few thousand steps.
    pub(super) fn time(self) -> Result<(), Unfit> {
        if Instant::now() > self.deadline {
            Err(Unfit::TooSlow)
        } else {
            Ok(())
        }
    }
}

/// Width and height as they are shown.
fn upright(width: u32, height: u32, sideways: bool) -> (u32, u32) {
    if sideways {
        (height, width)
    } else {
        (width, height)
    }
}

#[cfg(test)]
mod tests;
