//! JPEG: one walk over the markers (ITU-T T.81), which decides like libjpeg's `jpeg_read_header` and keeps the tables,
//! the scans, and the application segments that colours depend on.
//!
//! Chromium shows a JPEG as soon as libjpeg has read everything up to the first scan, whatever follows. So a flaw
//! before the first scan refuses the file; a flaw behind it ends the stored file there and marks the image as damaged.
//!
//! Everything behind the end of the image is dropped: a camera's previews (MPF), the gain map of an HDR photo, a
//! phone's video. The image is complete without them, and each of them carries metadata of its own.

mod decode;
mod walk;

pub(super) use self::decode::{decode, memory};
pub(super) use self::walk::inspect;
