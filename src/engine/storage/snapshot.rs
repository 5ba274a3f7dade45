//! The read side: the database as of one commit.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use super::catalog::{Catalog, IndexId, TableId};
use super::checksum;
use super::codec;
use super::damage::DamageLog;
use super::document_scan::{DocumentRange, Scan};
use super::failure::ReadErrors;
use super::index_entry::EntryRange;
use super::index_scan::IndexScan;
use super::key_range::{self, Direction};
use super::layout;
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::{ErrorKind, ReqlError};

/// The whole database as of one commit. A snapshot does not block the writer, but until it is dropped the space of
/// documents deleted since cannot be reused. All methods may block on the disk.
pub struct Snapshot {
    transaction: ReadTransaction,
    seq: u64,
    pub(super) catalog: Arc<Catalog>,
    pub(super) errors: ReadErrors,
    pub(super) damage: Arc<DamageLog>,
}

/// What is said of documents, and tables, that cannot be read because of the pages of the file.
const UNREADABLE: &str = "its pages cannot be read";

/// The bytes that redb needs for a document besides its own, about.
const DOCUMENT_OVERHEAD: usize = 32;

/// The size of a page of redb in bytes.
const PAGE: u64 = 4096;

/// The documents of one table, open for reading.
type DocumentsRead = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Snapshot {
    pub(super) fn new(
        transaction: ReadTransaction,
        seq: u64,
        catalog: Arc<Catalog>,
        errors: ReadErrors,
        damage: Arc<DamageLog>,
    ) -> Self {
        Self {
            transaction,
            seq,
            catalog,
            errors,
            damage,
        }
    }

    /// The transaction that reads from redb.
    pub(super) fn transaction(&self) -> &ReadTransaction {
        &self.transaction
    }

    /// The size in bytes of all documents, their blobs and index entries, with the space that redb needs for them. Damaged documents do
    /// not count.
    pub(super) fn held_bytes(self: &Arc<Self>) -> Result<u64, ReqlError> {
        let mut held = 0;
        for table in self.catalog.tables() {
            let (from, to) = (Bound::Unbounded, Bound::Unbounded);
            let mut scan = self.scan(table.id, from, to, Direction::Ascending)?;
            while let Some(entry) = scan.next_stored() {
                let (key, stored) = entry?;
                held += (key.len() + stored.len() + DOCUMENT_OVERHEAD) as u64;
                let mut resolve = |_, len: u64| {
                    held += len.next_multiple_of(PAGE);
                    Binary::Inline(Bytes::new())
                };
                // Only the lengths are of interest.
                let _ = checksum::open_document(table.id, &key, &stored)
                    .and_then(|document| codec::decode(document, &mut resolve));
            }
            for index in &table.indexes {
                let all = EntryRange::all();
                // A damaged index is built anew.
                let Ok(mut entries) =
                    self.scan_index(table.id, index.id, &all, Direction::Ascending)
                else {
                    continue;
                };
                while let Some(Ok(entry)) = entries.next_entry() {
                    let size = entry.key.len() + checksum::CHECKSUM + entry.primary_key.len();
                    held += (size + DOCUMENT_OVERHEAD) as u64;
                }
            }
        }
        Ok(held)
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
        let Some(stored) = self.stored(table, key)? else {
            self.damage.check_missing(table, key)?;
            return Ok(None);
        };
        self.decode(table, key, &stored).map(Some)
    }

    /// The bytes of a document as they are stored.
    pub(super) fn stored(&self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>, ReqlError> {
        let Some(documents) = self.documents(table)? else {
            return Ok(None);
        };
        let found = self.errors.read(|| {
            let found = documents.get(key)?;
            Ok(found.map(|found| found.value().to_vec()))
        });
        found.map_err(|error| self.name_damage(error, table, Some(key)))
    }

    /// The number of documents in a table, in constant time.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn count(&self, table: TableId) -> Result<u64, ReqlError> {
        match self.documents(table)? {
            Some(documents) => {
                let count = self.errors.read(|| Ok(documents.len()?));
                count.map_err(|error| self.name_damage(error, table, None))
            }
            None => Ok(0),
        }
    }

    /// The documents with keys between two bounds, read lazily. The scan keeps the snapshot alive.
    ///
    /// Skips damaged documents, which are logged: one of them must not keep the others from being read.
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
        Ok(Scan {
            snapshot: Arc::clone(self),
            table,
            range: self.range(table, &lower, &upper)?,
            direction,
            last: None,
        })
    }

    /// The entries of a range of an index, read lazily. The scan keeps the snapshot alive.
    ///
    /// Skips damaged documents, as [`Snapshot::scan`] does.
    ///
    /// # Errors
    /// When the disk fails, the index is damaged, or it was dropped.
    pub fn scan_index(
        self: &Arc<Self>,
        table: TableId,
        index: IndexId,
        range: &EntryRange,
        direction: Direction,
    ) -> Result<IndexScan, ReqlError> {
        let known = self.catalog.table_by_id(table);
        if !known.is_some_and(|table| table.indexes.iter().any(|known| known.id == index)) {
            return Err(ReqlError::op_failed("The index does not exist any more."));
        }
        self.damage.check_index(index)?;
        // A table of which nothing can be read is an error, not an index without documents.
        self.documents(table)?;
        let EntryRange { lower, upper } = range;
        let entries = self.errors.read(|| {
            let entries = self.entries(index)?;
            if key_range::is_empty(lower, upper) {
                return Ok(None);
            }
            let bounds = key_range::borrow(lower, upper);
            Ok(Some(entries.range_owned::<&[u8]>(bounds)?))
        });
        Ok(IndexScan {
            entries: entries.map_err(|error| self.name_index_damage(error, table, index))?,
            snapshot: Arc::clone(self),
            table,
            index,
            direction,
            last: None,
        })
    }

    fn range(
        &self,
        table: TableId,
        lower: &Bound<Vec<u8>>,
        upper: &Bound<Vec<u8>>,
    ) -> Result<Option<DocumentRange>, ReqlError> {
        match self.documents(table)? {
            Some(documents) if !key_range::is_empty(lower, upper) => {
                let bounds = key_range::borrow(lower, upper);
                let range = || Ok(documents.range_owned::<&[u8]>(bounds)?);
                let range = self.errors.read(range);
                let range = range.map_err(|error| self.name_damage(error, table, None));
                range.map(Some)
            }
            _ => Ok(None),
        }
    }

    fn documents(&self, table: TableId) -> Result<Option<DocumentsRead>, ReqlError> {
        let name = layout::documents_name(table);
        let documents =
            self.errors.read(
                || match self.transaction.open_table(layout::documents(&name)) {
                    Ok(documents) => Ok(Some(documents)),
                    Err(TableError::TableDoesNotExist(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                },
            );
        match documents {
            // It is created together with its entry in the catalog.
            Ok(None) if self.catalog.table_by_id(table).is_some() => {
                let detail = "its documents are missing";
                Err(self.damage.table(&self.catalog, table, detail))
            }
            documents => documents.map_err(|error| self.name_damage(error, table, None)),
        }
    }

    /// Adds to the error of a damaged file what it is that cannot be read: a document, or a table.
    pub(super) fn name_damage(
        &self,
        error: ReqlError,
        table: TableId,
        key: Option<&[u8]>,
    ) -> ReqlError {
        if error.kind != ErrorKind::Internal {
            return error;
        }
        match key {
            Some(key) => self.damaged(table, key, UNREADABLE),
            None => self.damage.table(&self.catalog, table, UNREADABLE),
        }
    }

    pub(super) fn decode(
        self: &Arc<Self>,
        table: TableId,
        key: &[u8],
        stored: &[u8],
    ) -> Result<Datum, ReqlError> {
        let mut source = None;
        let mut resolve = |blob, len| self.stored_binary(&mut source, table, key, blob, len);
        checksum::open_document(table, key, stored)
            .and_then(|document| codec::decode(document, &mut resolve))
            .map_err(|error| self.damaged(table, key, &error.to_string()))
    }

    /// Returns `true` if an index has an entry.
    pub(super) fn has_entry(
        &self,
        table: TableId,
        index: IndexId,
        entry: &[u8],
    ) -> Result<bool, ReqlError> {
        let found = || Ok(self.entries(index)?.get(entry)?.is_some());
        let found = self.errors.read(found);
        found.map_err(|error| self.name_index_damage(error, table, index))
    }

    /// The number of entries of an index, in constant time.
    pub(super) fn count_entries(&self, table: TableId, index: IndexId) -> Result<u64, ReqlError> {
        let count = self.errors.read(|| Ok(self.entries(index)?.len()?));
        count.map_err(|error| self.name_index_damage(error, table, index))
    }

    /// The redb table of an index, which is created together with its entry in the catalog.
    fn entries(
        &self,
        index: IndexId,
    ) -> Result<ReadOnlyTable<&'static [u8], &'static [u8]>, redb::Error> {
        let name = layout::entries_name(index);
        Ok(self.transaction.open_table(layout::entries(&name))?)
    }

    /// Adds to the error of a damaged file which index it is that cannot be read.
    pub(super) fn name_index_damage(
        &self,
        error: ReqlError,
        table: TableId,
        index: IndexId,
    ) -> ReqlError {
        match error.kind {
            ErrorKind::Internal => self.damage.index(&self.catalog, (table, index), UNREADABLE),
            _ => error,
        }
    }

    /// Records that a document is damaged. Returns the error for the client.
    pub(super) fn damaged(&self, table: TableId, key: &[u8], detail: &str) -> ReqlError {
        self.damage.document(&self.catalog, table, key, detail)
    }
}
