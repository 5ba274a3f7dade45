//! One value out of many: `count`, `sum`, `avg`, `min` and `max`.

use std::cmp::Ordering;

use super::Env;
use super::func::Scope;
use super::index::Direction;
use super::scalar::finite;
use super::seq::{element, is_picked};
use super::sort::by_index;
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::{Call, TermKind};

/// `count`, of a sequence, a binary or a text, and of what a predicate or a value picks.
pub(crate) fn count(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let picked = call
        .args
        .get(1)
        .map(|pick| env.eval(pick, scope))
        .transpose()?;
    let count = match (&subject, &picked) {
        (Value::Datum(Datum::Binary(binary)), None) => binary.len(),
        (Value::Datum(Datum::String(text)), None) => text.chars().count(),
        (Value::Table(table), None) => env.snapshot()?.count(table.id)? as usize,
        _ => {
            let mut stream = subject.into_stream()?;
            stream.refuse_feed()?;
            let mut count = 0;
            while let Some(element) = stream.next(env)? {
                count += usize::from(match &picked {
                    None => true,
                    Some(pick) => is_picked(env, pick, &element)?,
                });
            }
            count
        }
    };
    Ok(Value::Datum(count.into()))
}

/// `sum`, `avg`, `min` and `max`, of the elements or of what a function or field gives for each.
pub(crate) fn aggregate(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Some(index) = call.optarg("index") {
        let index = env.datum(index, scope)?;
        return extreme_of_index(env, call.kind, subject, index.as_str()?);
    }
    if let (Value::Table(table), TermKind::Min | TermKind::Max, 1) =
        (&subject, call.kind, call.args.len())
    {
        // A whole table has its primary key for an index (map_acc_term_t in RethinkDB's terms/seq.cc).
        let primary_key = table.primary_key.clone();
        return extreme_of_index(env, call.kind, subject, &primary_key);
    }
    let mut stream = subject.into_stream()?;
    stream.refuse_feed()?;
    let selection = stream.selection.clone();
    let by = call
        .args
        .get(1)
        .map(|by| env.func_or_field(by, scope))
        .transpose()?;
    let (mut sum, mut count, mut best) = (0.0, 0usize, None::<(Datum, Datum)>);
    while let Some(element) = stream.next(env)? {
        let value = match &by {
            None => element.clone(),
            Some(by) => match by.call(env, std::slice::from_ref(&element)) {
                Ok(value) => value,
                Err(error) if error.kind == ErrorKind::NonExistence => continue,
                Err(error) => return Err(error),
            },
        };
        if matches!(call.kind, TermKind::Sum | TermKind::Avg) {
            // Null is passed over like a field that is missing.
            if !matches!(value, Datum::Null) {
                sum += value.as_number()?;
                count += 1;
            }
            continue;
        }
        let wanted = if call.kind == TermKind::Min {
            Ordering::Less
        } else {
            Ordering::Greater
        };
        let is_better = match &best {
            None => true,
            Some((best, _)) => value.compare(best)? == wanted,
        };
        if is_better {
            best = Some((value, element));
        }
    }
    let empty = |name: &str| {
        ReqlError::missing(format!(
            "Cannot take the {name} of an empty stream.  (If you passed `{name}` a field name, it may be that no \
             elements of the stream had that field.)"
        ))
    };
    match call.kind {
        TermKind::Sum => finite(sum).map(Value::Datum),
        TermKind::Avg if count == 0 => Err(empty("average")),
        TermKind::Avg => finite(sum / count as f64).map(Value::Datum),
        kind => {
            let name = if kind == TermKind::Min { "min" } else { "max" };
            let (_, element) = best.ok_or_else(|| empty(name))?;
            self::element(selection, element)
        }
    }
}

/// `min` and `max` by an index: its first or last document.
fn extreme_of_index(
    env: &Env,
    kind: TermKind,
    subject: Value,
    index: &str,
) -> Result<Value, ReqlError> {
    let (name, direction) = match kind {
        TermKind::Min => ("min", Direction::Ascending),
        _ => ("max", Direction::Descending),
    };
    let mut stream = by_index(env, subject, index, direction)?;
    let selection = stream.selection.clone();
    let found = stream.next(env)?.ok_or_else(|| {
        ReqlError::logic(format!("`{name}` found no entries in the specified index."))
    })?;
    element(selection, found)
}
