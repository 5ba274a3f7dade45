//! Terms over sequences.

use std::collections::VecDeque;

use super::func::Scope;
use super::index;
use super::scalar::check_length;
use super::step::{Default, Predicate, Step};
use super::stream::{Source, Stream, key_of};
use super::value::{Row, Table, Value};
use super::{EMPTY_ERROR, Env};
use crate::engine::datum::{Binary, Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::{Call, Term, TermKind};

/// `map`, `filter` and `concat_map`.
pub(crate) fn transform(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    if call.kind == TermKind::Map && call.args.len() > 2 {
        return map_many(env, call, scope);
    }
    let stream = env.eval(&call.args[0], scope)?.into_stream()?;
    let function = match call.kind {
        TermKind::Filter => env.func_or_constant(&call.args[1], scope)?,
        _ => env.func(&call.args[1], scope)?,
    };
    Ok(Value::Stream(match call.kind {
        TermKind::Map => stream.then(Step::Map(function)),
        TermKind::Filter => {
            let default = filter_default(env, call, scope)?;
            stream.then(Step::Filter(Predicate {
                test: function,
                default,
            }))
        }
        _ => {
            let is_array = stream.is_array;
            Stream::wrap(
                Source::ConcatMap(Box::new(stream), function, VecDeque::new()),
                None,
                is_array,
            )
        }
    }))
}

/// What `filter` makes of an element that lacks a field: the optional argument `default`.
fn filter_default(env: &Env, call: &Call, scope: &Scope) -> Result<Default, ReqlError> {
    let Some(default) = call.optarg("default") else {
        return Ok(Default::Keep(false));
    };
    match env.datum(default, scope) {
        Ok(value) => Ok(Default::Keep(value.is_truthy())),
        Err(error) if error.message == EMPTY_ERROR => Ok(Default::Fail),
        Err(error) => Ok(Default::Raise(error)),
    }
}

/// `map` over several sequences at once, as long as the shortest.
fn map_many(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (last, first) = call.args.split_last().expect("map has arguments");
    let function = env.func(last, scope)?;
    let mut streams = Vec::new();
    for sequence in first {
        let mut stream = env.eval(sequence, scope)?.into_stream()?;
        stream.refuse_feed()?;
        streams.push(stream);
    }
    let mut items = Vec::new();
    'rows: loop {
        let mut row = Vec::new();
        for stream in &mut streams {
            match stream.next(env)? {
                Some(item) => row.push(item),
                None => break 'rows,
            }
        }
        items.push(function.call(env, &row)?);
        check_length(items.len())?;
    }
    Ok(Value::Stream(Stream::array(items)))
}

/// `skip`, `limit` and `slice`.
pub(crate) fn cut(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Value::Datum(datum @ (Datum::Binary(_) | Datum::String(_))) = &subject
        && call.kind == TermKind::Slice
    {
        return slice_bytes(env, datum, call, scope).map(Value::Datum);
    }
    let stream = subject.into_stream()?;
    if call.kind == TermKind::Slice {
        return slice(env, stream, call, scope);
    }
    let count = env.datum(&call.args[1], scope)?.as_integer()?;
    if call.kind == TermKind::Skip && count < 0 {
        return skip_all_but(env, stream, count.unsigned_abs() as usize);
    }
    let count = non_negative(count)?;
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let source = match call.kind {
        TermKind::Skip => Source::Skip(Box::new(stream), count),
        _ => Source::Limit(Box::new(stream), count),
    };
    Ok(Value::Stream(Stream::wrap(source, selection, is_array)))
}

/// `skip` of a negative number: the last so many items of an array.
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

fn non_negative(count: i64) -> Result<usize, ReqlError> {
    usize::try_from(count).map_err(|_| ReqlError::logic("LIMIT takes a non-negative argument."))
}

/// `slice` of a sequence. Indexes from the end need the whole of it.
fn slice(env: &Env, stream: Stream, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (selection, is_array) = (stream.selection.clone(), stream.is_array);
    let (left, right) = (
        env.datum(&call.args[1], scope)?.as_integer()?,
        right_index(env, call, scope)?,
    );
    if left >= 0
        && right.is_none_or(|right| right >= 0)
        && !call.optargs.iter().any(|(name, _)| name.ends_with("bound"))
    {
        let left = left as usize;
        let rest = Stream::wrap(
            Source::Skip(Box::new(stream), left),
            selection.clone(),
            is_array,
        );
        let Some(right) = right else {
            return Ok(Value::Stream(rest));
        };
        let count = (right as usize).saturating_sub(left);
        return Ok(Value::Stream(Stream::wrap(
            Source::Limit(Box::new(rest), count),
            selection,
            is_array,
        )));
    }
    let items = stream.collect(env)?;
    let (from, to) = bounds(env, call, scope, items.len())?;
    let source = Source::Items(items[from..to].to_vec().into());
    Ok(Value::Stream(Stream::wrap(source, selection, true)))
}

/// `slice` of a binary by bytes, or of a text by characters.
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

/// The bounds of a slice within `len` items: `left_bound` is closed and `right_bound` open unless the query says else.
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

/// `nth`.
pub(crate) fn nth(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    nth_of(env, subject, &call.args[1], scope)
}

/// The element of a sequence at an index; a negative one counts from the end.
///
/// # Errors
/// An index that is no number or past the end.
pub(crate) fn nth_of(
    env: &Env,
    subject: Value,
    index: &Term,
    scope: &Scope,
) -> Result<Value, ReqlError> {
    if let Value::Datum(Datum::Object(_)) | Value::Row(_) = &subject {
        return Err(ReqlError::logic("Cannot convert OBJECT to SEQUENCE"));
    }
    let mut stream = subject.into_stream()?;
    let wanted = env.datum(index, scope)?.as_integer()?;
    let out_of_bounds = || ReqlError::missing(format!("Index out of bounds: {wanted}"));
    let selection = stream.selection.clone();
    let found = if wanted < 0 {
        let items = stream.collect(env)?;
        let index = items.len() as i64 + wanted;
        usize::try_from(index)
            .ok()
            .and_then(|index| items.get(index).cloned())
    } else {
        let mut left = wanted;
        loop {
            match stream.next(env)? {
                Some(element) if left == 0 => break Some(element),
                None => break None,
                Some(_) => left -= 1,
            }
        }
    };
    element(selection, found.ok_or_else(out_of_bounds)?)
}

/// An element that may still be a document of its table.
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

/// Whether a function says yes to an element, or a value is the same.
pub(crate) fn is_picked(env: &Env, pick: &Value, element: &Datum) -> Result<bool, ReqlError> {
    match pick {
        Value::Func(function) => match function.call(env, std::slice::from_ref(element)) {
            Ok(answer) => Ok(answer.is_truthy()),
            Err(error) if error.kind == ErrorKind::NonExistence => Ok(false),
            Err(error) => Err(error),
        },
        Value::Datum(value) => value.equals(element),
        Value::Row(row) => row.value.equals(element),
        other => Err(ReqlError::expected("DATUM", other.type_name())),
    }
}

/// `contains`: whether each value or predicate fits some element.
pub(crate) fn contains(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    let mut missing = call.args[1..]
        .iter()
        .map(|pick| env.eval(pick, scope))
        .collect::<Result<Vec<_>, _>>()?;
    while !missing.is_empty() {
        let Some(element) = stream.next(env)? else {
            break;
        };
        let mut still_missing = Vec::new();
        for pick in missing {
            if !is_picked(env, &pick, &element)? {
                still_missing.push(pick);
            }
        }
        missing = still_missing;
    }
    Ok(Value::Datum(missing.is_empty().into()))
}

/// `is_empty`.
pub(crate) fn is_empty(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    Ok(Value::Datum(stream.next(env)?.is_none().into()))
}

/// `distinct`: each value once, in order; of an index, its values.
pub(crate) fn distinct(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let of_table = matches!(subject, Value::Table(_));
    let stream = match call.optarg("index") {
        None => subject.into_stream()?,
        Some(index) => {
            let name = env.datum(index, scope)?.as_str()?.clone();
            let table = subject.into_table()?;
            match *name == *table.primary_key {
                true => Stream::scan(table).then(Step::GetField(name)),
                false => Stream::items(index::all_values(env, &table, &name)?),
            }
        }
    };
    // RethinkDB streams what it finds distinct in a table or an index, and gathers the rest.
    let is_array = !of_table;
    let mut items = stream.collect(env)?;
    order::sort_by(&mut items, Datum::compare)?;
    let mut kept: Vec<Datum> = Vec::with_capacity(items.len());
    for item in items {
        let is_known = match kept.last() {
            Some(last) => last.equals(&item)?,
            None => false,
        };
        if !is_known {
            kept.push(item);
        }
    }
    Ok(Value::Stream(Stream {
        is_array,
        ..Stream::array(kept)
    }))
}

/// `union`.
pub(crate) fn union(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut streams = VecDeque::new();
    for sequence in &call.args {
        let mut stream = env.eval(sequence, scope)?.into_stream()?;
        if stream.feed().is_some() {
            return Err(ReqlError::logic(
                "The embedded engine does not implement a `union` of changefeeds.",
            ));
        }
        streams.push_back(stream);
    }
    let is_array = streams.iter().all(|stream| stream.is_array);
    Ok(Value::Stream(Stream::wrap(
        Source::Union(streams),
        None,
        is_array,
    )))
}

/// `range`.
pub(crate) fn range(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let bounds = call
        .args
        .iter()
        .map(|bound| env.datum(bound, scope)?.as_integer())
        .collect::<Result<Vec<_>, _>>()?;
    let (start, end) = match bounds[..] {
        [] => (0.0, f64::INFINITY),
        [end] => (0.0, end as f64),
        [start, end, ..] => (start as f64, end as f64),
    };
    Ok(Value::Stream(Stream::wrap(
        Source::Range(start, end),
        None,
        false,
    )))
}

/// The keys of the documents of a selection, for a write.
///
/// # Errors
/// As [`Stream::next`].
pub(crate) fn keys_of(
    env: &Env,
    table: &Table,
    mut stream: Stream,
) -> Result<Vec<Vec<u8>>, ReqlError> {
    stream.refuse_feed()?;
    let mut keys = Vec::new();
    while let Some(document) = stream.next(env)? {
        keys.push(key_of(table, &document)?);
    }
    Ok(keys)
}
