//! The result of a walk over the structure of a file, of any format.

use super::parts::Parts;

/// The result of a walk over a file.
pub(super) struct Inspected<'a> {
    /// Width and height as stored.
    pub(super) size: (u32, u32),
    /// The EXIF orientation, from 1 to 8.
    pub(super) orientation: u16,
    /// The structure has a flaw.
    pub(super) is_damaged: bool,
    /// The file without metadata.
    pub(super) parts: Parts<'a>,
}
