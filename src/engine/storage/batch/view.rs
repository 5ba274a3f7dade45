//! Where the binaries of documents come from and go to inside a batch.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::datum::{Binary, BlobSource, Datum};
use crate::engine::error::ReqlError;
use crate::engine::storage::blobs::{self, BlobReader};
use crate::engine::storage::catalog::TableId;
use crate::engine::storage::codec;
use crate::engine::storage::shared::Shared;
use crate::engine::storage::snapshot::{Snapshot, damaged};

/// Where the blobs of documents are read from while a batch is on its way.
pub(super) struct View<'txn> {
    pub(super) shared: &'txn Arc<Shared>,
    /// The database before the batch, once a blob of it is needed.
    pub(super) before: Option<Arc<Snapshot>>,
    /// The blobs that the batch itself brought.
    pub(super) fresh: HashMap<u64, Bytes>,
}

/// Where the binaries of a new document go.
pub(super) struct Placed<'a> {
    pub(super) old: &'a [u64],
    pub(super) kept: Vec<u64>,
    pub(super) new: Vec<(u64, Bytes)>,
    pub(super) next: &'a mut u64,
}

impl Placed<'_> {
    pub(super) fn place(
        &mut self,
        binary: &Binary,
        fresh: &HashMap<u64, Bytes>,
    ) -> Result<Option<u64>, ReqlError> {
        if binary.len() < blobs::MIN_BLOB {
            return Ok(None);
        }
        let same = |blob: &&u64| match binary {
            Binary::Stored { blob: stored, .. } => *blob == stored,
            // A blob that the same batch brought is shown as its bytes.
            Binary::Inline(bytes) => fresh.get(blob).is_some_and(|fresh| {
                fresh.len() == bytes.len() && fresh.as_ptr() == bytes.as_ptr()
            }),
        };
        if let Some(&blob) = self.old.iter().find(same) {
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

impl View<'_> {
    /// Decodes a document and notes the blobs that it refers to.
    pub(super) fn decode(
        &mut self,
        table: TableId,
        bytes: &[u8],
        blobs: &mut Vec<u64>,
    ) -> Result<Datum, ReqlError> {
        loop {
            blobs.clear();
            let mut lacking = false;
            let mut reader: Option<Arc<dyn BlobSource>> = None;
            let datum = codec::decode(bytes, &mut |blob, len| {
                blobs.push(blob);
                match (self.fresh.get(&blob), &self.before) {
                    (Some(bytes), _) => Binary::Inline(bytes.clone()),
                    (None, Some(before)) => {
                        BlobReader::reference(&mut reader, before, table, (blob, len))
                    }
                    (None, None) => {
                        lacking = true;
                        Binary::Inline(Bytes::new())
                    }
                }
            });
            if !lacking {
                return datum.map_err(|error| damaged(&error));
            }
            self.before = Some(self.shared.snapshot()?);
        }
    }
}
