//! Thumbnails: the policy of when to make one, and the encoding.

mod encode;
mod hash;
mod smaller;

use std::fmt;

use bytes::Bytes;

pub use self::smaller::{SmallSide, smaller};
use super::format;
use super::limits::{Bounds, DecodeError};
use super::pixels::MAX_SIDE;
use super::{ImageType, Limits};

/// The limit, in bytes, up to which an image that needs no turning or shrinking is its own thumbnail.
pub const SMALL: usize = 64 << 10;

/// The result of decoding an image.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The encoded thumbnail; `None` if the file itself serves as one, or none can be made.
    pub thumb: Option<Bytes>,
    /// The ThumbHash of the image, as base64; `None` if it cannot be decoded here.
    pub thumbhash: Option<String>,
    /// The pixels have a flaw.
    pub is_damaged: bool,
}

/// The small image that the board loads.
#[derive(Clone, PartialEq, Eq)]
enum Thumbnail {
    /// The image itself.
    Itself,
    /// A file of its own.
    Made {
        bytes: Bytes,
        /// JPEG, or WebP without loss.
        kind: ImageType,
        width: u32,
        height: u32,
    },
}

/// Decodes an image that has been inspected, once, and makes its thumbnail: at most [`MAX_SIDE`] pixels wide and high,
/// never larger than the image, upright, of the first frame of an animation, with its transparency. It has the image's
/// colours: a short RGB profile is kept, from all others the colours are converted to sRGB. It has no metadata.
///
/// There is none for an AVIF, and for a still and upright image of at most [`MAX_SIDE`] pixels a side that has at most
/// 64 KiB or fewer bytes than a thumbnail would have.
///
/// Takes up to [`Limits::time`]; a progressive JPEG and a WebP are decoded in one go, with a look at the clock before
/// and after. [`decoding_memory`] says how much memory that takes. The caller bounds how many are made at once; images
/// of more than 16 megapixels that are decoded as a whole wait for each other, with the clock stopped.
pub fn preview(file: &Bytes, kind: ImageType, limits: Limits) -> Preview {
    match thumbnail(file, kind, limits) {
        Ok(made) => Preview {
            thumb: match made.thumbnail {
                Thumbnail::Made { bytes, .. } => Some(bytes),
                Thumbnail::Itself => None,
            },
            thumbhash: made.thumbhash,
            is_damaged: made.is_damaged,
        },
        Err(error) => {
            log::info!("a {kind} has no thumbnail: {error}");
            Preview {
                is_damaged: error == DecodeError::Damaged,
                ..Preview::default()
            }
        }
    }
}

/// An upper bound on the memory that [`preview`] takes besides the file, in bytes. `pixels` is the size of the image.
pub fn decoding_memory(file: &[u8], kind: ImageType, pixels: u64) -> u64 {
    format::decoding_memory(file, kind, pixels)
}

/// The results of one decoding.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    thumbnail: Thumbnail,
    thumbhash: Option<String>,
    is_damaged: bool,
}

fn thumbnail(bytes: &Bytes, kind: ImageType, limits: Limits) -> Result<Made, DecodeError> {
    if kind == ImageType::Avif {
        // The decoders of AV1 that exist need a C library, cmake or nasm to build, offer no safe interface, or have a
        // licence that does not fit.
        return Ok(Made {
            thumbnail: Thumbnail::Itself,
            thumbhash: None,
            is_damaged: false,
        });
    }
    let bounds = Bounds::start(limits);
    let decoded = format::decode(bytes, kind, bounds)?;
    let is_damaged = decoded.is_damaged;
    let (width, height) = decoded.size;
    let serves = width.max(height) <= MAX_SIDE && decoded.orientation == 1 && !decoded.is_animated;
    let mut bitmap = decoded.bitmap.upright(decoded.orientation);
    let profile = decoded.colours.settle(&mut bitmap);
    bounds.check_time()?;
    let thumbhash = Some(hash::thumbhash(&bitmap));
    let made = |thumbnail| Made {
        thumbnail,
        thumbhash,
        is_damaged,
    };
    if serves && bytes.len() <= SMALL {
        return Ok(made(Thumbnail::Itself));
    }
    let (file, kind) = encode::encode(&bitmap, profile, decoded.is_lossless);
    if serves && bytes.len() <= file.len() {
        return Ok(made(Thumbnail::Itself));
    }
    Ok(made(Thumbnail::Made {
        bytes: file.into(),
        kind,
        width: bitmap.width,
        height: bitmap.height,
    }))
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

#[cfg(test)]
mod tests;
