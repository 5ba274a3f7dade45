//! PNG: one walk over the chunks, which keeps those that decide how the image looks, and the `png` crate for the rest.
//!
//! Chromium decodes with the same crate and shows a PNG as soon as everything before the first `IDAT` has been read. So
//! that is the condition here, too; any later flaw marks the image as damaged.

mod decode;
mod walk;

pub(super) use self::decode::decode;
pub(super) use self::walk::{SIGNATURE, inspect};
