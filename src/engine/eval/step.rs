//! Stateless transformations of single elements, for sequences and for feeds.

use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::index::IndexCondition;
use super::merge;
use super::path::Paths;
use crate::engine::datum::{Datum, Object};
use crate::engine::error::{ErrorKind, ReqlError};

/// Maps an element to another one, or drops it. Steps have no state, so a feed can apply them to each change.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Map(Func),
    Filter(Predicate),
    Pluck(Paths),
    Without(Paths),
    HasFields(Paths),
    /// Merges the results of functions into the element, in order.
    Merge(Vec<Func>),
    /// The value of a field; drops elements without it.
    GetField {
        name: Arc<str>,
        /// The name of the term in errors.
        term: &'static str,
    },
    /// Keeps the documents in ranges of an index.
    Indexed(Arc<IndexCondition>),
}

/// The condition of `filter`.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    pub(crate) test: Func,
    /// The treatment of elements that lack a field used by the test.
    pub(crate) default: MissingField,
}

/// The treatment of an element that lacks a field used by the test of `filter`: the optional argument `default`.
#[derive(Debug, Clone)]
pub(crate) enum MissingField {
    Keep(bool),
    /// The query fails with the error of the test.
    Fail,
    /// The query fails with another error.
    Raise(ReqlError),
}

impl Step {
    /// Applies the step; `None` if it drops the element.
    ///
    /// # Errors
    /// A failure in a function, or an element of the wrong type.
    pub(crate) fn apply(&self, env: &Env, element: Datum) -> Result<Option<Datum>, ReqlError> {
        Ok(match self {
            Self::Map(function) => Some(function.call(env, &[element])?),
            Self::Filter(predicate) => predicate.keeps(env, &element)?.then_some(element),
            Self::Pluck(paths) => Some(paths.pluck(object_of("pluck", &element)?).into()),
            Self::Without(paths) => Some(paths.without(object_of("without", &element)?).into()),
            Self::HasFields(paths) => {
                let has_fields = object_or_missing("has_fields", &element)?
                    .is_some_and(|fields| paths.are_in(fields));
                has_fields.then_some(element)
            }
            Self::Merge(others) => {
                object_of("merge", &element)?;
                Some(merge::merge_all(env, element, others)?)
            }
            Self::GetField { name, term } => {
                object_or_missing(term, &element)?.and_then(|fields| fields.get(name).cloned())
            }
            Self::Indexed(condition) => condition.selects(&element)?.then_some(element),
        })
    }

    /// Returns `true` if the step keeps documents unchanged, so that they can still be written to.
    pub(crate) fn keeps_selection(&self) -> bool {
        matches!(
            self,
            Self::Filter(_) | Self::HasFields(_) | Self::Indexed(_)
        )
    }

    /// Returns `true` if equal elements always yield equal results. Feeds accept no other steps.
    pub(crate) fn is_deterministic(&self) -> bool {
        match self {
            Self::Map(function) => function.is_deterministic(),
            Self::Filter(predicate) => predicate.test.is_deterministic(),
            Self::Merge(others) => others.iter().all(Func::is_deterministic),
            _ => true,
        }
    }
}

impl Predicate {
    /// Returns `true` if the element passes.
    ///
    /// # Errors
    /// A failure in the test. A missing field is one only if the default says so.
    pub(crate) fn keeps(&self, env: &Env, element: &Datum) -> Result<bool, ReqlError> {
        match self.test(env, element) {
            Err(error) if error.kind == ErrorKind::NonExistence => match &self.default {
                MissingField::Keep(keep) => Ok(*keep),
                MissingField::Fail => Err(error),
                MissingField::Raise(other) => Err(other.clone()),
            },
            result => result,
        }
    }

    fn test(&self, env: &Env, element: &Datum) -> Result<bool, ReqlError> {
        let answer = self.test.call(env, std::slice::from_ref(element))?;
        match &answer {
            // `filter({a: 1})` matches a pattern instead of testing a value.
            Datum::Object(_) if self.test.is_pattern() => is_like(element, &answer),
            _ => Ok(answer.is_truthy()),
        }
    }
}

fn object_of<'a>(term: &str, element: &'a Datum) -> Result<&'a Object, ReqlError> {
    match element {
        Datum::Object(fields) => Ok(fields),
        other => Err(not_an_object(term, other)),
    }
}

/// The fields of an element; `None` for null, which lacks all fields.
fn object_or_missing<'a>(term: &str, element: &'a Datum) -> Result<Option<&'a Object>, ReqlError> {
    match element {
        Datum::Null => Ok(None),
        element => object_of(term, element).map(Some),
    }
}

/// RethinkDB's error for a value without fields, or for a sequence within a sequence.
pub(crate) fn not_an_object(term: &str, found: &Datum) -> ReqlError {
    let message = match found {
        Datum::Array(_) => format!("Cannot perform {term} on a sequence of sequences."),
        // A time is an object in RethinkDB, but its fields are out of reach.
        Datum::Time(_) => format!(
            "Cannot call `{term}` on objects of type `{}`.",
            found.type_name()
        ),
        _ => format!(
            "Cannot perform {term} on a non-object non-sequence `{}`.",
            found.print_short()
        ),
    };
    match found {
        Datum::Null => ReqlError::missing(message),
        _ => ReqlError::logic(message),
    }
}

/// Returns `true` if an element has all fields of the pattern with equal values, recursively. A literal in the pattern
/// matches only the whole value.
///
/// # Errors
/// An element without a field of the pattern, or a stored binary that cannot be read.
fn is_like(element: &Datum, pattern: &Datum) -> Result<bool, ReqlError> {
    let (Datum::Object(fields), Datum::Object(wanted)) = (element, pattern) else {
        return element.equals(pattern);
    };
    if let Some(value) = merge::literal(pattern) {
        return value.map_or(Ok(false), |value| value.equals(element));
    }
    for (name, pattern) in wanted.iter() {
        let value = fields
            .get(name)
            .ok_or_else(|| ReqlError::missing(format!("No attribute `{name}` in object.")))?;
        if !is_like(value, pattern)? {
            return Ok(false);
        }
    }
    Ok(true)
}
