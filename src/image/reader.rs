//! Reads numbers from bytes that may end at any point.

use super::InvalidImage;

/// The bytes end before what was to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truncated;

impl Truncated {
    /// The error for an image of this format whose header is cut off.
    pub(super) fn of(self, kind: &'static str) -> InvalidImage {
        InvalidImage::Truncated(kind)
    }
}

/// A position in a byte slice.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The number of bytes that have been read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The bytes that have not been read.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let taken = self.rest().get(..count).ok_or(Truncated)?;
        self.position += count;
        Ok(taken)
    }

    /// The next bytes as an array.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Truncated> {
        self.array().map(|[byte]| byte)
    }

    /// A big-endian 16-bit number.
    pub(super) fn be16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_be_bytes)
    }

    /// A big-endian 32-bit number.
    pub(super) fn be32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_be_bytes)
    }

    /// A big-endian 64-bit number.
    pub(super) fn be64(&mut self) -> Result<u64, Truncated> {
        self.array().map(u64::from_be_bytes)
    }

    /// A little-endian 16-bit number.
    pub(super) fn le16(&mut self) -> Result<u16, Truncated> {
        self.array().map(u16::from_le_bytes)
    }

    /// A little-endian 24-bit number.
    pub(super) fn le24(&mut self) -> Result<u32, Truncated> {
        self.array()
            .map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// A little-endian 32-bit number.
    pub(super) fn le32(&mut self) -> Result<u32, Truncated> {
        self.array().map(u32::from_le_bytes)
    }
}
