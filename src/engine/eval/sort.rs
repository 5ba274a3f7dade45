//! The term `order_by`.

use std::cmp::Ordering;

use super::env::Env;
use super::func::Func;
use super::index::{self, IndexScan};
use super::indexed_sort::IndexedSort;
use super::scan::Scan;
use super::scope::Scope;
use super::selection::Table;
use super::stream::{Source, Stream};
use super::term::{Call, TermKind};
use super::value::Value;
use crate::engine::datum::{Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::Direction;

/// `asc` and `desc`: a sort key with a direction.
pub(crate) fn order_key(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let key = Box::new(env.eval(&call.args[0], scope)?);
    Ok(Value::Order {
        key,
        descending: call.kind == TermKind::Desc,
    })
}

/// `order_by`: sorts by an index, by keys, or by an index and then by keys.
pub(crate) fn order_by(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let keys = call.args[1..]
        .iter()
        .map(|key| sort_key(env, env.eval(key, scope)?))
        .collect::<Result<Vec<_>, _>>()?;
    let stream = match call.optarg("index") {
        None => subject.into_stream()?,
        Some(index) => {
            let (name, direction) = match env.eval(index, scope)? {
                Value::Order { key, descending } => (
                    key.into_datum(env)?,
                    if descending {
                        Direction::Descending
                    } else {
                        Direction::Ascending
                    },
                ),
                other => (other.into_datum(env)?, Direction::Ascending),
            };
            by_index(env, subject, name.as_str()?, direction)?
        }
    };
    if keys.is_empty() {
        return match call.optarg("index") {
            Some(_) => Ok(Value::Stream(stream)),
            None => Err(ReqlError::logic("Must specify something to order by.")),
        };
    }
    let selection = stream.selection.clone();
    if call.optarg("index").is_some() {
        let sorted = Source::Sorted(Box::new(IndexedSort::new(stream, keys)));
        return Ok(Value::Stream(Stream::wrap(sorted, selection, false)));
    }
    let items = sort(env, stream.collect(env)?, &keys)?;
    Ok(Value::Stream(Stream {
        selection,
        ..Stream::array(items)
    }))
}

/// A value to sort by: a function of each element, and a direction.
#[derive(Debug)]
pub(crate) struct SortKey {
    function: Func,
    descending: bool,
}

/// The sort key of an argument: a function or the name of a field, possibly within `asc` or `desc`.
///
/// # Errors
/// Any other value.
pub(crate) fn sort_key(env: &Env, value: Value) -> Result<SortKey, ReqlError> {
    let (value, descending) = match value {
        Value::Order { key, descending } => (*key, descending),
        value => (value, false),
    };
    let function = match value {
        Value::Func(function) => function,
        other => Func::field(other.into_datum(env)?.as_str()?),
    };
    if !function.is_deterministic() {
        return Err(ReqlError::logic(
            "Sorting by a non-deterministic function is not supported.",
        ));
    }
    Ok(SortKey {
        function,
        descending,
    })
}

/// Sorts by several keys. Elements without a key come first.
///
/// # Errors
/// A failure in a key.
pub(crate) fn sort(
    env: &Env,
    items: Vec<Datum>,
    keys: &[SortKey],
) -> Result<Vec<Datum>, ReqlError> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((key_values(env, keys, &item)?, item));
    }
    order::sort_by(&mut keyed, |(a, _), (b, _)| compare_by(keys, a, b))?;
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

/// The values of an element to sort it by. `None` stands for a missing one.
///
/// # Errors
/// A failure in a function.
pub(crate) fn key_values(
    env: &Env,
    keys: &[SortKey],
    element: &Datum,
) -> Result<Vec<Option<Datum>>, ReqlError> {
    let value = |key: &SortKey| match key.function.call(env, std::slice::from_ref(element)) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NonExistence => Ok(None),
        Err(error) => Err(error),
    };
    keys.iter().map(value).collect()
}

/// Compares two elements by their values of the keys. A missing value is below all others.
///
/// # Errors
/// As [`Datum::compare`].
pub(crate) fn compare_by(
    keys: &[SortKey],
    a: &[Option<Datum>],
    b: &[Option<Datum>],
) -> Result<Ordering, ReqlError> {
    for ((a, b), key) in a.iter().zip(b).zip(keys) {
        let order = match (a, b) {
            (Some(a), Some(b)) => a.compare(b)?,
            (a, b) => a.is_some().cmp(&b.is_some()),
        };
        if order.is_ne() {
            return Ok(if key.descending {
                order.reverse()
            } else {
                order
            });
        }
    }
    Ok(Ordering::Equal)
}

/// The documents of a table, or of a range of it, in the order of an index.
///
/// # Errors
/// A subject without such an index, or a range of another index.
pub(crate) fn by_index(
    env: &Env,
    subject: Value,
    name: &str,
    direction: Direction,
) -> Result<Stream, ReqlError> {
    let mut stream = table_slice(env, subject)?;
    match &mut stream.source {
        Source::Scan(Scan {
            is_ordered: true, ..
        }) => return Err(ordered_twice()),
        Source::Index(scan) if scan.order().is_some() => return Err(ordered_twice()),
        Source::Scan(scan) if *scan.table.primary_key == *name => {
            scan.direction = direction;
            scan.is_ordered = true;
        }
        Source::Scan(scan) => {
            let table = scan.table.clone();
            if !scan.is_whole() {
                return Err(conflicting_index(name, &table.primary_key));
            }
            return ordered_scan(table, name, direction);
        }
        Source::Index(scan) if !scan.is_slice() => return Err(not_a_slice()),
        Source::Index(scan) if scan.index_name() == name => scan.sort(direction),
        Source::Index(scan) => return Err(conflicting_index(name, scan.index_name())),
        _ => return Err(not_a_slice()),
    }
    Ok(stream)
}

/// A table or a part of it, before any other transformation.
fn table_slice(env: &Env, subject: Value) -> Result<Stream, ReqlError> {
    match subject {
        Value::Table(table) => Ok(Stream::scan(table)),
        Value::Stream(stream) if stream.selection.is_some() && stream.steps.is_empty() => {
            Ok(stream)
        }
        Value::Stream(_) => Err(not_a_slice()),
        other => {
            let found = other.into_datum(env)?;
            Err(ReqlError::expected("TABLE_SLICE", found.type_name()))
        }
    }
}

fn ordered_scan(table: Table, name: &str, direction: Direction) -> Result<Stream, ReqlError> {
    let index = index::find_ready(&table, name)?;
    let mut scan = IndexScan::all(table.clone(), index);
    scan.sort(direction);
    let source = Source::Index(Box::new(scan));
    Ok(Stream::wrap(source, Some(table), false))
}

fn ordered_twice() -> ReqlError {
    ReqlError::logic("Cannot perform multiple indexed ORDER_BYs on the same table.")
}

fn not_a_slice() -> ReqlError {
    ReqlError::logic(
        "Indexed order_by can only be performed on a TABLE or TABLE_SLICE. Make sure order_by comes before any \
         transformations (such as map) or filters.",
    )
}

fn conflicting_index(name: &str, other: &str) -> ReqlError {
    ReqlError::logic(format!(
        "Cannot order by index `{name}` after calling BETWEEN on index `{other}`."
    ))
}
