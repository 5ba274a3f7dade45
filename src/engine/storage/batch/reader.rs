//! Decoding of documents inside a batch.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::datum::{Binary, BlobSource, Datum};
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::TableId;
use crate::engine::storage::codec;
use crate::engine::storage::snapshot::Snapshot;
use crate::engine::storage::snapshots::Snapshots;

/// Decodes documents of which some blobs are stored and others are only in memory.
pub(super) struct BatchReader<'txn> {
    snapshots: &'txn Snapshots,
    /// The database before the batch, once a blob of it is needed.
    before: Option<Arc<Snapshot>>,
    /// The blobs that the batch itself adds, by their numbers.
    pub(super) added: HashMap<u64, Bytes>,
}

impl<'txn> BatchReader<'txn> {
    pub(super) fn new(snapshots: &'txn Snapshots) -> Self {
        Self {
            snapshots,
            before: None,
            added: HashMap::new(),
        }
    }

    /// Decodes a document and sets `blobs` to the blobs that it refers to.
    pub(super) fn decode(
        &mut self,
        table: TableId,
        bytes: &[u8],
        blobs: &mut Vec<u64>,
    ) -> Result<Datum, ReqlError> {
        // The first pass finds out whether a snapshot is needed at all: most documents have no stored blob, and a
        // snapshot costs more than decoding one again.
        loop {
            blobs.clear();
            let mut needs_snapshot = false;
            let mut source: Option<Arc<dyn BlobSource>> = None;
            let datum = codec::decode(bytes, &mut |blob, len| {
                blobs.push(blob);
                match (self.added.get(&blob), &self.before) {
                    (Some(bytes), _) => Binary::Inline(bytes.clone()),
                    (None, Some(before)) => before.stored_binary(&mut source, table, blob, len),
                    (None, None) => {
                        needs_snapshot = true;
                        Binary::Inline(Bytes::new())
                    }
                }
            });
            if !needs_snapshot {
                return datum.map_err(|error| error.explain());
            }
            self.before = Some(self.snapshots.latest()?);
        }
    }
}
