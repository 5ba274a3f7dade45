//! What an operation can do to databases, tables and indexes.

use std::sync::Arc;

use super::Batch;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{Catalog, DatabaseId, Index, NewTable, Table, TableId};

impl Batch<'_> {
    /// Makes a database.
    ///
    /// # Errors
    /// When there is one of that name.
    pub fn create_database(&mut self, name: &str) -> Result<DatabaseId, ReqlError> {
        self.edit_catalog().create_database(name)
    }

    /// Removes a database with all its tables; returns their number.
    ///
    /// # Errors
    /// When it is gone.
    pub fn drop_database(&mut self, id: DatabaseId) -> Result<usize, ReqlError> {
        let tables = self.edit_catalog().drop_database(id)?;
        let count = tables.len();
        self.undo.dropped.extend(tables);
        Ok(count)
    }

    /// Makes a table.
    ///
    /// # Errors
    /// When the database is gone or has a table of that name.
    pub fn create_table(
        &mut self,
        database: DatabaseId,
        new: NewTable,
    ) -> Result<TableId, ReqlError> {
        let id = self.edit_catalog().create_table(database, new)?;
        self.undo.created.push(id);
        Ok(id)
    }

    /// Removes a table with all its documents.
    ///
    /// # Errors
    /// When it is gone.
    pub fn drop_table(&mut self, id: TableId) -> Result<(), ReqlError> {
        self.edit_catalog().drop_table(id)?;
        self.undo.dropped.push(id);
        Ok(())
    }

    /// Notes a secondary index.
    ///
    /// # Errors
    /// When the table is gone or has an index of that name.
    pub fn create_index(&mut self, table: TableId, index: Index) -> Result<(), ReqlError> {
        self.edit_catalog().create_index(table, index)
    }

    /// Forgets a secondary index.
    ///
    /// # Errors
    /// When the table is gone or has no index of that name.
    pub fn drop_index(&mut self, table: TableId, name: &str) -> Result<(), ReqlError> {
        self.edit_catalog().drop_index(table, name)
    }

    /// Puts new facts about a table, found by its id, in the place of the old ones. The documents are left alone.
    ///
    /// # Errors
    /// When the table is gone or another one has its new name.
    pub fn update_table(&mut self, table: Table) -> Result<(), ReqlError> {
        self.edit_catalog().update_table(table)
    }

    fn edit_catalog(&mut self) -> &mut Catalog {
        if self.undo.catalog.is_none() {
            self.undo.catalog = Some(Arc::clone(&self.catalog));
        }
        Arc::make_mut(&mut self.catalog)
    }
}
