//! Assignment of blobs to the binaries of a new document.

use std::collections::HashMap;

use bytes::Bytes;

use crate::engine::datum::Binary;
use crate::engine::error::ReqlError;
use crate::engine::storage::blobs;

/// The blobs of a document that replaces another one.
pub(super) struct BlobAssignment<'a> {
    /// The blobs of the replaced document.
    pub(super) old: &'a [u64],
    /// The old blobs that the new document keeps.
    pub(super) kept: Vec<u64>,
    /// The blobs to store.
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

    /// The blob for a binary: the old one if the bytes are the same, otherwise a new one. `None` keeps a small binary
    /// in the document. `added` holds the blobs of the same batch.
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
            // The reader returns a blob of this batch as `Inline`, sharing its memory. Equal pointers thus mean the
            // same blob, without comparing megabytes.
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
