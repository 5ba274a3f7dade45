//! WebP: one walk over the chunks, which decides like libwebp's demuxer and keeps the frames and the chunks that colour
//! and time them.
//!
//! Chromium shows a WebP whose chunks the demuxer accepts as far as they go; a missing end or pixels that cannot be
//! decoded mark the image as damaged here.
//!
//! Chromium shows a WebP as it is stored, whatever orientation its EXIF data ask for. So the EXIF data go altogether,
//! and no orientation is applied anywhere.

mod decode;
mod walk;

pub(super) use self::decode::decode;
pub(super) use self::walk::inspect;
