//! Tables and their single documents.

use std::sync::Arc;

use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::{Index, TableId};

/// A table that existed when the query looked it up.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    pub(crate) db: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) primary_key: Arc<str>,
    /// `true` if writes are soft by default.
    pub(crate) is_soft: bool,
    pub(crate) indexes: Arc<[Index]>,
}

impl Table {
    /// `database.table`, as in error messages.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.db, self.name)
    }

    /// The encoded primary key of a document of the table.
    ///
    /// # Errors
    /// A document without a primary key. No table contains one.
    pub(crate) fn key_of(&self, document: &Datum) -> Result<Vec<u8>, ReqlError> {
        let key = document
            .field(&self.primary_key)
            .ok_or_else(|| ReqlError::new(ErrorKind::Internal, "a document has no primary key"))?;
        primary_key(key)
    }
}

/// A document of a table, selected by its key.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) key: Datum,
    /// The document, or null if there is none.
    pub(crate) value: Datum,
}
