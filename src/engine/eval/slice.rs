//! Parts of sequences: `skip`, `limit`, `slice` and `nth`.

use super::env::Env;
use super::scope::Scope;
use super::selection::{Row, Table};
use super::stream::{Source, Stream};
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::ReqlError;

/// `skip`, `limit` and `slice`.
pub(crate) fn cut(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Value::Datum(datum @ (Datum::Binary(_) | Datum::String(_))) = &subject
        && call.kind == TermKind::Slice
    {
        return slice_bytes(env, datum, call, scope).map(Value::Datum);
    }
    if call.kind == TermKind::Slice {
        refuse_to_slice(&subject)?;
    }
    let stream = subject.into_stream()?;
    if call.kind == TermKind::Slice {
        return slice(env, stream, call, scope);
    }
    let count = env.datum(&call.args[1], scope)?.as_integer()?;
    if call.kind == TermKind::Skip && count < 0 {
        return skip_all_but(env, stream, count.unsigned_abs() as usize);
    }
    let count = usize::try_from(count).map_err(|_| {
        ReqlError::logic(format!("LIMIT takes a non-negative argument (got {count})"))
    })?;
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let source = match call.kind {
        TermKind::Skip => Source::Skip(Box::new(stream), count),
        _ => Source::Limit(Box::new(stream), count),
    };
    Ok(Value::Stream(Stream::wrap(source, selection, is_array)))
}

/// `skip` with a negative number: the last items of an array.
fn skip_all_but(env: &Env, stream: Stream, count: usize) -> Result<Value, ReqlError> {
    if !stream.is_array {
        return Err(ReqlError::logic(
            "Cannot use a negative left index on a stream.",
        ));
    }
    let selection = stream.selection.clone();
    let mut items = stream.collect(env)?;
    let last = items.split_off(items.len().saturating_sub(count));
    Ok(Value::Stream(Stream {
        selection,
        ..Stream::array(last)
    }))
}

/// RethinkDB's error for a single value that `slice` cannot cut.
fn refuse_to_slice(subject: &Value) -> Result<(), ReqlError> {
    let found = match subject {
        Value::Datum(Datum::Array(_)) => return Ok(()),
        Value::Datum(datum) => datum.type_name(),
        Value::Row(row) => row.value.type_name(),
        _ => return Ok(()),
    };
    Err(ReqlError::logic(format!(
        "Expected ARRAY, BINARY, or STRING, but found {found}."
    )))
}

/// `slice` of a sequence. The end of a stream is unknown, so only an array can be cut by indexes that count from it.
fn slice(env: &Env, stream: Stream, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let left_open = env.is_open(call, scope, "left_bound", false)?;
    let left = env.datum(&call.args[1], scope)?.as_integer()?;
    let right_open = call.args.len() == 3 && env.is_open(call, scope, "right_bound", true)?;
    let right = right_index(env, call, scope)?.unwrap_or(-1);
    if stream.is_datum() && (left < 0 || right < 0) {
        let items = stream.collect(env)?;
        let (from, to) = bounds(env, call, scope, items.len())?;
        let source = Source::Items(items[from..to].to_vec().into());
        return Ok(Value::Stream(Stream::wrap(source, selection, true)));
    }
    let message = match (left, right) {
        (..0, _) => "Cannot use a negative left index on a stream.",
        (_, ..-1) => "Cannot use a right index < -1 on a stream.",
        (_, -1) if right_open => "Cannot slice to an open right index of -1 on a stream.",
        _ => {
            let left = left as usize + usize::from(left_open);
            let rest = Source::Skip(Box::new(stream), left);
            let source = match usize::try_from(right) {
                Err(_) => rest,
                Ok(right) => {
                    let right = right + usize::from(!right_open);
                    let rest = Stream::wrap(rest, selection.clone(), is_array);
                    Source::Limit(Box::new(rest), right.saturating_sub(left))
                }
            };
            return Ok(Value::Stream(Stream::wrap(source, selection, is_array)));
        }
    };
    Err(ReqlError::logic(message))
}

/// `slice` of a binary by bytes, or of a string by characters.
fn slice_bytes(env: &Env, datum: &Datum, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    match datum {
        Datum::Binary(binary) => {
            let bytes = binary.bytes()?;
            let (from, to) = bounds(env, call, scope, bytes.len())?;
            Ok(Datum::Binary(Binary::Inline(bytes.slice(from..to))))
        }
        other => {
            let characters: Vec<char> = other.as_str()?.chars().collect();
            let (from, to) = bounds(env, call, scope, characters.len())?;
            Ok(characters[from..to].iter().collect::<String>().into())
        }
    }
}

fn right_index(env: &Env, call: &Call, scope: &Scope) -> Result<Option<i64>, ReqlError> {
    call.args
        .get(2)
        .map(|right| env.datum(right, scope)?.as_integer())
        .transpose()
}

/// The bounds of a slice of `len` items. `left_bound` is closed and `right_bound` open by default.
fn bounds(env: &Env, call: &Call, scope: &Scope, len: usize) -> Result<(usize, usize), ReqlError> {
    let index = |index: i64, shift: bool| {
        let index = if index < 0 { index + len as i64 } else { index } + i64::from(shift);
        index.clamp(0, len as i64) as usize
    };
    let left_open = env.is_open(call, scope, "left_bound", false)?;
    let from = index(env.datum(&call.args[1], scope)?.as_integer()?, left_open);
    let right_closed = !env.is_open(call, scope, "right_bound", true)?;
    let to = right_index(env, call, scope)?.map_or(len, |right| index(right, right_closed));
    Ok((from, to.max(from)))
}

pub(crate) fn nth(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    nth_of(env, subject, &call.args[1], scope)
}

/// The element of a sequence at an index. A negative index counts from the end.
///
/// # Errors
/// An index that is not an integer or out of bounds.
pub(crate) fn nth_of(
    env: &Env,
    subject: Value,
    index: &Term,
    scope: &Scope,
) -> Result<Value, ReqlError> {
    if let Value::Row(row) = &subject {
        return Err(ReqlError::expected("ARRAY", row.value.type_name()));
    }
    let mut stream = subject.into_stream()?;
    let wanted = env.datum(index, scope)?.as_integer()?;
    let out_of_bounds = || ReqlError::missing(format!("Index out of bounds: {wanted}"));
    let selection = stream.selection.clone();
    let found = if wanted == -1 && !stream.is_datum() {
        last(env, &mut stream)?
    } else if wanted < 0 && !stream.is_datum() {
        return Err(ReqlError::logic(format!(
            "Cannot use an index < -1 ({wanted}) on a stream."
        )));
    } else if wanted < 0 {
        let items = stream.collect(env)?;
        let index = items.len() as i64 + wanted;
        usize::try_from(index)
            .ok()
            .and_then(|index| items.get(index).cloned())
    } else {
        nth_from_start(env, &mut stream, wanted)?
    };
    element(selection, found.ok_or_else(out_of_bounds)?)
}

fn last(env: &Env, stream: &mut Stream) -> Result<Option<Datum>, ReqlError> {
    stream.refuse_endless()?;
    let mut last = None;
    while let Some(element) = stream.next(env)? {
        last = Some(element);
    }
    Ok(last)
}

fn nth_from_start(env: &Env, stream: &mut Stream, index: i64) -> Result<Option<Datum>, ReqlError> {
    for _ in 0..index {
        if stream.next(env)?.is_none() {
            return Ok(None);
        }
    }
    stream.next(env)
}

/// An element of a sequence. If the sequence is a selection, it is a document that can be written to.
pub(crate) fn element(selection: Option<Table>, value: Datum) -> Result<Value, ReqlError> {
    Ok(match selection {
        Some(table) => {
            let key = value
                .field(&table.primary_key)
                .cloned()
                .unwrap_or(Datum::Null);
            Value::Row(Row { table, key, value })
        }
        None => Value::Datum(value),
    })
}
