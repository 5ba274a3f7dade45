//! AVIF: one walk over the boxes, which decides like Chromium's parser and finds everything that goes. Boxes point to
//! offsets in the file, so nothing moves: what has to go is overwritten where it lies.
//!
//! Every byte of the media data (`mdat`, `idat`) that belongs to no picture becomes zero, EXIF data become EXIF data
//! without entries, and boxes that are not needed become `free`, tracks of sound and text among them. The orientation
//! is in the properties `irot` and `imir` here, and stays.
//!
//! Pixels are not decoded. Chromium does not need them either to show an AVIF: its size is what the boxes say.
//!
//! Files with metadata that cannot be overwritten are refused: those that share bytes with a picture, or lie outside
//! the media data.

mod items;
mod locations;
mod plan;
mod properties;
mod shown;
mod tracks;
mod walk;

pub(super) use self::walk::inspect;
