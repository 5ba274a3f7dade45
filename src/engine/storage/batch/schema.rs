//! Creating, changing and dropping databases, tables and indexes.

use std::sync::Arc;

use super::Batch;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{Catalog, DatabaseId, Index, NewTable, Table, TableId};

impl Batch<'_> {
    /// Creates a database.
    ///
    /// # Errors
    /// When a database of that name exists.
    pub fn create_database(&mut self, name: &str) -> Result<DatabaseId, ReqlError> {
        self.edit_catalog().create_database(name)
    }

    /// Drops a database and all its tables; returns the number of tables.
    ///
    /// # Errors
    /// When the database does not exist.
    pub fn drop_database(&mut self, id: DatabaseId) -> Result<usize, ReqlError> {
        let tables = self.edit_catalog().drop_database(id)?;
        let count = tables.len();
        self.operation.dropped.extend(tables);
        Ok(count)
    }

    /// Creates a table.
    ///
    /// # Errors
    /// When the database does not exist or has a table of that name.
    pub fn create_table(
        &mut self,
        database: DatabaseId,
        new: NewTable,
    ) -> Result<TableId, ReqlError> {
        let id = self.edit_catalog().create_table(database, new)?;
        self.operation.created.push(id);
        // Its redb table must exist: a missing one means that the file is damaged.
        let created = self.tables.documents(id).map(drop);
        self.error.check(created)?;
        Ok(id)
    }

    /// Drops a table and all its documents.
    ///
    /// # Errors
    /// When the table does not exist.
    pub fn drop_table(&mut self, id: TableId) -> Result<(), ReqlError> {
        self.edit_catalog().drop_table(id)?;
        self.operation.dropped.push(id);
        Ok(())
    }

    /// Adds the definition of a secondary index.
    ///
    /// # Errors
    /// When the table does not exist or has an index of that name.
    pub fn create_index(&mut self, table: TableId, index: Index) -> Result<(), ReqlError> {
        self.edit_catalog().create_index(table, index)
    }

    /// Removes the definition of a secondary index.
    ///
    /// # Errors
    /// When the table or the index does not exist.
    pub fn drop_index(&mut self, table: TableId, name: &str) -> Result<(), ReqlError> {
        self.edit_catalog().drop_index(table, name)
    }

    /// Replaces the definition of the table with the same id. Its documents stay unchanged.
    ///
    /// # Errors
    /// When the table does not exist, or another one has the new name.
    pub fn update_table(&mut self, table: Table) -> Result<(), ReqlError> {
        self.edit_catalog().update_table(table)
    }

    fn edit_catalog(&mut self) -> &mut Catalog {
        // Kept for `reject`. The shared `Arc` makes `make_mut` edit a copy.
        if self.operation.catalog.is_none() {
            self.operation.catalog = Some(Arc::clone(&self.catalog));
        }
        Arc::make_mut(&mut self.catalog)
    }
}
