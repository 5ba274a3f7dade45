//! Aggregation: `count`, `sum`, `avg`, `min` and `max`.

use std::cmp::Ordering;

use super::arithmetic::finite;
use super::env::Env;
use super::func::Func;
use super::scope::Scope;
use super::selection::Row;
use super::seq::Pick;
use super::slice::element;
use super::sort::by_index;
use super::stream::{Source, Stream};
use super::term::{Call, TermKind};
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::Direction;

/// `count`: the length of a sequence, object, binary or string, or the number of elements that match a predicate or
/// value.
pub(crate) fn count(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let picked = match call.args.get(1) {
        Some(pick) => Some(Pick::new(env, env.eval(pick, scope)?)?),
        None => None,
    };
    let count = match (&subject, &picked) {
        (Value::Datum(Datum::Binary(binary)), None) => binary.len(),
        (Value::Datum(Datum::String(text)), None) => text.chars().count(),
        (
            Value::Datum(Datum::Object(fields))
            | Value::Row(Row {
                value: Datum::Object(fields),
                ..
            }),
            None,
        ) => fields.len(),
        // Constant time, instead of a scan.
        (Value::Table(table), None) => env.snapshot()?.count(table.id)? as usize,
        _ => match subject.into_stream()? {
            // Without reading the documents.
            Stream {
                source: Source::Index(scan),
                steps,
                ..
            } if steps.is_empty() && picked.is_none() => scan.count(env)?,
            stream => count_elements(env, stream, picked.as_ref())?,
        },
    };
    Ok(Value::Datum(count.into()))
}

fn count_elements(
    env: &Env,
    mut stream: Stream,
    picked: Option<&Pick>,
) -> Result<usize, ReqlError> {
    stream.refuse_endless()?;
    let mut count = 0;
    while let Some(element) = stream.next(env)? {
        count += usize::from(match picked {
            None => true,
            Some(pick) => pick.accepts(env, &element)?,
        });
    }
    Ok(count)
}

/// `sum`, `avg`, `min` and `max` of the elements, or of a function or field of each element.
pub(crate) fn aggregate(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Some(index) = env.optarg(call, scope, "index")? {
        if call.args.len() > 1 {
            let (name, _) = end_of_index(call.kind);
            return Err(ReqlError::logic(format!(
                "Cannot provide both a function and an index to {name}."
            )));
        }
        let table = subject.into_table(env)?;
        return extreme_of_index(env, call.kind, Value::Table(table), index.as_str()?);
    }
    if let (Value::Table(table), TermKind::Min | TermKind::Max, 1) =
        (&subject, call.kind, call.args.len())
    {
        // A whole table is ordered by its primary key (`map_acc_term_t` in RethinkDB's `terms/seq.cc`).
        let primary_key = table.primary_key.clone();
        return extreme_of_index(env, call.kind, subject, &primary_key);
    }
    let mut stream = subject.into_stream()?;
    stream.refuse_endless()?;
    let by = match call.args.get(1) {
        Some(by) => Some(env.func_or_field(by, scope)?),
        None => None,
    };
    match call.kind {
        TermKind::Sum => finite(sum(env, stream, by.as_ref())?.0).map(Value::Datum),
        TermKind::Avg => match sum(env, stream, by.as_ref())? {
            (_, 0) => Err(empty("average", "avg")),
            (sum, count) => finite(sum / count as f64).map(Value::Datum),
        },
        TermKind::Min => extreme(env, stream, by.as_ref(), "min", Ordering::Less),
        _ => extreme(env, stream, by.as_ref(), "max", Ordering::Greater),
    }
}

/// The value of an element to aggregate; `None` if the element lacks a field for it.
fn value_of(env: &Env, by: Option<&Func>, element: &Datum) -> Result<Option<Datum>, ReqlError> {
    let Some(by) = by else {
        return Ok(Some(element.clone()));
    };
    match by.call(env, std::slice::from_ref(element)) {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::NonExistence => Ok(None),
        Err(error) => Err(error),
    }
}

/// The sum of the values and their number. Null is skipped like a missing field.
fn sum(env: &Env, mut stream: Stream, by: Option<&Func>) -> Result<(f64, usize), ReqlError> {
    let (mut sum, mut count) = (0.0, 0);
    while let Some(element) = stream.next(env)? {
        match value_of(env, by, &element)? {
            None | Some(Datum::Null) => {}
            Some(value) => {
                sum += value.as_number()?;
                count += 1;
            }
        }
    }
    Ok((sum, count))
}

/// The element whose value compares as `wanted` with all others; the first one if several are equal.
fn extreme(
    env: &Env,
    mut stream: Stream,
    by: Option<&Func>,
    name: &str,
    wanted: Ordering,
) -> Result<Value, ReqlError> {
    let selection = stream.selection.clone();
    let mut best: Option<(Datum, Datum)> = None;
    while let Some(element) = stream.next(env)? {
        let Some(value) = value_of(env, by, &element)? else {
            continue;
        };
        let is_better = match &best {
            None => true,
            Some((best, _)) => value.compare(best)? == wanted,
        };
        if is_better {
            best = Some((value, element));
        }
    }
    let (_, found) = best.ok_or_else(|| empty(name, name))?;
    element(selection, found)
}

fn empty(result: &str, term: &str) -> ReqlError {
    ReqlError::missing(format!(
        "Cannot take the {result} of an empty stream.  (If you passed `{term}` a field name, it may be that no \
         elements of the stream had that field.)"
    ))
}

/// The name of `min` or `max`, and the direction in which an index begins with its document.
fn end_of_index(kind: TermKind) -> (&'static str, Direction) {
    match kind {
        TermKind::Min => ("min", Direction::Ascending),
        _ => ("max", Direction::Descending),
    }
}

/// `min` and `max` by an index: its first or last document.
fn extreme_of_index(
    env: &Env,
    kind: TermKind,
    subject: Value,
    index: &str,
) -> Result<Value, ReqlError> {
    let (name, direction) = end_of_index(kind);
    let mut stream = by_index(env, subject, index, direction)?;
    let selection = stream.selection.clone();
    let found = stream.next(env)?.ok_or_else(|| {
        ReqlError::logic(format!("`{name}` found no entries in the specified index."))
    })?;
    element(selection, found)
}
