//! The pseudotype `BINARY`, whose bytes may be on disk.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::error::ReqlError;

/// A binary value. The bytes of a large one stay on disk until they are needed, so that reading the other fields of a
/// document does not read its image.
#[derive(Clone)]
pub enum Binary {
    /// Bytes in memory.
    Inline(Bytes),
    /// Bytes in the storage.
    Stored {
        /// The id of the bytes in their storage. Ids are never reused.
        blob: u64,
        /// The number of bytes.
        len: u64,
        /// The storage to read them from.
        source: Arc<dyn BlobSource>,
    },
}

/// A source of the bytes of a [`Binary::Stored`]: a snapshot of the storage that holds them.
pub trait BlobSource: Send + Sync {
    /// Reads all `len` bytes of a blob. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk fails or the blob is damaged.
    fn load(&self, blob: u64, len: u64) -> Result<Bytes, ReqlError>;
}

impl Binary {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Inline(bytes) => bytes.len(),
            Self::Stored { len, .. } => *len as usize,
        }
    }

    /// Returns `true` if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, read from the storage if necessary. Blocks on the disk in that case.
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
    /// Prints only the length, because image bytes have no place in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({} bytes)", self.len())
    }
}
