//! Sequences as a whole: `map`, `filter`, `contains`, `distinct`, `union` and others.

use std::collections::VecDeque;

use super::array::check_length;
use super::control::EMPTY_ERROR;
use super::env::Env;
use super::index::{self, IndexScan};
use super::scope::Scope;
use super::step::{MissingField, Predicate, Step};
use super::stream::{Source, Stream};
use super::term::{Call, TermKind};
use super::value::Value;
use crate::engine::datum::{Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};

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
            let source = Source::ConcatMap(Box::new(stream), function, VecDeque::new());
            Stream::wrap(source, None, is_array)
        }
    }))
}

/// The optional argument `default` of `filter`.
fn filter_default(env: &Env, call: &Call, scope: &Scope) -> Result<MissingField, ReqlError> {
    let Some(default) = call.optarg("default") else {
        return Ok(MissingField::Keep(false));
    };
    match env.datum(default, scope) {
        Ok(value) => Ok(MissingField::Keep(value.is_truthy())),
        // `r.error()` stands for the error of the predicate.
        Err(error) if error.message == EMPTY_ERROR => Ok(MissingField::Fail),
        Err(error) => Ok(MissingField::Raise(error)),
    }
}

/// `map` over several sequences in parallel, up to the end of the shortest.
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

/// Returns `true` if an element passes a predicate or equals a value.
///
/// # Errors
/// A failure in the predicate, except for a missing field, which means `false`.
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

/// `contains`: true if each value equals some element, and each predicate accepts one.
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

pub(crate) fn is_empty(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    Ok(Value::Datum(stream.next(env)?.is_none().into()))
}

/// `distinct`: the distinct elements in sorted order, or the distinct values of an index.
pub(crate) fn distinct(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let of_table = matches!(subject, Value::Table(_));
    let stream = match call.optarg("index") {
        None => subject.into_stream()?,
        Some(index) => {
            let name = env.datum(index, scope)?.as_str()?.clone();
            match subject {
                // After `between` with this index.
                Value::Stream(Stream {
                    source: Source::Index(scan),
                    steps,
                    ..
                }) if steps.is_empty() && scan.index_name() == &*name => {
                    Stream::items(scan.distinct_values(env)?)
                }
                subject => {
                    let table = subject.into_table()?;
                    if *name == *table.primary_key {
                        Stream::scan(table).then(Step::GetField(name))
                    } else {
                        let index = index::find_ready(&table, &name)?;
                        let scan = IndexScan::all(table, index);
                        Stream::items(scan.distinct_values(env)?)
                    }
                }
            }
        }
    };
    // RethinkDB returns a stream for a table or an index, and an array for any other sequence.
    let is_array = !of_table;
    let kept = without_duplicates(stream.collect(env)?)?;
    Ok(Value::Stream(Stream {
        is_array,
        ..Stream::array(kept)
    }))
}

/// Sorts items and removes repeated ones.
fn without_duplicates(mut items: Vec<Datum>) -> Result<Vec<Datum>, ReqlError> {
    order::sort_by(&mut items, Datum::compare)?;
    let mut kept: Vec<Datum> = Vec::with_capacity(items.len());
    for item in items {
        let is_repeated = match kept.last() {
            Some(last) => last.equals(&item)?,
            None => false,
        };
        if !is_repeated {
            kept.push(item);
        }
    }
    Ok(kept)
}

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
