//! Look-up of names in the catalog, and their validation.

use std::sync::Arc;

use super::selection::Table;
use crate::engine::error::ReqlError;
use crate::engine::storage::{Catalog, Durability};

/// The table with a name.
///
/// # Errors
/// RethinkDB's error for an unknown database or table.
pub(crate) fn find(catalog: &Catalog, db: &str, name: &str) -> Result<Table, ReqlError> {
    let database = catalog.database(db).ok_or_else(|| database_missing(db))?;
    let table = catalog
        .table(database.id, name)
        .ok_or_else(|| ReqlError::op_failed(format!("Table `{db}.{name}` does not exist.")))?;
    Ok(Table {
        id: table.id,
        db: db.into(),
        name: name.into(),
        primary_key: table.primary_key.clone(),
        is_soft: table.durability == Durability::Soft,
        indexes: table.indexes.clone().into(),
    })
}

/// Checks the name of a database or a table. `kind` starts the error message.
///
/// # Errors
/// RethinkDB's error for any other character.
pub(crate) fn check_name(kind: &str, name: &str) -> Result<Arc<str>, ReqlError> {
    let is_valid = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !is_valid {
        return Err(ReqlError::logic(format!(
            "{kind} name `{name}` invalid (Use A-Z, a-z, 0-9, _ and - only)."
        )));
    }
    Ok(name.into())
}

/// RethinkDB's error for an unknown database.
pub(crate) fn database_missing(name: &str) -> ReqlError {
    ReqlError::op_failed(format!("Database `{name}` does not exist."))
}
