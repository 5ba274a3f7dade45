//! Assignment of blobs to the binaries of a new document.

use std::collections::HashMap;

use bytes::Bytes;

use crate::engine::datum::Binary;
use crate::engine::error::ReqlError;
use crate::engine::storage::blobs;

/// The blobs of one document that replaces another.
pub(super) struct BlobAssignment<'a> {
    /// The blobs of the replaced document.
    pub(super) old: &'a [u64],
    /// Those of them that the new document keeps.
    pub(super) kept: Vec<u64>,
    /// The blobs to be stored.
    pub(super) new: Vec<(u64, Bytes)>,
    /// The number of the next blob.
    pub(super) next: &'a mut u64,
}

impl<'a> BlobAssignment<'a> {
    pub(super) fn new(old: &'a [u64], next: &'a mut u64) -> Self {
        Self {
            old,
            kept: Vec::new(),
            new: Vec::new(),
            next,
        }
    }

    /// The blob for a binary: the one of the replaced document if it is the same, a new one otherwise. `None` if the
    /// binary is small enough to stay in the document. `added` are the blobs of the same batch.
    pub(super) fn assign(
        &mut self,
        binary: &Binary,
        added: &HashMap<u64, Bytes>,
    ) -> Result<Option<u64>, ReqlError> {
        if binary.len() < blobs::MIN_BLOB {
            return Ok(None);
        }
        let is_same = |blob: &&u64| match binary {
            Binary::Stored { blob: stored, .. } => *blob == stored,
            // The reader returns a blob of the same batch as its bytes: the same memory is the same blob.
            Binary::Inline(bytes) => added.get(blob).is_some_and(|added| {
                added.len() == bytes.len() && added.as_ptr() == bytes.as_ptr()
            }),
        };
        if let Some(&blob) = self.old.iter().find(is_same) {
            self.kept.push(blob);
            return Ok(Some(blob));
        }
        let bytes = binary.bytes()?;
        let blob = *self.next;
        *self.next += 1;
        self.new.push((blob, bytes));
        Ok(Some(blob))
    }
}
