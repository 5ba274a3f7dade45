//! Reads numbers from bytes that may end at any point.

use super::Unfit;

/// A place in the bytes of an image. Where they end too early, the image is truncated.
#[derive(Clone)]
pub(in crate::image) struct Reader<'a> {
    kind: &'static str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// At the first byte of an image of this kind.
    pub(in crate::image) fn new(kind: &'static str, bytes: &'a [u8]) -> Self {
        Self {
            kind,
            bytes,
            position: 0,
        }
    }

    /// How many bytes were read.
    pub(in crate::image) fn position(&self) -> usize {
        self.position
    }

    /// What was not read yet.
    pub(in crate::image) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// Whether everything was read.
    pub(in crate::image) fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// The next `count` bytes.
    pub(in crate::image) fn take(&mut self, count: usize) -> Result<&'a [u8], Unfit> {
        let taken = self
            .rest()
            .get(..count)
            .ok_or(Unfit::Truncated(self.kind))?;
        self.position += count;
        Ok(taken)
    }

    /// The next bytes as an array.
    pub(in crate::image) fn array<const N: usize>(&mut self) -> Result<[u8; N], Unfit> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// The next byte.
    pub(in crate::image) fn byte(&mut self) -> Result<u8, Unfit> {
        self.array().map(|[byte]| byte)
    }

    /// Two bytes, the larger end first.
    pub(in crate::image) fn be16(&mut self) -> Result<u16, Unfit> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, the larger end first.
    pub(in crate::image) fn be32(&mut self) -> Result<u32, Unfit> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes, the larger end first.
    pub(in crate::image) fn be64(&mut self) -> Result<u64, Unfit> {
        self.array().map(u64::from_be_bytes)
    }

    /// Two bytes, the smaller end first.
    pub(in crate::image) fn le16(&mut self) -> Result<u16, Unfit> {
        self.array().map(u16::from_le_bytes)
    }

    /// Three bytes, the smaller end first.
    pub(in crate::image) fn le24(&mut self) -> Result<u32, Unfit> {
        self.array()
            .map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    /// Four bytes, the smaller end first.
    pub(in crate::image) fn le32(&mut self) -> Result<u32, Unfit> {
        self.array().map(u32::from_le_bytes)
    }
}
