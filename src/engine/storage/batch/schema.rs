//! Creating, changing and dropping databases, tables and indexes.

use std::sync::Arc;

use super::Batch;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{
    Catalog, DatabaseId, IndexId, NewIndex, NewTable, Table, TableId,
};

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
        tables.iter().for_each(|table| self.log_dropped(table));
        Ok(tables.len())
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
        let table = self.edit_catalog().drop_table(id)?;
        self.log_dropped(&table);
        Ok(())
    }

    /// Creates a secondary index. The writer adds the entries of the existing documents in the background; that of a
    /// small table is ready in the same commit.
    ///
    /// # Errors
    /// When the table does not exist or has an index of that name.
    pub fn create_index(&mut self, table: TableId, new: NewIndex) -> Result<(), ReqlError> {
        let id = self.edit_catalog().create_index(table, new)?;
        self.create_entries(id)
    }

    /// Builds an index anew, because its entries are damaged. Its name stays.
    ///
    /// # Errors
    /// When the table does not exist.
    pub(in crate::engine::storage) fn rebuild_index(
        &mut self,
        table: TableId,
        index: IndexId,
    ) -> Result<(), ReqlError> {
        if let Some(id) = self.edit_catalog().renew_index(table, index)? {
            self.create_entries(id)?;
            self.operation.dropped_indexes.push(index);
        }
        Ok(())
    }

    /// Creates the redb table of an index. It must exist: a missing one means that the file is damaged.
    fn create_entries(&mut self, index: IndexId) -> Result<(), ReqlError> {
        self.operation.created_indexes.push(index);
        let created = self.tables.create_index(index);
        self.error.check(created)
    }

    /// Drops a secondary index and its entries.
    ///
    /// # Errors
    /// When the table or the index does not exist.
    pub fn drop_index(&mut self, table: TableId, name: &str) -> Result<(), ReqlError> {
        let index = self.edit_catalog().drop_index(table, name)?;
        self.operation.dropped_indexes.push(index.id);
        Ok(())
    }

    /// Renames the index `old` to `new`. With `overwrite` it replaces an index of that name.
    ///
    /// # Errors
    /// When the table or the index does not exist, or an index is not to be replaced.
    pub fn rename_index(
        &mut self,
        table: TableId,
        (old, new): (&str, &str),
        overwrite: bool,
    ) -> Result<(), ReqlError> {
        let replaced = self
            .edit_catalog()
            .rename_index(table, (old, new), overwrite)?;
        self.operation
            .dropped_indexes
            .extend(replaced.map(|index| index.id));
        Ok(())
    }

    fn log_dropped(&mut self, table: &Table) {
        self.operation.dropped.push(table.id);
        self.operation
            .dropped_indexes
            .extend(table.indexes.iter().map(|index| index.id));
    }

    pub(super) fn edit_catalog(&mut self) -> &mut Catalog {
        // Kept for `reject`. The shared `Arc` makes `make_mut` edit a copy.
        if self.operation.catalog.is_none() {
            self.operation.catalog = Some(Arc::clone(&self.catalog));
        }
        Arc::make_mut(&mut self.catalog)
    }
}
