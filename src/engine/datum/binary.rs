//! Bytes in a document, which may still lie on disk.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::error::ReqlError;

/// A binary value. Large ones stay on disk until somebody asks for their bytes, so that reading the other fields of a
/// document costs nothing for its picture.
#[derive(Clone)]
pub enum Binary {
    /// The bytes themselves.
    Inline(Bytes),
    /// Bytes that lie in the storage.
    Stored {
        /// The storage's name for the bytes, unique within it for ever.
        blob: u64,
        /// How many bytes they are.
        len: u64,
        /// Where to read them.
        source: Arc<dyn BlobSource>,
    },
}

/// Where the bytes of a [`Binary::Stored`] are read from: a consistent view of the storage that still holds them.
pub trait BlobSource: Send + Sync {
    /// Reads all `len` bytes of a blob. It blocks on the disk.
    ///
    /// # Errors
    /// When the disk fails or the blob is damaged.
    fn load(&self, blob: u64, len: u64) -> Result<Bytes, ReqlError>;
}

impl Binary {
    /// How many bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Inline(bytes) => bytes.len(),
            Self::Stored { len, .. } => *len as usize,
        }
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, read from the storage if need be. It blocks on the disk.
    ///
    /// # Errors
    /// See [`BlobSource::load`].
    pub fn bytes(&self) -> Result<Bytes, ReqlError> {
        match self {
            Self::Inline(bytes) => Ok(bytes.clone()),
            Self::Stored { blob, len, source } => source.load(*blob, *len),
        }
    }
}

impl fmt::Debug for Binary {
    /// The length alone: bytes of images have no place in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({} bytes)", self.len())
    }
}
