//! The read side: the database as of one commit.

use std::sync::Arc;

use redb::{ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use super::catalog::{Catalog, IndexId, TableId};
use super::checksum;
use super::codec;
use super::damage::DamageLog;
use super::failure::ReadErrors;
use super::layout;
use crate::engine::datum::Datum;
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

/// The message for documents and tables that cannot be read because pages of the file are damaged.
const UNREADABLE: &str = "its pages cannot be read";

/// The documents of one table, open for reading.
pub(super) type DocumentsRead = ReadOnlyTable<&'static [u8], &'static [u8]>;

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

    pub(super) fn documents(&self, table: TableId) -> Result<Option<DocumentsRead>, ReqlError> {
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
    pub(super) fn entries(
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
