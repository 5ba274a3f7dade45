//! The blobs of a snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadableTableMetadata as _, TableError};

use super::blobs::{self, ChunksRead};
use super::catalog::TableId;
use super::layout;
use super::snapshot::Snapshot;
use crate::engine::datum::{Binary, BlobSource};
use crate::engine::error::ReqlError;

impl Snapshot {
    /// A binary that reads its bytes from this snapshot on demand. The first call fills `source`; later calls for the
    /// same document share it.
    pub(super) fn stored_binary(
        self: &Arc<Self>,
        source: &mut Option<Arc<dyn BlobSource>>,
        table: TableId,
        key: &[u8],
        blob: u64,
        len: u64,
    ) -> Binary {
        let source = source.get_or_insert_with(|| {
            Arc::new(DocumentBlobs {
                snapshot: Arc::clone(self),
                table,
                key: key.into(),
            })
        });
        Binary::Stored {
            blob,
            len,
            source: Arc::clone(source),
        }
    }

    /// The chunks in the redb table of this name, if there is one.
    fn chunks(&self, name: &str) -> Result<Option<ChunksRead>, ReqlError> {
        self.errors.read(
            || match self.transaction().open_table(layout::chunks(name)) {
                Ok(chunks) => Ok(Some(chunks)),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            },
        )
    }

    /// Returns `true` if a table has blobs without checksums.
    pub(super) fn has_plain_blobs(&self, table: TableId) -> Result<bool, ReqlError> {
        let Some(chunks) = self.chunks(&layout::chunks_name(table))? else {
            return Ok(false);
        };
        self.errors.read(|| Ok(!chunks.is_empty()?))
    }

    /// The numbers of all blobs of a table.
    pub(super) fn blob_numbers(&self, table: TableId) -> Result<BTreeSet<u64>, ReqlError> {
        let mut numbers = BTreeSet::new();
        for name in [layout::blobs_name(table), layout::chunks_name(table)] {
            let Some(chunks) = self.chunks(&name)? else {
                continue;
            };
            let read = self.errors.read(|| {
                let mut last = None;
                for entry in chunks.range((0, 0)..)? {
                    let key = entry?.0.value();
                    if last.is_some_and(|last| last >= key) {
                        return Err(redb::Error::Corrupted(
                            "its binaries are not in order".to_owned(),
                        ));
                    }
                    last = Some(key);
                    numbers.insert(key.0);
                }
                Ok(())
            });
            read.map_err(|error| self.name_damage(error, table, None))?;
        }
        Ok(numbers)
    }

    /// Returns `true` if a blob has no checksums.
    pub(super) fn is_plain_blob(&self, table: TableId, blob: u64) -> Result<bool, ReqlError> {
        let Some(chunks) = self.chunks(&layout::chunks_name(table))? else {
            return Ok(false);
        };
        let first = || Ok(chunks.range((blob, 0)..=(blob, u32::MAX))?.next().is_some());
        self.errors.read(first)
    }

    /// Reads a blob; `Ok(Err(_))` says what is damaged.
    fn blob(
        &self,
        table: TableId,
        blob: u64,
        len: u64,
    ) -> Result<Result<Bytes, &'static str>, ReqlError> {
        let mut result = Err(blobs::MISSING);
        if let Some(chunks) = self.chunks(&layout::blobs_name(table))? {
            let load = || Ok(blobs::load(&chunks, table, blob, len)?);
            result = self.errors.read(load)?;
        }
        // A release before format 2 may have stored it.
        if result == Err(blobs::MISSING)
            && let Some(chunks) = self.chunks(&layout::chunks_name(table))?
        {
            let load = || Ok(blobs::load_plain(&chunks, blob, len)?);
            result = self.errors.read(load)?;
        }
        Ok(result)
    }
}

/// The blobs of one document as of one snapshot.
struct DocumentBlobs {
    snapshot: Arc<Snapshot>,
    table: TableId,
    key: Box<[u8]>,
}

impl BlobSource for DocumentBlobs {
    fn load(&self, blob: u64, len: u64) -> Result<Bytes, ReqlError> {
        let loaded = self.snapshot.blob(self.table, blob, len);
        let loaded = loaded.map_err(|error| {
            self.snapshot
                .name_damage(error, self.table, Some(&self.key))
        });
        loaded?.map_err(|detail| self.snapshot.damaged(self.table, &self.key, detail))
    }
}
