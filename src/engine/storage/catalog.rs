//! Databases, tables and secondary indexes.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::engine::error::ReqlError;

/// The point at which a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Immediately. The write is on disk within a second.
    Soft,
    /// Once the write is on disk.
    Hard,
}

/// The identity of a database. A rename does not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatabaseId(pub Uuid);

/// The identity of a table. A rename does not change it, and it is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub Uuid);

/// The identity of a secondary index. A rename does not change it, and it is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexId(pub Uuid);

impl fmt::Display for DatabaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for IndexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// The identity of the database.
    pub id: DatabaseId,
    /// The name in queries.
    pub name: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The identity of the table.
    pub id: TableId,
    /// The database of the table.
    pub database: DatabaseId,
    /// The name in queries.
    pub name: String,
    /// The field that holds the primary key of a document.
    pub primary_key: Arc<str>,
    /// The default durability of writes.
    pub durability: Durability,
    /// The secondary indexes, sorted by name.
    pub indexes: Vec<Index>,
}

/// The definition of a table to create.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// The name in queries.
    pub name: String,
    /// The field that holds the primary key of a document.
    pub primary_key: String,
    /// The default durability of writes.
    pub durability: Durability,
}

/// A secondary index. The storage keeps its entries; the evaluator interprets its function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The identity of the index.
    pub id: IndexId,
    /// The name in queries.
    pub name: String,
    /// The function that computes the indexed value, in the evaluator's encoding.
    pub function: Arc<str>,
    /// `true` if each element of an array is indexed separately.
    pub multi: bool,
    /// `true` for a geospatial index.
    pub geo: bool,
    /// `true` if the index has the entries of all documents. Until then it cannot be read.
    pub ready: bool,
}

/// The definition of a secondary index to create.
#[derive(Clone, Debug)]
pub struct NewIndex {
    /// The name in queries.
    pub name: String,
    /// The function that computes the indexed value, in the evaluator's encoding.
    pub function: Arc<str>,
    /// `true` if each element of an array is indexed separately.
    pub multi: bool,
}

impl Table {
    /// The index with the given name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    fn add_index(&mut self, index: Index) {
        self.indexes.push(index);
        self.indexes.sort_by(|a, b| a.name.cmp(&b.name));
    }

    fn remove_index(&mut self, name: &str) -> Option<Index> {
        let found = self.indexes.iter().position(|index| index.name == name)?;
        Some(self.indexes.remove(found))
    }
}

/// All databases and tables, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    databases: Vec<Database>,
    tables: Vec<Table>,
}

impl Catalog {
    /// A catalog of databases and tables, which must be sorted by name.
    pub(super) fn from_parts(databases: Vec<Database>, tables: Vec<Table>) -> Self {
        Self { databases, tables }
    }

    /// All databases, sorted by name.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// The tables of all databases, sorted by name.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The tables of one database, sorted by name.
    pub fn tables_of(&self, database: DatabaseId) -> impl Iterator<Item = &Table> {
        self.tables
            .iter()
            .filter(move |table| table.database == database)
    }

    /// The database with the given name.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.name == name)
    }

    /// The database with the given id.
    pub fn database_by_id(&self, id: DatabaseId) -> Option<&Database> {
        self.databases.iter().find(|database| database.id == id)
    }

    /// The table with the given name.
    pub fn table(&self, database: DatabaseId, name: &str) -> Option<&Table> {
        self.tables_of(database).find(|table| table.name == name)
    }

    /// The table with the given id.
    pub fn table_by_id(&self, id: TableId) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    /// `database.table`, as in RethinkDB's messages.
    pub fn full_name(&self, table: &Table) -> String {
        let database = self
            .database_by_id(table.database)
            .map_or("?", |database| &database.name);
        format!("{database}.{}", table.name)
    }

    pub(super) fn create_database(&mut self, name: &str) -> Result<DatabaseId, ReqlError> {
        if self.database(name).is_some() {
            return Err(ReqlError::op_failed(format!(
                "Database `{name}` already exists."
            )));
        }
        let id = DatabaseId(Uuid::new_v4());
        self.databases.push(Database {
            id,
            name: name.to_owned(),
        });
        self.databases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(id)
    }

    /// Removes a database and its tables; returns the tables.
    pub(super) fn drop_database(&mut self, id: DatabaseId) -> Result<Vec<Table>, ReqlError> {
        let found = self.databases.iter().position(|database| database.id == id);
        self.databases
            .remove(found.ok_or_else(|| missing("database"))?);
        let (dropped, kept) = std::mem::take(&mut self.tables)
            .into_iter()
            .partition(|table| table.database == id);
        self.tables = kept;
        Ok(dropped)
    }

    pub(super) fn create_table(
        &mut self,
        database: DatabaseId,
        new: NewTable,
    ) -> Result<TableId, ReqlError> {
        let owner = self
            .database_by_id(database)
            .ok_or_else(|| missing("database"))?;
        if self.table(database, &new.name).is_some() {
            return Err(ReqlError::op_failed(format!(
                "Table `{}.{}` already exists.",
                owner.name, new.name
            )));
        }
        let id = TableId(Uuid::new_v4());
        self.tables.push(Table {
            id,
            database,
            name: new.name,
            primary_key: new.primary_key.into(),
            durability: new.durability,
            indexes: Vec::new(),
        });
        self.sort_tables();
        Ok(id)
    }

    /// Removes a table and returns it.
    pub(super) fn drop_table(&mut self, id: TableId) -> Result<Table, ReqlError> {
        let found = self.tables.iter().position(|table| table.id == id);
        Ok(self.tables.remove(found.ok_or_else(|| missing("table"))?))
    }

    pub(super) fn create_index(
        &mut self,
        table: TableId,
        new: NewIndex,
    ) -> Result<IndexId, ReqlError> {
        let position = self.position(table)?;
        if self.tables[position].index(&new.name).is_some() {
            return Err(self.index_exists(position, &new.name));
        }
        let id = IndexId(Uuid::new_v4());
        self.tables[position].add_index(Index {
            id,
            name: new.name,
            function: new.function,
            multi: new.multi,
            geo: false,
            ready: false,
        });
        Ok(id)
    }

    /// Removes an index and returns it.
    pub(super) fn drop_index(&mut self, table: TableId, name: &str) -> Result<Index, ReqlError> {
        let position = self.position(table)?;
        let removed = self.tables[position].remove_index(name);
        removed.ok_or_else(|| self.index_missing(position, name))
    }

    /// Renames an index. With `overwrite` it replaces an index of the new name, which is returned.
    pub(super) fn rename_index(
        &mut self,
        table: TableId,
        (old, new): (&str, &str),
        overwrite: bool,
    ) -> Result<Option<Index>, ReqlError> {
        let position = self.position(table)?;
        let indexes = &self.tables[position];
        let is_missing = indexes.index(old).is_none();
        if is_missing && overwrite {
            return Err(self.index_missing(position, old));
        }
        let is_taken = old != new && !overwrite && indexes.index(new).is_some();
        if is_missing || is_taken {
            let full_name = self.full_name(indexes);
            return Err(ReqlError::op_failed(format!(
                "Index `{old}` does not exist or index `{new}` already exists on table `{full_name}`."
            )));
        }
        if old == new {
            return Ok(None);
        }
        let table = &mut self.tables[position];
        let replaced = table.remove_index(new);
        if let Some(index) = table.remove_index(old) {
            let name = new.to_owned();
            table.add_index(Index { name, ..index });
        }
        Ok(replaced)
    }

    /// Replaces an index by one of the same name without entries; returns its id. `None` if there is no such index.
    pub(super) fn renew_index(
        &mut self,
        table: TableId,
        id: IndexId,
    ) -> Result<Option<IndexId>, ReqlError> {
        let position = self.position(table)?;
        let indexes = &mut self.tables[position].indexes;
        let Some(index) = indexes.iter_mut().find(|index| index.id == id) else {
            return Ok(None);
        };
        index.id = IndexId(Uuid::new_v4());
        index.ready = false;
        Ok(Some(index.id))
    }

    /// Records that an index has the entries of all documents.
    pub(super) fn set_index_ready(&mut self, table: TableId, id: IndexId) -> Result<(), ReqlError> {
        let position = self.position(table)?;
        let indexes = &mut self.tables[position].indexes;
        if let Some(index) = indexes.iter_mut().find(|index| index.id == id) {
            index.ready = true;
        }
        Ok(())
    }

    fn index_exists(&self, table: usize, name: &str) -> ReqlError {
        let full_name = self.full_name(&self.tables[table]);
        ReqlError::op_failed(format!(
            "Index `{name}` already exists on table `{full_name}`."
        ))
    }

    fn index_missing(&self, table: usize, name: &str) -> ReqlError {
        let full_name = self.full_name(&self.tables[table]);
        ReqlError::op_failed(format!(
            "Index `{name}` does not exist on table `{full_name}`."
        ))
    }

    fn position(&self, table: TableId) -> Result<usize, ReqlError> {
        self.tables
            .iter()
            .position(|other| other.id == table)
            .ok_or_else(|| missing("table"))
    }

    fn sort_tables(&mut self) {
        self.tables
            .sort_by(|a, b| a.name.cmp(&b.name).then(a.database.cmp(&b.database)));
    }
}

fn missing(what: &str) -> ReqlError {
    ReqlError::op_failed(format!("The {what} does not exist any more."))
}
