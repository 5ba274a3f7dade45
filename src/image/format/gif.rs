//! GIF: one walk over the blocks, which keeps the frames and what times and colours them.
//!
//! Chromium shows a GIF as soon as it has read the place of the first frame, or a byte that starts no block, which ends
//! the image (`std/gif` of Wuffs). So that is the condition here, too; a later flaw ends the stored file there and
//! marks the image as damaged.

mod decode;
mod walk;

pub(super) use self::decode::decode;
pub(super) use self::walk::inspect;
