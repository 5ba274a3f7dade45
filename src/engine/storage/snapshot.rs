//! The read side: the database as of one commit.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use redb::{OwnedRange, ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use super::blobs;
use super::catalog::{Catalog, IndexId, TableId};
use super::codec;
use super::failure::ReadErrors;
use super::index_entry::{self, EntryRange};
use super::key_range::{self, Direction};
use super::layout::{self, ChunkKey};
use crate::engine::datum::{Binary, BlobSource, Datum};
use crate::engine::error::{ErrorKind, ReqlError};

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

    /// The entries of a range of an index, read lazily. The scan keeps the snapshot alive.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn scan_index(
        self: &Arc<Self>,
        table: TableId,
        index: IndexId,
        range: &EntryRange,
        direction: Direction,
    ) -> Result<IndexScan, ReqlError> {
        let name = layout::entries_name(index);
        let EntryRange { lower, upper } = range;
        let entries = match self.transaction.open_table(layout::entries(&name)) {
            Ok(_) if key_range::is_empty(lower, upper) => None,
            Ok(entries) => {
                let bounds = key_range::borrow(lower, upper);
                Some(self.errors.check(entries.range_owned::<&[u8]>(bounds))?)
            }
            // The redb table is created with the first entry.
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return self.errors.check(Err(error)),
        };
        Ok(IndexScan {
            documents: match &entries {
                Some(_) => self.documents(table)?,
                None => None,
            },
            snapshot: Arc::clone(self),
            table,
            entries,
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

/// A range of an index; see [`Snapshot::scan_index`].
pub struct IndexScan {
    snapshot: Arc<Snapshot>,
    table: TableId,
    /// `None` if the table is empty.
    documents: Option<DocumentsRead>,
    /// `None` if the index is empty or the bounds exclude every entry.
    entries: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    direction: Direction,
    blobs: Option<Arc<dyn BlobSource>>,
}

/// An entry of an index and its document.
pub struct IndexedDocument {
    /// The key of the entry.
    pub entry: Vec<u8>,
    /// The encoded value and its position in the array of a multi index.
    pub value: (Vec<u8>, u32),
    /// The document.
    pub document: Datum,
}

impl IndexScan {
    /// The primary key of the next entry, without reading the document.
    pub fn next_primary_key(&mut self) -> Option<Result<Vec<u8>, ReqlError>> {
        let next = self.direction.next(self.entries.as_mut()?)?;
        let entry = self.snapshot.errors.check(next);
        Some(entry.map(|(_, key)| key.value().to_vec()))
    }

    fn read(&mut self, entry: Vec<u8>, key: &[u8]) -> Result<IndexedDocument, ReqlError> {
        let found = match &self.documents {
            Some(documents) => self.snapshot.errors.check(documents.get_owned(key))?,
            None => None,
        };
        let (Some(bytes), Some((value, position))) = (found, index_entry::parse(&entry, key))
        else {
            // Entries are written in the same commit as their documents.
            return Err(ReqlError::new(
                ErrorKind::Internal,
                "An entry of a secondary index is damaged; drop the index and create it again.",
            ));
        };
        let value = (value.to_vec(), position);
        let document = self
            .snapshot
            .decode(self.table, &mut self.blobs, bytes.value())?;
        Ok(IndexedDocument {
            entry,
            value,
            document,
        })
    }
}

impl Iterator for IndexScan {
    type Item = Result<IndexedDocument, ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.direction.next(self.entries.as_mut()?)?;
        let entry = self.snapshot.errors.check(next);
        Some(entry.and_then(|(entry, key)| self.read(entry.value().to_vec(), key.value())))
    }
}
