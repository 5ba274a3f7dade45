//! The write side: the operations inside one transaction of the writer.

mod assignment;
mod first_error;
mod indexing;
mod operation;
mod operation_log;
mod reader;
mod scan;
mod schema;
mod seal;
mod space;

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata};

pub use scan::BatchScan;

use super::catalog::{Catalog, TableId};
use super::checksum;
use super::codec;
use super::commit::Change;
use super::index_functions::IndexFunctions;
use super::key_range::{self, Direction};
use super::snapshots::Snapshots;
use super::tables::{Redo, WriteTables};
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use assignment::BlobAssignment;
use first_error::FirstError;
use operation_log::OperationLog;
use reader::BatchReader;

/// The database inside a write. Reads see the writes of this operation and of earlier ones in the batch. If the
/// operation fails, only its own writes are undone.
pub struct Batch<'txn> {
    tables: WriteTables<'txn>,
    reader: BatchReader<'txn>,
    functions: &'txn IndexFunctions,
    catalog: Arc<Catalog>,
    next_blob: u64,
    changes: Vec<Change>,
    dropped: Vec<TableId>,
    redo: Vec<Redo>,
    bytes: usize,
    operation: OperationLog,
    error: FirstError,
}

/// The result of all operations of a batch.
pub(super) struct Outcome {
    pub(super) changes: Vec<Change>,
    pub(super) dropped: Vec<TableId>,
    pub(super) redo: Vec<Redo>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) next_blob: u64,
    /// See [`Batch::bytes`].
    pub(super) bytes: usize,
    /// The bytes of the blobs that were stored.
    pub(super) added: usize,
    /// The bytes of the blobs that were removed.
    pub(super) removed: usize,
}

impl<'txn> Batch<'txn> {
    pub(super) fn new(
        tables: WriteTables<'txn>,
        snapshots: &'txn Snapshots,
        functions: &'txn IndexFunctions,
        catalog: Arc<Catalog>,
        next_blob: u64,
    ) -> Self {
        Self {
            tables,
            reader: BatchReader::new(snapshots),
            functions,
            catalog,
            next_blob,
            changes: Vec::new(),
            dropped: Vec::new(),
            redo: Vec::new(),
            bytes: 0,
            operation: OperationLog::default(),
            error: FirstError::default(),
        }
    }

    /// The databases and tables.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The document with the given key.
    ///
    /// # Errors
    /// When the table does not exist, the disk fails, or the document is damaged.
    pub fn get(&mut self, table: TableId, key: &[u8]) -> Result<Option<Datum>, ReqlError> {
        self.require_table(table)?;
        let Some(bytes) = self.raw(table, key)? else {
            return Ok(None);
        };
        let catalog = &self.catalog;
        let datum = self
            .reader
            .decode(catalog, table, key, &bytes, &mut Vec::new());
        datum.map(Some)
    }

    /// The number of documents in a table, in constant time.
    ///
    /// # Errors
    /// When the table does not exist or the disk fails.
    pub fn count(&mut self, table: TableId) -> Result<u64, ReqlError> {
        self.require_table(table)?;
        let count = self
            .tables
            .documents(table)
            .and_then(|documents| Ok(documents.len()?));
        self.error.check(count)
    }

    /// The documents with keys between two bounds, read lazily.
    ///
    /// # Errors
    /// When the table does not exist or the disk fails.
    pub fn scan(
        &mut self,
        table: TableId,
        lower: Bound<Vec<u8>>,
        upper: Bound<Vec<u8>>,
        direction: Direction,
    ) -> Result<BatchScan<'_, 'txn>, ReqlError> {
        self.require_table(table)?;
        let range = if key_range::is_empty(&lower, &upper) {
            None
        } else {
            let range = self.tables.documents(table).and_then(|documents| {
                Ok(documents.range::<&[u8]>(key_range::borrow(&lower, &upper))?)
            });
            Some(self.error.check(range)?)
        };
        Ok(BatchScan {
            range,
            reader: &mut self.reader,
            error: &mut self.error,
            catalog: &self.catalog,
            table,
            direction,
            last: None,
        })
    }

    /// Inserts a document, or replaces the one with the same key.
    ///
    /// A large binary taken over from the replaced document keeps its blob on disk; any other becomes a new blob.
    ///
    /// # Errors
    /// When the table does not exist, the disk fails, or a binary cannot be read.
    pub fn put(&mut self, table: TableId, key: &[u8], new: &Datum) -> Result<(), ReqlError> {
        self.require_table(table)?;
        let old = self.raw(table, key)?;
        let mut old_blobs = Vec::new();
        let old_datum = match &old {
            Some(bytes) => {
                let catalog = &self.catalog;
                let old = self
                    .reader
                    .decode(catalog, table, key, bytes, &mut old_blobs);
                Some(old?)
            }
            None => None,
        };
        let indexed = self.index_changes(table, key, old_datum.as_ref(), Some(new))?;
        let mut assignment = BlobAssignment::new(&old_blobs, &mut self.next_blob);
        let added = &self.reader.added;
        let encoded = codec::encode(new, &mut |binary| assignment.assign(binary, added))?;
        let BlobAssignment {
            kept, new: stored, ..
        } = assignment;
        let encoded = checksum::seal_document(table, key, &encoded);

        let written = self.tables.documents(table).and_then(|documents| {
            documents.insert(key, encoded.as_slice())?;
            Ok(())
        });
        self.error.check(written)?;

        self.bytes += key.len() + encoded.len();
        self.operation.unused_blobs.extend(
            old_blobs
                .iter()
                .filter(|blob| !kept.contains(blob))
                .map(|blob| (table, *blob)),
        );
        for (blob, bytes) in stored {
            self.bytes += bytes.len();
            self.operation.added_blobs.push((table, blob));
            self.reader.added.insert(blob, bytes);
        }
        self.redo.push(Redo::Put {
            table,
            key: key.to_vec(),
            document: encoded,
        });
        self.record(table, key, (old, old_datum), Some(new.clone()));
        self.update_indexes(&indexed, key)
    }

    /// Deletes a document; returns `false` if it does not exist.
    ///
    /// # Errors
    /// When the table does not exist, the disk fails, or the document is damaged.
    pub fn delete(&mut self, table: TableId, key: &[u8]) -> Result<bool, ReqlError> {
        self.require_table(table)?;
        let Some(old) = self.raw(table, key)? else {
            return Ok(false);
        };
        let mut old_blobs = Vec::new();
        let catalog = &self.catalog;
        let old_datum = self
            .reader
            .decode(catalog, table, key, &old, &mut old_blobs)?;
        let indexed = self.index_changes(table, key, Some(&old_datum), None)?;
        let removed = self.tables.documents(table).and_then(|documents| {
            documents.remove(key)?;
            Ok(())
        });
        self.error.check(removed)?;
        self.bytes += key.len() + old.len();
        self.operation
            .unused_blobs
            .extend(old_blobs.into_iter().map(|blob| (table, blob)));
        self.redo.push(Redo::Delete {
            table,
            key: key.to_vec(),
        });
        self.record(table, key, (Some(old), Some(old_datum)), None);
        self.update_indexes(&indexed, key)?;
        Ok(true)
    }

    /// The size in bytes of the keys, documents and blobs written by the batch so far. They are held in memory until
    /// the commit.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The error that makes the whole batch fail, if there was one.
    pub(super) fn error(&self) -> Option<&ReqlError> {
        self.error.get()
    }

    /// Ends the batch and closes its tables, which must happen before the transaction is committed.
    pub(super) fn finish(self) -> Outcome {
        Outcome {
            changes: self.changes,
            dropped: self.dropped,
            redo: self.redo,
            catalog: self.catalog,
            next_blob: self.next_blob,
            bytes: self.bytes,
            added: self.tables.added(),
            removed: self.tables.removed(),
        }
    }

    fn record(
        &mut self,
        table: TableId,
        key: &[u8],
        (old_bytes, old): (Option<Vec<u8>>, Option<Datum>),
        new: Option<Datum>,
    ) {
        self.operation
            .documents
            .push((table, key.to_vec(), old_bytes));
        self.changes.push(Change {
            table,
            key: key.to_vec(),
            old,
            new,
        });
    }

    fn require_table(&self, table: TableId) -> Result<(), ReqlError> {
        // Needed because `WriteTables` creates a missing table: a write would bring back a dropped one.
        match self.catalog.table_by_id(table) {
            Some(_) => self.reader.damage().check_writable(table),
            None => Err(ReqlError::op_failed("The table does not exist any more.")),
        }
    }

    fn raw(&mut self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>, ReqlError> {
        let found = self.tables.documents(table).and_then(|documents| {
            let found = documents.get(key)?;
            Ok(found.map(|value| value.value().to_vec()))
        });
        let found = self.error.check(found)?;
        if found.is_none() {
            self.reader.damage().check_missing(table, key)?;
        }
        Ok(found)
    }
}
