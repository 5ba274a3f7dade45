//! The read side: the database as of one commit.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use redb::{OwnedRange, ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use super::blobs;
use super::catalog::{Catalog, TableId};
use super::codec;
use super::failure::ReadErrors;
use super::key_range::{self, Direction};
use super::layout::{self, ChunkKey};
use crate::engine::datum::{Binary, BlobSource, Datum};
use crate::engine::error::ReqlError;

/// The whole database as of one commit. A snapshot does not block the writer, but until it is dropped the space of
/// documents deleted since cannot be reused. All methods may block on the disk.
pub struct Snapshot {
    transaction: ReadTransaction,
    seq: u64,
    catalog: Arc<Catalog>,
    errors: ReadErrors,
}

/// The documents of one table, open for reading.
type DocumentsRead = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Snapshot {
    pub(super) fn new(
        transaction: ReadTransaction,
        seq: u64,
        catalog: Arc<Catalog>,
        errors: ReadErrors,
    ) -> Self {
        Self {
            transaction,
            seq,
            catalog,
            errors,
        }
    }

    /// The number of the last commit that this snapshot contains.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The databases and tables.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The document with the given key. A table that does not exist has no documents.
    ///
    /// # Errors
    /// When the disk fails or the document is damaged.
    pub fn get(self: &Arc<Self>, table: TableId, key: &[u8]) -> Result<Option<Datum>, ReqlError> {
        let Some(documents) = self.documents(table)? else {
            return Ok(None);
        };
        let Some(found) = self.errors.check(documents.get_owned(key))? else {
            return Ok(None);
        };
        self.decode(table, &mut None, found.value()).map(Some)
    }

    /// The number of documents in a table, in constant time.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn count(&self, table: TableId) -> Result<u64, ReqlError> {
        match self.documents(table)? {
            Some(documents) => self.errors.check(documents.len()),
            None => Ok(0),
        }
    }

    /// The documents with keys between two bounds, read lazily. The scan keeps the snapshot alive.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn scan(
        self: &Arc<Self>,
        table: TableId,
        lower: Bound<Vec<u8>>,
        upper: Bound<Vec<u8>>,
        direction: Direction,
    ) -> Result<Scan, ReqlError> {
        let range = match self.documents(table)? {
            Some(documents) if !key_range::is_empty(&lower, &upper) => {
                let bounds = key_range::borrow(&lower, &upper);
                Some(self.errors.check(documents.range_owned::<&[u8]>(bounds))?)
            }
            _ => None,
        };
        Ok(Scan {
            snapshot: Arc::clone(self),
            table,
            range,
            direction,
            blobs: None,
        })
    }

    /// A binary that reads its bytes from this snapshot on demand. The first call fills `source`; later calls for the
    /// same table share it.
    pub(super) fn stored_binary(
        self: &Arc<Self>,
        source: &mut Option<Arc<dyn BlobSource>>,
        table: TableId,
        blob: u64,
        len: u64,
    ) -> Binary {
        let source = source.get_or_insert_with(|| {
            Arc::new(TableBlobs {
                snapshot: Arc::clone(self),
                table,
            })
        });
        Binary::Stored {
            blob,
            len,
            source: Arc::clone(source),
        }
    }

    fn documents(&self, table: TableId) -> Result<Option<DocumentsRead>, ReqlError> {
        let name = layout::documents_name(table);
        match self.transaction.open_table(layout::documents(&name)) {
            Ok(documents) => Ok(Some(documents)),
            // The redb table is created by the first operation on it, not by `create_table`.
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => self.errors.check(Err(error)),
        }
    }

    fn decode(
        self: &Arc<Self>,
        table: TableId,
        source: &mut Option<Arc<dyn BlobSource>>,
        bytes: &[u8],
    ) -> Result<Datum, ReqlError> {
        let mut resolve = |blob, len| self.stored_binary(source, table, blob, len);
        codec::decode(bytes, &mut resolve).map_err(|error| error.explain())
    }
}

/// The blobs of one table as of one snapshot.
struct TableBlobs {
    snapshot: Arc<Snapshot>,
    table: TableId,
}

impl BlobSource for TableBlobs {
    fn load(&self, blob: u64, len: u64) -> Result<Bytes, ReqlError> {
        let Snapshot {
            transaction,
            errors,
            ..
        } = &*self.snapshot;
        let name = layout::chunks_name(self.table);
        let chunks: ReadOnlyTable<ChunkKey, &[u8]> =
            errors.check(transaction.open_table(layout::chunks(&name)))?;
        errors.check(blobs::load(&chunks, blob, len))?
    }
}

/// The documents of a range of keys; see [`Snapshot::scan`].
pub struct Scan {
    snapshot: Arc<Snapshot>,
    table: TableId,
    /// `None` if the table does not exist or the bounds exclude every key.
    range: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    direction: Direction,
    blobs: Option<Arc<dyn BlobSource>>,
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.direction.next(self.range.as_mut()?)?;
        Some(self.snapshot.errors.check(entry).and_then(|(key, value)| {
            let datum = self
                .snapshot
                .decode(self.table, &mut self.blobs, value.value())?;
            Ok((key.value().to_vec(), datum))
        }))
    }
}
