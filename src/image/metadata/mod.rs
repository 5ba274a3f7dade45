//! Takes out of an image what tells about its maker and not about its picture.
//!
//! GPS and all other EXIF data, XMP, IPTC, comments, maker notes, text, times, embedded previews, and whatever stands
//! outside the image (a camera's second picture, a phone's video). Pixels are not decoded and not encoded anew: their bytes
//! are copied as they are. What decides how the picture looks stays: the colour profile, transparency, animation, and (except
//! in a WebP, which Chromium does not turn) the orientation, as EXIF data that hold nothing else.
//!
//! Each kind of image has a list of the parts that stay; whatever is not on it goes, so that nobody has to know every place
//! where a camera may put a position. An image whose parts cannot be told apart is refused, never passed on as it is.

mod avif;
mod exif;
mod gif;
mod jpeg;
mod kept;
mod png;
mod webp;

use bytes::Bytes;

use super::ImageType;
use super::check::Unfit;

/// The image without its metadata; the very same bytes if there is nothing to take out. `bytes` should have passed the
/// board's check: what that takes, this understands, except for a few constructions that no browser shows either.
///
/// It takes as long as copying the bytes, so it needs no deadline, and holds at most one copy of them.
///
/// # Errors
/// If the parts of the image cannot be told apart. Then nothing can be promised about the rest, and it must not be stored.
pub fn without_metadata(bytes: &Bytes, kind: ImageType) -> Result<Bytes, Unfit> {
    match kind {
        ImageType::Png => png::kept(bytes).map(|kept| kept.finish(bytes)),
        ImageType::Jpeg => jpeg::kept(bytes).map(|kept| kept.finish(bytes)),
        ImageType::Gif => gif::kept(bytes).map(|kept| kept.finish(bytes)),
        ImageType::Webp => webp::kept(bytes).map(|kept| kept.finish(bytes)),
        ImageType::Avif => avif::blanked(bytes),
    }
}

#[cfg(test)]
mod tests;
