//! Databases, tables, and the documents that a query picks by key.

use std::ops::Bound;
use std::sync::Arc;

use super::Env;
use super::func::Scope;
use super::index::{self, Edge, IndexScan, Place, Wanted};
use super::stream::{Source, Stream};
use super::system;
use super::value::{Row, Table, Value};
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::eval::term::Call;
use crate::engine::storage::{Catalog, Durability};

/// `db`.
pub(crate) fn db(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let name = env.datum(&call.args[0], scope)?;
    Ok(Value::Db(check_name("Database", name.as_str()?)?))
}

/// `table`, of the database before it or of the one that the query's optional argument `db` names.
pub(crate) fn table(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = match &call.args[..] {
        [db, name] => (env.db(db, scope)?, name),
        [name] => (env.default_db(), name),
        _ => return Err(ReqlError::compile("Expected between 1 and 2 arguments.")),
    };
    let name = check_name("Table", env.datum(name, scope)?.as_str()?)?;
    if &*db == system::DATABASE {
        return system::table(env, &name).map(Value::Stream);
    }
    find(env.snapshot()?.catalog(), &db, &name).map(Value::Table)
}

/// The table of that name.
///
/// # Errors
/// When the database or the table does not exist.
pub(crate) fn find(catalog: &Catalog, db: &str, name: &str) -> Result<Table, ReqlError> {
    let database = catalog
        .database(db)
        .ok_or_else(|| ReqlError::op_failed(format!("Database `{db}` does not exist.")))?;
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

/// Checks the name of a database or a table.
///
/// # Errors
/// RethinkDB's own for other characters.
pub(crate) fn check_name(what: &str, name: &str) -> Result<Arc<str>, ReqlError> {
    let is_valid = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if !is_valid {
        return Err(ReqlError::logic(format!(
            "{what} name `{name}` invalid (Use A-Z, a-z, 0-9, _ and - only)."
        )));
    }
    Ok(name.into())
}

/// `get`.
pub(crate) fn get(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let key = env.datum(&call.args[1], scope)?;
    let found = env.snapshot()?.get(table.id, &primary_key(&key)?)?;
    Ok(Value::Row(Row {
        table,
        key,
        value: found.unwrap_or(Datum::Null),
    }))
}

/// `get_all`.
pub(crate) fn get_all(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let keys = call.args[1..]
        .iter()
        .map(|key| env.datum(key, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let index = call
        .optarg("index")
        .map(|name| env.datum(name, scope))
        .transpose()?;
    let name = index.as_ref().map(Datum::as_str).transpose()?;
    if let Some(name) = name
        && **name != *table.primary_key
    {
        let scan = IndexScan::new(
            table.clone(),
            index::find(&table, name)?,
            Wanted::Keys(keys),
        );
        return Ok(Value::Stream(Stream::wrap(
            Source::Index(scan),
            Some(table),
            false,
        )));
    }
    let keys = keys
        .iter()
        .map(primary_key)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Stream(Stream::keys(table, keys)))
}

/// `between`.
pub(crate) fn between(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let lower = Edge {
        place: Place::new(env, env.eval(&call.args[1], scope)?)?,
        is_open: env.is_open(call, scope, "left_bound", false)?,
    };
    let upper = Edge {
        place: Place::new(env, env.eval(&call.args[2], scope)?)?,
        is_open: env.is_open(call, scope, "right_bound", true)?,
    };
    let index = call
        .optarg("index")
        .map(|name| env.datum(name, scope))
        .transpose()?;
    let name = index.as_ref().map(Datum::as_str).transpose()?;
    match name {
        Some(name) if **name != *table.primary_key => {
            let wanted = Wanted::Between(lower, upper);
            let scan = IndexScan::new(table.clone(), index::find(&table, name)?, wanted);
            Ok(Value::Stream(Stream::wrap(
                Source::Index(scan),
                Some(table),
                false,
            )))
        }
        _ => Ok(Value::Stream(Stream::scan_between(
            table,
            lower_bound(lower)?,
            upper_bound(upper)?,
        ))),
    }
}

fn lower_bound(edge: Edge) -> Result<Bound<Vec<u8>>, ReqlError> {
    match edge.place {
        Place::Lowest => Ok(Bound::Unbounded),
        // No key is as long as this one, and none begins with such a byte: nothing lies above it.
        Place::Highest => Ok(Bound::Included(vec![u8::MAX; 256])),
        Place::At(key) => bound(key, edge.is_open),
    }
}

fn upper_bound(edge: Edge) -> Result<Bound<Vec<u8>>, ReqlError> {
    match edge.place {
        Place::Highest => Ok(Bound::Unbounded),
        Place::Lowest => Ok(Bound::Excluded(Vec::new())),
        Place::At(key) => bound(key, edge.is_open),
    }
}

/// An end of a range of primary keys.
fn bound(key: Datum, is_open: bool) -> Result<Bound<Vec<u8>>, ReqlError> {
    if matches!(key, Datum::Null) {
        let message =
            "Cannot use `null` in BETWEEN, use `r.minval` or `r.maxval` to denote unboundedness.";
        return Err(ReqlError::logic(message));
    }
    let key = primary_key(&key)?;
    Ok(if is_open {
        Bound::Excluded(key)
    } else {
        Bound::Included(key)
    })
}
