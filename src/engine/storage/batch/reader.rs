//! Decoding of documents inside a batch.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::datum::{Binary, BlobSource, Datum};
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{Catalog, TableId};
use crate::engine::storage::checksum;
use crate::engine::storage::codec::{self, DecodeError};
use crate::engine::storage::damage::DamageLog;
use crate::engine::storage::snapshot::Snapshot;
use crate::engine::storage::snapshots::Snapshots;

/// Decodes documents whose blobs are partly stored and partly still in memory.
pub(super) struct BatchReader<'txn> {
    snapshots: &'txn Snapshots,
    /// The database before the batch, opened when one of its blobs is needed.
    before: Option<Arc<Snapshot>>,
    /// The blobs that the batch adds, by number. They stay here after they are stored, because `before` does not
    /// contain them.
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

    /// Decodes a document and sets `blobs` to the numbers of its blobs.
    ///
    /// # Errors
    /// When the document is damaged, or the disk fails.
    pub(super) fn decode(
        &mut self,
        catalog: &Catalog,
        table: TableId,
        key: &[u8],
        stored: &[u8],
        blobs: &mut Vec<u64>,
    ) -> Result<Datum, ReqlError> {
        self.try_decode(catalog, table, key, stored, blobs)?
    }

    /// As [`BatchReader::decode`], with the error of a damaged document inside, and that of the disk outside.
    pub(super) fn try_decode(
        &mut self,
        catalog: &Catalog,
        table: TableId,
        key: &[u8],
        stored: &[u8],
        blobs: &mut Vec<u64>,
    ) -> Result<Result<Datum, ReqlError>, ReqlError> {
        let damage = &self.snapshots.damage;
        let damaged = |error: DecodeError| damage.document(catalog, table, key, &error.to_string());
        let bytes = match checksum::open_document(table, key, stored) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(damaged(error))),
        };
        // Most documents have no stored blob, and a snapshot costs more than decoding twice. So it is taken only if the
        // first pass finds such a blob.
        loop {
            blobs.clear();
            let mut needs_snapshot = false;
            let mut source: Option<Arc<dyn BlobSource>> = None;
            let datum = codec::decode(bytes, &mut |blob, len| {
                blobs.push(blob);
                match (self.added.get(&blob), &self.before) {
                    (Some(bytes), _) => Binary::Inline(bytes.clone()),
                    (None, Some(before)) => {
                        before.stored_binary(&mut source, table, key, blob, len)
                    }
                    (None, None) => {
                        needs_snapshot = true;
                        Binary::Inline(Bytes::new())
                    }
                }
            });
            if !needs_snapshot {
                return Ok(datum.map_err(damaged));
            }
            self.before = Some(self.snapshots.latest()?);
        }
    }

    /// The damage that reads have found.
    pub(super) fn damage(&self) -> &'txn DamageLog {
        &self.snapshots.damage
    }
}
