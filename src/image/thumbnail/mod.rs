//! Small pictures of large images, for the board to load first.
//!
//! The pixels become averages for those of the thumbnail. PNG and GIF are decoded row by row, so that the large picture is
//! never in memory; JPEG and WebP are painted as a whole, since their decoders do not hand out rows, and of the large ones
//! one at a time. AVIF is not decoded at all: no decoder of AV1 that cargo alone can build is well kept (see [`thumbnail`]).

mod colours;
mod encode;
mod gif;
mod jpeg;
mod picture;
mod png;
mod shrink;
mod webp;

use std::fmt;

use bytes::Bytes;

use self::colours::Colours;
use self::picture::Picture;
use super::ImageType;
use super::check::{Bounds, Limits, Unfit, exif};

/// The longest side of a thumbnail, in pixels.
pub const MAX_SIDE: u32 = 512;

/// An image that needs no turning or shrinking and has no more bytes than this is its own thumbnail.
const SMALL: usize = 64 << 10;

/// What the board shows until somebody looks closer.
#[derive(Clone, PartialEq, Eq)]
pub enum Thumbnail {
    /// The image itself: nothing better can be made of it.
    Itself,
    /// A picture of its own.
    Made {
        /// The file.
        bytes: Bytes,
        /// Its kind: JPEG, or WebP without loss.
        kind: ImageType,
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
    },
}

/// What a decoder gives.
struct Decoded {
    /// The picture, shrunk but not turned.
    picture: Picture,
    /// Its size before that.
    size: (u32, u32),
    /// As EXIF says it, from 1 to 8.
    orientation: u16,
    /// Whether there are more pictures after this one.
    is_animated: bool,
    /// Whether the image was coded without loss.
    is_lossless: bool,
    /// What the numbers of its pixels mean.
    colours: Colours,
}

/// Makes the thumbnail of an image that passed the board's check: at most [`MAX_SIDE`] pixels wide and high, never larger
/// than the image, upright, the first picture of an animation, with its transparency. Its colours are those of the image:
/// a short RGB profile is kept, from all others the colours are converted to sRGB. It has no metadata.
///
/// [`Thumbnail::Itself`] is the answer for an AVIF, and for a still and upright image of at most [`MAX_SIDE`] pixels a
/// side that has at most 64 KiB or fewer bytes than a thumbnail would have.
///
/// Of an AVIF nothing is made because the decoders that exist either need a C library, cmake or nasm to build, or have a
/// licence that does not fit, or have had no release for two years.
///
/// It computes for up to [`Limits::time`], except that a JPEG or a WebP is painted in one go, with a look at the clock before
/// and after. `thumbnail_memory` says how much memory it takes. How many are made at once is for the caller to bound; of
/// pictures with more than 16 megapixels that are painted as a whole, one at a time is, and the clock stands still while they
/// wait.
///
/// # Errors
/// If the image cannot be decoded, or not within its limits. The image may well be shown as it is then.
pub fn thumbnail(bytes: &Bytes, kind: ImageType, limits: Limits) -> Result<Thumbnail, Unfit> {
    let bounds = Bounds::start(limits);
    let decoded = match kind {
        ImageType::Png => png::decode(bytes, bounds)?,
        ImageType::Jpeg => jpeg::decode(bytes, bounds)?,
        ImageType::Gif => gif::decode(bytes, bounds)?,
        ImageType::Webp => webp::decode(bytes, bounds)?,
        ImageType::Avif => return Ok(Thumbnail::Itself),
    };
    let (width, height) = decoded.size;
    let serves = width.max(height) <= MAX_SIDE && decoded.orientation == 1 && !decoded.is_animated;
    if serves && bytes.len() <= SMALL {
        return Ok(Thumbnail::Itself);
    }
    let mut picture = decoded.picture.upright(decoded.orientation);
    let profile = decoded.colours.settle(&mut picture);
    bounds.time()?;
    let (file, kind) = encode::encode(&picture, profile, decoded.is_lossless);
    if serves && bytes.len() <= file.len() {
        return Ok(Thumbnail::Itself);
    }
    Ok(Thumbnail::Made {
        bytes: file.into(),
        kind,
        width: picture.width,
        height: picture.height,
    })
}

impl fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself => f.write_str("Itself"),
            Self::Made {
                bytes,
                kind,
                width,
                height,
            } => write!(f, "Made({kind}, {width} × {height}, {} bytes)", bytes.len()),
        }
    }
}

/// How EXIF data want the picture to be turned; what cannot be read counts as upright.
fn orientation(tiff: &[u8]) -> u16 {
    let orientation = exif::orientation(tiff).ok();
    orientation
        .filter(|orientation| (1..=8).contains(orientation))
        .unwrap_or(1)
}

/// The size of the thumbnail of a picture of this size.
fn small_size(width: u32, height: u32) -> (u32, u32) {
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

#[cfg(test)]
mod tests;
