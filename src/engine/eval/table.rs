//! Databases, tables, and documents by key.

use std::ops::Bound;
use std::sync::Arc;

use super::catalog::{check_name, find};
use super::env::Env;
use super::identifiers;
use super::index::{self, Edge, IndexScan, Position};
use super::read_options;
use super::scan::Scan;
use super::scope::Scope;
use super::selection::{Row, Table};
use super::stream::{Source, Stream};
use super::system;
use super::term::Call;
use super::value::Value;
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::storage::Direction;

pub(crate) fn db(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let name = env.datum(&call.args[0], scope)?;
    Ok(Value::Db(check_name("Database", name.as_str()?)?))
}

/// `table`, in the given database or in the query's default database.
pub(crate) fn table(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = match &call.args[..] {
        [db, name] => (env.db(db, scope)?, name),
        [name] => (env.default_db(), name),
        _ => return Err(ReqlError::compile("Expected between 1 and 2 arguments.")),
    };
    let format = read_options::check(env, call, scope)?;
    let name = check_name("Table", env.datum(name, scope)?.as_str()?)?;
    if &*db == system::DATABASE {
        let rows = system::table(env, &name)?;
        return identifiers::name_things(env, rows, format).map(Value::Stream);
    }
    find(env.snapshot()?.catalog(), &db, &name).map(Value::Table)
}

pub(crate) fn get(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let key = env.datum(&call.args[1], scope)?;
    let found = env.snapshot()?.get(table.id, &primary_key(&key)?)?;
    Ok(Value::Row(Row {
        table,
        key,
        value: found.unwrap_or(Datum::Null),
    }))
}

pub(crate) fn get_all(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let keys = call.args[1..]
        .iter()
        .map(|key| env.datum(key, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let index = env.optarg(call, scope, "index")?;
    let name = index.as_ref().map(Datum::as_str).transpose()?;
    if let Some(name) = name
        && **name != *table.primary_key
    {
        let index = index::find_ready(&table, name)?;
        let scan = IndexScan::of_values(table.clone(), index, &keys)?;
        let source = Source::Index(Box::new(scan));
        return Ok(Value::Stream(Stream::wrap(source, Some(table), false)));
    }
    let keys = keys
        .iter()
        .map(primary_key)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Stream(Stream::keys(table, keys)))
}

pub(crate) fn between(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (table, order) = slice(env, env.eval(&call.args[0], scope)?)?;
    let lower = Edge {
        position: position(env, env.eval(&call.args[1], scope)?)?,
        is_open: env.is_open(call, scope, "left_bound", false)?,
    };
    let upper = Edge {
        position: position(env, env.eval(&call.args[2], scope)?)?,
        is_open: env.is_open(call, scope, "right_bound", true)?,
    };
    let index = env.optarg(call, scope, "index")?;
    let name = match (&index, &order) {
        (Some(name), _) => name.as_str()?.clone(),
        (None, Some((name, _))) => Arc::clone(name),
        (None, None) => table.primary_key.clone(),
    };
    if let Some((other, _)) = order.as_ref().filter(|(other, _)| *other != name) {
        return Err(ReqlError::logic(format!(
            "Cannot call BETWEEN on index `{name}` after ordering on index `{other}`."
        )));
    }
    let direction = order.map(|(_, direction)| direction);
    let source = if name == table.primary_key {
        let mut scan = Scan::new(table.clone(), lower_bound(lower)?, upper_bound(upper)?);
        if let Some(direction) = direction {
            scan.direction = direction;
            scan.is_ordered = true;
        }
        Source::Scan(scan)
    } else {
        let index = index::find_ready(&table, &name)?;
        let mut scan = IndexScan::between(table.clone(), index, lower, upper)?;
        if let Some(direction) = direction {
            scan.sort(direction);
        }
        Source::Index(Box::new(scan))
    };
    Ok(Value::Stream(Stream::wrap(source, Some(table), false)))
}

/// The name of an index, and the direction in which a sequence is sorted by it.
type SortedBy = (Arc<str>, Direction);

/// A whole table, and the index that it is sorted by, if it is: the subject of `between`.
///
/// # Errors
/// RethinkDB's errors for a part of a table, and for anything else.
fn slice(env: &Env, subject: Value) -> Result<(Table, Option<SortedBy>), ReqlError> {
    let twice = || ReqlError::logic("Cannot perform multiple BETWEENs on the same table.");
    match subject {
        Value::Table(table) => Ok((table, None)),
        Value::Stream(stream) if stream.selection.is_some() && stream.steps.is_empty() => {
            match &stream.source {
                Source::Scan(scan) if scan.is_whole() => {
                    let primary_key = scan.table.primary_key.clone();
                    let order = scan.is_ordered.then_some((primary_key, scan.direction));
                    Ok((scan.table.clone(), order))
                }
                Source::Index(scan) if scan.is_whole() => {
                    let name = Arc::from(scan.index_name());
                    let order = scan.order().map(|direction| (name, direction));
                    Ok((scan.table().clone(), order))
                }
                Source::Scan(_) => Err(twice()),
                Source::Index(scan) if scan.is_slice() => Err(twice()),
                _ => Err(Value::Stream(stream).mistyped(env, "TABLE_SLICE")),
            }
        }
        other => Err(other.mistyped(env, "TABLE_SLICE")),
    }
}

/// The position of an argument of `between`.
fn position(env: &Env, value: Value) -> Result<Position, ReqlError> {
    match value {
        Value::MinVal => Ok(Position::Lowest),
        Value::MaxVal => Ok(Position::Highest),
        other => other.into_datum(env).map(Position::At),
    }
}

fn lower_bound(edge: Edge) -> Result<Bound<Vec<u8>>, ReqlError> {
    match edge.position {
        Position::Lowest => Ok(Bound::Unbounded),
        // No key starts with this byte, so no key is above the bound, and the range is empty.
        Position::Highest => Ok(Bound::Included(vec![u8::MAX; 256])),
        Position::At(key) => bound(key, edge.is_open),
    }
}

fn upper_bound(edge: Edge) -> Result<Bound<Vec<u8>>, ReqlError> {
    match edge.position {
        Position::Highest => Ok(Bound::Unbounded),
        // No key is below the empty one, so the range is empty.
        Position::Lowest => Ok(Bound::Excluded(Vec::new())),
        Position::At(key) => bound(key, edge.is_open),
    }
}

/// A bound at a primary key.
fn bound(key: Datum, is_open: bool) -> Result<Bound<Vec<u8>>, ReqlError> {
    if matches!(key, Datum::Null) {
        return Err(index::null_edge());
    }
    let key = primary_key(&key)?;
    Ok(if is_open {
        Bound::Excluded(key)
    } else {
        Bound::Included(key)
    })
}
