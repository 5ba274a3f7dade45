//! The damage that reads have found: logged once, and remembered for as long as the database is open.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::catalog::{Catalog, IndexId, TableId};
use crate::engine::datum::describe_key;
use crate::engine::error::{ErrorKind, ReqlError};

/// The most damaged documents that are remembered and logged one by one. It bounds the memory, and the log of a disk
/// that is falling apart.
const MAX_DOCUMENTS: usize = 1000;

/// The damage found since the database was opened.
#[derive(Default)]
pub(super) struct DamageLog(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// The damaged documents, with the message for each.
    documents: BTreeMap<(TableId, Vec<u8>), String>,
    /// The tables in which documents cannot be found any more, with the message for each.
    tables: BTreeMap<TableId, String>,
    /// The damaged indexes, with the message for each.
    indexes: BTreeMap<IndexId, String>,
}

impl DamageLog {
    /// Records that a document or its binary is damaged. Returns the error for the client.
    pub(super) fn document(
        &self,
        catalog: &Catalog,
        table: TableId,
        key: &[u8],
        detail: &str,
    ) -> ReqlError {
        let message = format!(
            "The stored data of table `{}`, key {}, is damaged: {detail}.",
            name(catalog, table),
            describe_key(key)
        );
        let mut found = self.lock();
        let is_new = !found.documents.contains_key(&(table, key.to_vec()));
        if is_new && found.documents.len() < MAX_DOCUMENTS {
            log::error!("{message}");
            let place = (table, key.to_vec());
            found.documents.insert(place, message.clone());
        }
        ReqlError::new(ErrorKind::Internal, message)
    }

    /// Records that the structure of a table is damaged, so that some of its documents cannot be found. Returns the
    /// error for the client.
    pub(super) fn table(&self, catalog: &Catalog, table: TableId, detail: &str) -> ReqlError {
        let message = format!(
            "The stored data of table `{}` is damaged: {detail}.",
            name(catalog, table)
        );
        let mut found = self.lock();
        found.tables.entry(table).or_insert_with(|| {
            log::error!("{message}");
            message.clone()
        });
        ReqlError::new(ErrorKind::Internal, message)
    }

    /// Records that an index is damaged. Its documents are not. Returns the error for the client.
    pub(super) fn index(
        &self,
        catalog: &Catalog,
        (table, index): (TableId, IndexId),
        detail: &str,
    ) -> ReqlError {
        let found = catalog.table_by_id(table);
        let found = found.and_then(|table| table.indexes.iter().find(|other| other.id == index));
        let message = format!(
            "The stored data of index `{}` of table `{}` is damaged: {detail}. A restart builds it anew.",
            found.map_or("?", |index| &index.name),
            name(catalog, table),
        );
        self.lock().indexes.entry(index).or_insert_with(|| {
            log::error!("{message}");
            message.clone()
        });
        ReqlError::new(ErrorKind::Internal, message)
    }

    /// Decides about a key that was not found.
    ///
    /// # Errors
    /// If it is or may be in the table nevertheless: its document is known to be damaged, or the structure of the table
    /// is.
    pub(super) fn check_missing(&self, table: TableId, key: &[u8]) -> Result<(), ReqlError> {
        let found = self.lock();
        if found.documents.is_empty() && found.tables.is_empty() {
            return Ok(());
        }
        let message = found.documents.get(&(table, key.to_vec()));
        match message.or_else(|| found.tables.get(&table)) {
            Some(message) => Err(ReqlError::new(ErrorKind::Internal, message.clone())),
            None => Ok(()),
        }
    }

    /// Decides about a read of an index.
    ///
    /// # Errors
    /// If it is damaged: some of its entries may not be found.
    pub(super) fn check_index(&self, index: IndexId) -> Result<(), ReqlError> {
        match self.lock().indexes.get(&index) {
            Some(message) => Err(ReqlError::new(ErrorKind::Internal, message.clone())),
            None => Ok(()),
        }
    }

    /// Decides about a write to a table.
    ///
    /// # Errors
    /// If its structure is damaged: a write could make it worse.
    pub(super) fn check_writable(&self, table: TableId) -> Result<(), ReqlError> {
        match self.lock().tables.get(&table) {
            Some(message) => Err(ReqlError::new(ErrorKind::Internal, message.clone())),
            None => Ok(()),
        }
    }

    /// The damage, one message for each document or table.
    pub(super) fn messages(&self) -> Vec<String> {
        let found = self.lock();
        let tables = found.tables.values();
        tables
            .chain(found.indexes.values())
            .chain(found.documents.values())
            .cloned()
            .collect()
    }

    // A poisoned lock is usable: the log is consistent after each statement.
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(catalog: &Catalog, table: TableId) -> String {
    match catalog.table_by_id(table) {
        Some(found) => catalog.full_name(found),
        None => table.to_string(),
    }
}
