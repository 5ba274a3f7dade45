//! Limits on what a board holds.

/// The limits of every board. `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoardLimits {
    /// The number of images. Those in the bin do not count.
    pub max_images: Option<u64>,
    /// The bytes of their files together.
    pub max_bytes: Option<u64>,
}

/// The limit of a board that an image would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoardFull {
    /// The number of images.
    Images(u64),
    /// The bytes of their files.
    Bytes(u64),
}

/// The number and size of the images of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BoardUsage {
    /// The number of images.
    pub images: u64,
    /// The bytes of their files together.
    pub bytes: u64,
}

impl BoardLimits {
    /// Checks that a board has room for an image of `bytes` bytes.
    ///
    /// # Errors
    ///
    /// The limit that it would exceed.
    pub(super) fn check(self, usage: BoardUsage, bytes: u64) -> Result<(), BoardFull> {
        if let Some(max) = self.max_images
            && usage.images >= max
        {
            return Err(BoardFull::Images(max));
        }
        if let Some(max) = self.max_bytes
            && usage.bytes.saturating_add(bytes) > max
        {
            return Err(BoardFull::Bytes(max));
        }
        Ok(())
    }
}
