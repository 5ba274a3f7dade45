//! Which databases, tables and indexes there are.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::engine::error::ReqlError;
use crate::engine::storage::Durability;

/// The name of a database that no rename changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DatabaseId(pub Uuid);

/// The name of a table that no rename changes. It is never given twice.
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
    /// Its unchanging name.
    pub id: DatabaseId,
    /// What queries call it.
    pub name: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its unchanging name.
    pub id: TableId,
    /// The database that it belongs to.
    pub database: DatabaseId,
    /// What queries call it.
    pub name: String,
    /// The field that holds a document's key.
    pub primary_key: Arc<str>,
    /// How safe a write has to be that does not say so itself.
    pub durability: Durability,
    /// The secondary indexes in the order of their names.
    pub indexes: Vec<Index>,
}

/// What a new table is to be.
#[derive(Clone, Debug)]
pub struct NewTable {
    /// What queries call it.
    pub name: String,
    /// The field that holds a document's key.
    pub primary_key: String,
    /// How safe a write has to be that does not say so itself.
    pub durability: Durability,
}

/// A secondary index. The storage keeps the definition and leaves its meaning to the evaluator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// What queries call it.
    pub name: String,
    /// The function that computes the index's value, in the evaluator's encoding.
    pub function: Arc<str>,
    /// Whether an array counts as several values.
    pub multi: bool,
    /// Whether it is geospatial.
    pub geo: bool,
}

/// All databases and tables, each in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    databases: Vec<Database>,
    tables: Vec<Table>,
}

impl Catalog {
    /// All databases in the order of their names.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// All tables of all databases in the order of their names.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The tables of one database in the order of their names.
    pub fn tables_of(&self, database: DatabaseId) -> impl Iterator<Item = &Table> {
        self.tables
            .iter()
            .filter(move |table| table.database == database)
    }

    /// The database that queries call `name`.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|database| database.name == name)
    }

    /// The database with the given id.
    pub fn database_by_id(&self, id: DatabaseId) -> Option<&Database> {
        self.databases.iter().find(|database| database.id == id)
    }

    /// The table that queries call `name`.
    pub fn table(&self, database: DatabaseId, name: &str) -> Option<&Table> {
        self.tables_of(database).find(|table| table.name == name)
    }

    /// The table with the given id.
    pub fn table_by_id(&self, id: TableId) -> Option<&Table> {
        self.tables.iter().find(|table| table.id == id)
    }

    /// `database.table`, as RethinkDB's messages name a table.
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

    /// Removes a database with its tables, which it returns.
    pub(super) fn drop_database(&mut self, id: DatabaseId) -> Result<Vec<TableId>, ReqlError> {
        let found = self.databases.iter().position(|database| database.id == id);
        self.databases
            .remove(found.ok_or_else(|| missing("database"))?);
        let (gone, kept) = std::mem::take(&mut self.tables)
            .into_iter()
            .partition(|table| table.database == id);
        self.tables = kept;
        Ok(Vec::into_iter(gone).map(|table: Table| table.id).collect())
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
        let place = self.place(table)?;
        if self.tables[place]
            .indexes
            .iter()
            .any(|other| other.name == index.name)
        {
            let full_name = self.full_name(&self.tables[place]);
            let message = format!(
                "Index `{}` already exists on table `{full_name}`.",
                index.name
            );
            return Err(ReqlError::op_failed(message));
        }
        let indexes = &mut self.tables[place].indexes;
        indexes.push(index);
        indexes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    pub(super) fn drop_index(&mut self, table: TableId, name: &str) -> Result<(), ReqlError> {
        let place = self.place(table)?;
        let Some(found) = self.tables[place]
            .indexes
            .iter()
            .position(|index| index.name == name)
        else {
            let full_name = self.full_name(&self.tables[place]);
            let message = format!("Index `{name}` does not exist on table `{full_name}`.");
            return Err(ReqlError::op_failed(message));
        };
        self.tables[place].indexes.remove(found);
        Ok(())
    }

    /// Puts a table in the place of the one with the same id: new name, durability or indexes.
    pub(super) fn update_table(&mut self, table: Table) -> Result<(), ReqlError> {
        let place = self.place(table.id)?;
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
        self.tables[place] = table;
        self.sort_tables();
        Ok(())
    }

    fn place(&self, table: TableId) -> Result<usize, ReqlError> {
        self.tables
            .iter()
            .position(|other| other.id == table)
            .ok_or_else(|| missing("table"))
    }

    fn sort_tables(&mut self) {
        self.tables
            .sort_by(|a, b| a.name.cmp(&b.name).then(a.database.cmp(&b.database)));
    }

    /// The catalog as it is kept on disk.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let databases = self.databases.iter().map(|it| DatabaseRow {
            id: it.id.to_string(),
            name: it.name.clone(),
        });
        let file = CatalogFile {
            databases: databases.collect(),
            tables: self.tables.iter().map(TableRow::of).collect(),
        };
        serde_json::to_vec(&file).expect("a catalog has only string keys")
    }

    /// Reads what [`Catalog::to_json`] wrote.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let file: CatalogFile = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let databases = file.databases.into_iter().map(|row| {
            let id = DatabaseId(parse_uuid(&row.id)?);
            Ok(Database { id, name: row.name })
        });
        let tables = file.tables.into_iter().map(TableRow::into_table);
        Ok(Self {
            databases: databases.collect::<Result<_, String>>()?,
            tables: tables.collect::<Result<_, _>>()?,
        })
    }
}

fn missing(what: &str) -> ReqlError {
    ReqlError::op_failed(format!("The {what} does not exist any more."))
}

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|error| format!("`{text}` is no UUID: {error}"))
}

/// The catalog in the meta table. A field that is added later needs `#[serde(default)]`, so that older folders open.
#[derive(Serialize, Deserialize)]
struct CatalogFile {
    databases: Vec<DatabaseRow>,
    tables: Vec<TableRow>,
}

#[derive(Serialize, Deserialize)]
struct DatabaseRow {
    id: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct TableRow {
    id: String,
    database: String,
    name: String,
    primary_key: String,
    soft: bool,
    indexes: Vec<IndexRow>,
}

#[derive(Serialize, Deserialize)]
struct IndexRow {
    name: String,
    function: String,
    multi: bool,
    geo: bool,
}

impl TableRow {
    fn of(table: &Table) -> Self {
        let indexes = table.indexes.iter().map(|index| IndexRow {
            name: index.name.clone(),
            function: index.function.to_string(),
            multi: index.multi,
            geo: index.geo,
        });
        Self {
            id: table.id.to_string(),
            database: table.database.to_string(),
            name: table.name.clone(),
            primary_key: table.primary_key.to_string(),
            soft: table.durability == Durability::Soft,
            indexes: indexes.collect(),
        }
    }

    fn into_table(self) -> Result<Table, String> {
        let indexes = self.indexes.into_iter().map(|row| Index {
            name: row.name,
            function: row.function.into(),
            multi: row.multi,
            geo: row.geo,
        });
        Ok(Table {
            id: TableId(parse_uuid(&self.id)?),
            database: DatabaseId(parse_uuid(&self.database)?),
            name: self.name,
            primary_key: self.primary_key.into(),
            durability: if self.soft {
                Durability::Soft
            } else {
                Durability::Hard
            },
            indexes: indexes.collect(),
        })
    }
}
