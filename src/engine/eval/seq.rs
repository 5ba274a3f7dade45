//! Sequences as a whole: `map`, `filter`, `contains`, `distinct` and others.

use std::collections::VecDeque;
use std::sync::Arc;

use super::control::EMPTY_ERROR;
use super::env::Env;
use super::func::Func;
use super::index::{self, IndexScan};
use super::merge;
use super::scope::Scope;
use super::step::{MissingField, Predicate, Step};
use super::stream::{Source, Stream};
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::{Datum, order};
use crate::engine::error::ReqlError;
use crate::engine::storage::Direction;

/// `map`, `filter` and `concat_map`.
pub(crate) fn transform(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    if call.kind == TermKind::Map {
        return map(env, call, scope);
    }
    let stream = env.eval(&call.args[0], scope)?.into_stream()?;
    let function = match call.kind {
        TermKind::Filter => pattern_or_function(env, &call.args[1], scope)?,
        _ => env.func(&call.args[1], scope)?,
    };
    Ok(Value::Stream(match call.kind {
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

/// The condition of `filter`. A literal, which other terms reject, is a pattern that matches only whole values.
fn pattern_or_function(env: &Env, condition: &Term, scope: &Scope) -> Result<Func, ReqlError> {
    match condition {
        Term::Call(call) if call.kind == TermKind::Literal => {
            let literal = Term::Datum(merge::make_literal(env, call, scope)?);
            Ok(Func::constant(literal, scope))
        }
        condition => env.func_or_constant(condition, scope),
    }
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

/// `map` over one sequence, or over several in parallel up to the end of the shortest.
fn map(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let Some((function, sequences)) = call.args.split_last() else {
        return Err(ReqlError::compile("Expected 2 or more arguments."));
    };
    let mut streams = sequences
        .iter()
        .map(|sequence| env.eval(sequence, scope)?.into_stream())
        .collect::<Result<Vec<_>, _>>()?;
    let function = env.func(function, scope)?;
    if !function.takes(streams.len()) {
        return Err(wrong_arity(function.arity(), streams.len()));
    }
    if streams.len() == 1
        && let Some(stream) = streams.pop()
    {
        return Ok(Value::Stream(stream.then(Step::Map(function))));
    }
    for stream in &mut streams {
        if stream.feed().is_some() {
            return Err(ReqlError::logic(
                "The embedded engine does not implement `map` of several changefeeds.",
            ));
        }
    }
    let is_array = streams.iter().all(|stream| stream.is_array);
    let source = Source::Zip(streams, function);
    Ok(Value::Stream(Stream::wrap(source, None, is_array)))
}

/// RethinkDB's error for a function with another number of parameters than there are sequences.
fn wrong_arity(parameters: usize, sequences: usize) -> ReqlError {
    let arguments = if parameters == 1 {
        "argument"
    } else {
        "arguments"
    };
    let were = if sequences == 1 { " was" } else { "s were" };
    ReqlError::logic(format!(
        "The function passed to `map` expects {parameters} {arguments}, but {sequences} sequence{were} found."
    ))
}

/// A condition on elements.
pub(crate) enum Pick {
    Value(Datum),
    Test(Predicate),
}

impl Pick {
    /// The condition of an argument: a function to test the elements, or a value to compare them with.
    ///
    /// # Errors
    /// Any other argument.
    pub(crate) fn new(env: &Env, argument: Value) -> Result<Self, ReqlError> {
        Ok(match argument {
            Value::Func(test) => Self::Test(Predicate {
                test,
                default: MissingField::Keep(false),
            }),
            value => Self::Value(value.into_datum(env)?),
        })
    }

    /// Returns `true` if an element passes.
    ///
    /// # Errors
    /// A failure in the function, except for a missing field, which means `false`.
    pub(crate) fn accepts(&self, env: &Env, element: &Datum) -> Result<bool, ReqlError> {
        match self {
            Self::Value(value) => value.equals(element),
            Self::Test(predicate) => predicate.keeps(env, element),
        }
    }
}

/// `contains`: true if there is an element for each value and each function. An element stands for only one of the
/// values, and for one of the functions.
pub(crate) fn contains(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_endless()?;
    let (mut values, mut tests) = (Vec::new(), Vec::new());
    for argument in &call.args[1..] {
        match env.eval(argument, scope)? {
            Value::Func(test) => tests.push(test),
            value => values.push(value.into_datum(env)?),
        }
    }
    while !values.is_empty() || !tests.is_empty() {
        let Some(element) = stream.next(env)? else {
            return Ok(Value::Datum(false.into()));
        };
        remove_first(&mut values, |value| value.equals(&element))?;
        remove_first(&mut tests, |test| {
            Ok(test.call(env, std::slice::from_ref(&element))?.is_truthy())
        })?;
    }
    Ok(Value::Datum(true.into()))
}

/// Removes the first item that passes a test.
fn remove_first<T>(
    items: &mut Vec<T>,
    test: impl Fn(&T) -> Result<bool, ReqlError>,
) -> Result<(), ReqlError> {
    for position in 0..items.len() {
        if test(&items[position])? {
            items.remove(position);
            break;
        }
    }
    Ok(())
}

pub(crate) fn is_empty(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    Ok(Value::Datum(stream.next(env)?.is_none().into()))
}

/// `distinct`: the distinct elements in sorted order, or the distinct values of an index.
pub(crate) fn distinct(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    if let Some(index) = env.optarg(call, scope, "index")? {
        return distinct_of_index(env, subject, index.as_str()?);
    }
    // RethinkDB returns a stream for a table, and an array for any other sequence.
    let is_array = !matches!(subject, Value::Table(_));
    let kept = without_duplicates(subject.into_stream()?.collect(env)?)?;
    Ok(Value::Stream(Stream {
        is_array,
        ..Stream::array(kept)
    }))
}

/// The distinct values of an index, of a table or of a part of this index. Of the primary key, the values without
/// looking for repeated ones (`distinct_term_t` in RethinkDB's `terms/sort.cc`).
fn distinct_of_index(env: &Env, subject: Value, name: &Arc<str>) -> Result<Value, ReqlError> {
    let refused = || ReqlError::logic("Can only perform an indexed distinct on a TABLE.");
    let stream = match subject {
        Value::Table(table) if *name == table.primary_key => Stream::scan(table),
        Value::Table(table) => {
            let index = index::find_ready(&table, name)?;
            return distinct_values(env, IndexScan::all(table, index));
        }
        Value::Stream(stream) if stream.is_slice() => {
            if stream
                .selection
                .as_ref()
                .is_none_or(|table| *name != table.primary_key)
            {
                return match stream.source {
                    Source::Index(scan) if scan.index_name() == &**name => {
                        distinct_values(env, *scan)
                    }
                    _ => Err(refused()),
                };
            }
            stream
        }
        _ => return Err(refused()),
    };
    Ok(Value::Stream(stream.then(Step::GetField {
        name: name.clone(),
        term: "bracket",
    })))
}

fn distinct_values(env: &Env, scan: IndexScan) -> Result<Value, ReqlError> {
    let direction = scan.order();
    let mut values = without_duplicates(scan.distinct_values(env)?)?;
    if direction == Some(Direction::Descending) {
        values.reverse();
    }
    Ok(Value::Stream(Stream::items(values)))
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
