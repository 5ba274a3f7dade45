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

/// The definition of a secondary index. The storage keeps it; the evaluator interprets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The name in queries.
    pub name: String,
    /// The function that computes the indexed value, in the evaluator's encoding.
    pub function: Arc<str>,
    /// `true` if each element of an array is indexed separately.
    pub multi: bool,
    /// `true` for a geospatial index.
    pub geo: bool,
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
    pub(super) fn drop_database(&mut self, id: DatabaseId) -> Result<Vec<TableId>, ReqlError> {
        let found = self.databases.iter().position(|database| database.id == id);
        self.databases
            .remove(found.ok_or_else(|| missing("database"))?);
        let (dropped, kept) = std::mem::take(&mut self.tables)
            .into_iter()
            .partition(|table| table.database == id);
        self.tables = kept;
        Ok(Vec::into_iter(dropped)
            .map(|table: Table| table.id)
            .collect())
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

    pub(super) fn drop_table(&mut self, id: TableId) -> Result<(), ReqlError> {
        let found = self.tables.iter().position(|table| table.id == id);
        self.tables.remove(found.ok_or_else(|| missing("table"))?);
        Ok(())
    }

    pub(super) fn create_index(&mut self, table: TableId, index: Index) -> Result<(), ReqlError> {
        let position = self.position(table)?;
        if self.tables[position]
            .indexes
            .iter()
            .any(|other| other.name == index.name)
        {
            let full_name = self.full_name(&self.tables[position]);
            let message = format!(
                "Index `{}` already exists on table `{full_name}`.",
                index.name
            );
            return Err(ReqlError::op_failed(message));
        }
        let indexes = &mut self.tables[position].indexes;
        indexes.push(index);
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    pub(super) fn drop_index(&mut self, table: TableId, name: &str) -> Result<(), ReqlError> {
        let position = self.position(table)?;
        let Some(found) = self.tables[position]
            .indexes
            .iter()
            .position(|index| index.name == name)
        else {
            let full_name = self.full_name(&self.tables[position]);
            let message = format!("Index `{name}` does not exist on table `{full_name}`.");
            return Err(ReqlError::op_failed(message));
        };
        self.tables[position].indexes.remove(found);
        Ok(())
    }

    /// Replaces the table with the same id, to change its name, durability or indexes.
    pub(super) fn update_table(&mut self, table: Table) -> Result<(), ReqlError> {
        let position = self.position(table.id)?;
        let owner = self
            .database_by_id(table.database)
            .ok_or_else(|| missing("database"))?;
        if self
            .table(table.database, &table.name)
            .is_some_and(|other| other.id != table.id)
        {
            return Err(ReqlError::op_failed(format!(
                "Table `{}.{}` already exists.",
                owner.name, table.name
            )));
        }
        self.tables[position] = table;
        self.sort_tables();
        Ok(())
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
