//! The term `union`.

use std::collections::VecDeque;

use super::env::Env;
use super::scope::Scope;
use super::sort::{SortKey, compare_by, key_values, sort_key};
use super::stream::{Source, Stream};
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// `union`: the elements of several sequences, one sequence after the other, or merged by their order.
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
    let source = match interleave(env, call, scope)? {
        Some(keys) => Source::Merge(Box::new(Merge::new(streams, keys))),
        None => Source::Union(streams),
    };
    Ok(Value::Stream(Stream::wrap(source, None, is_array)))
}

/// The order of the optional argument `interleave`: a sort key or an array of them. `None` if there is no argument, and
/// for `true` and `false`: without an order, one sequence after the other is right for both.
fn interleave(env: &Env, call: &Call, scope: &Scope) -> Result<Option<Vec<SortKey>>, ReqlError> {
    let keys = match call.optarg("interleave") {
        None => return Ok(None),
        // Not evaluated as an array, because functions cannot be items of one.
        Some(Term::Call(keys)) if keys.kind == TermKind::MakeArray => keys
            .args
            .iter()
            .map(|key| sort_key(env, env.eval(key, scope)?))
            .collect::<Result<Vec<_>, _>>()?,
        Some(order) => match env.eval(order, scope)? {
            Value::Datum(Datum::Bool(_)) => return Ok(None),
            Value::Datum(Datum::Array(keys)) => keys
                .iter()
                .map(|key| sort_key(env, Value::Datum(key.clone())))
                .collect::<Result<Vec<_>, _>>()?,
            key => vec![sort_key(env, key)?],
        },
    };
    Ok((!keys.is_empty()).then_some(keys))
}

/// Sequences that are merged by an order which each of them has.
#[derive(Debug)]
pub(crate) struct Merge {
    keys: Vec<SortKey>,
    inputs: Vec<Input>,
    is_started: bool,
}

/// A sequence and its next element.
#[derive(Debug)]
struct Input {
    stream: Stream,
    next: Option<Element>,
}

/// An element and its values of the sort keys.
#[derive(Debug)]
struct Element {
    value: Datum,
    keys: Vec<Option<Datum>>,
}

impl Merge {
    fn new(streams: VecDeque<Stream>, keys: Vec<SortKey>) -> Self {
        let inputs = streams
            .into_iter()
            .map(|stream| Input { stream, next: None });
        Self {
            keys,
            inputs: inputs.collect(),
            is_started: false,
        }
    }

    /// The next element in the order; `None` at the end.
    ///
    /// # Errors
    /// As [`Stream::next`], or a sequence that does not have the order.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if !self.is_started {
            self.is_started = true;
            for input in &mut self.inputs {
                input.next = read(env, &mut input.stream, &self.keys)?;
            }
        }
        let Some(first) = self.first()? else {
            return Ok(None);
        };
        let input = &mut self.inputs[first];
        let following = read(env, &mut input.stream, &self.keys)?;
        let element = std::mem::replace(&mut input.next, following);
        if let (Some(element), Some(following)) = (&element, &input.next)
            && compare_by(&self.keys, &following.keys, &element.keys)?.is_lt()
        {
            return Err(ReqlError::logic(
                "The streams given as arguments are not ordered by given ordering.",
            ));
        }
        Ok(element.map(|element| element.value))
    }

    /// The input whose next element comes first.
    fn first(&self) -> Result<Option<usize>, ReqlError> {
        let mut first: Option<(usize, &Element)> = None;
        for (number, input) in self.inputs.iter().enumerate() {
            let Some(element) = &input.next else { continue };
            let is_before = match first {
                None => true,
                Some((_, best)) => compare_by(&self.keys, &element.keys, &best.keys)?.is_lt(),
            };
            if is_before {
                first = Some((number, element));
            }
        }
        Ok(first.map(|(number, _)| number))
    }

    /// Returns `true` if an input never ends.
    pub(crate) fn is_endless(&self) -> bool {
        self.inputs.iter().any(|input| input.stream.is_endless())
    }

    /// As [`Stream::pause`].
    pub(crate) fn pause(&mut self) {
        self.inputs
            .iter_mut()
            .for_each(|input| input.stream.pause());
    }
}

fn read(env: &Env, stream: &mut Stream, keys: &[SortKey]) -> Result<Option<Element>, ReqlError> {
    let Some(value) = stream.next(env)? else {
        return Ok(None);
    };
    let keys = key_values(env, keys, &value)?;
    Ok(Some(Element { value, keys }))
}
