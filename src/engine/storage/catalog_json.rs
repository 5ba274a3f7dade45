//! The catalog as JSON, as the database file stores it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::catalog::{Catalog, Database, DatabaseId, Durability, Index, IndexId, Table, TableId};

/// Encodes a catalog.
pub(super) fn encode(catalog: &Catalog) -> Vec<u8> {
    let databases = catalog.databases().iter().map(|database| DatabaseRow {
        id: database.id.to_string(),
        name: database.name.clone(),
    });
    let file = CatalogFile {
        databases: databases.collect(),
        tables: catalog.tables().iter().map(TableRow::of).collect(),
    };
    serde_json::to_vec(&file).expect("a catalog has only string keys")
}

/// Decodes the output of [`encode`].
///
/// # Errors
/// A description of the damage.
pub(super) fn decode(json: &[u8]) -> Result<Catalog, String> {
    let file: CatalogFile = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let databases = file.databases.into_iter().map(|row| {
        let id = DatabaseId(parse_uuid(&row.id)?);
        Ok(Database { id, name: row.name })
    });
    let tables = file.tables.into_iter().map(TableRow::into_table);
    Ok(Catalog::from_parts(
        databases.collect::<Result<_, String>>()?,
        tables.collect::<Result<_, _>>()?,
    ))
}

fn parse_uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse_str(text).map_err(|error| format!("`{text}` is not a UUID: {error}"))
}

/// The whole catalog. A new field needs `#[serde(default)]`, so that folders of earlier releases still open.
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
    /// Absent in format 1, which stored no entries.
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    ready: bool,
    name: String,
    function: String,
    multi: bool,
    geo: bool,
}

impl TableRow {
    fn of(table: &Table) -> Self {
        let indexes = table.indexes.iter().map(|index| IndexRow {
            id: Some(index.id.to_string()),
            ready: index.ready,
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
        let indexes = self.indexes.into_iter().map(IndexRow::into_index);
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
            indexes: indexes.collect::<Result<_, _>>()?,
        })
    }
}

impl IndexRow {
    fn into_index(self) -> Result<Index, String> {
        let id = match &self.id {
            Some(id) => parse_uuid(id)?,
            None => Uuid::new_v4(),
        };
        Ok(Index {
            id: IndexId(id),
            name: self.name,
            function: self.function.into(),
            multi: self.multi,
            geo: self.geo,
            ready: self.ready,
        })
    }
}
