//! What is done to one element of a sequence, on its way to a client or a feed.

use std::sync::Arc;

use super::func::Func;
use super::path::Paths;
use super::{Env, object};
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};

/// Turns an element into another one, or drops it. Steps keep no state, so a feed can apply them too.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Map(Func),
    Filter(Predicate),
    Pluck(Paths),
    Without(Paths),
    HasFields(Paths),
    /// Objects and functions of the element, merged into it in order.
    Merge(Vec<Func>),
    /// The field, where there is one.
    GetField(Arc<str>),
}

/// What `filter` keeps.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    pub(crate) test: Func,
    /// What to make of an element that lacks a field which the test wants.
    pub(crate) default: Default,
}

/// What `filter` does with an element that its test fails on for want of a field.
#[derive(Debug, Clone)]
pub(crate) enum Default {
    Keep(bool),
    /// The failure of the test is the failure of the query.
    Fail,
    /// Another failure takes its place.
    Raise(ReqlError),
}

impl Step {
    /// The element after this step, `None` where it is dropped.
    ///
    /// # Errors
    /// What fails in a function, and elements of a type that the step cannot take.
    pub(crate) fn apply(&self, env: &Env, element: Datum) -> Result<Option<Datum>, ReqlError> {
        Ok(match self {
            Self::Map(function) => Some(function.call(env, &[element])?),
            Self::Filter(predicate) => predicate.keeps(env, &element)?.then_some(element),
            Self::Pluck(paths) => Some(paths.pluck(object_of("pluck", &element)?).into()),
            Self::Without(paths) => Some(paths.without(object_of("without", &element)?).into()),
            Self::HasFields(paths) => paths
                .are_in(object_of("has_fields", &element)?)
                .then_some(element),
            Self::Merge(others) => Some(object::merge_all(env, element, others)?),
            Self::GetField(name) => object_of("bracket", &element)?.get(name).cloned(),
        })
    }

    /// Whether the element stays a document of its table.
    pub(crate) fn keeps_selection(&self) -> bool {
        matches!(self, Self::Filter(_) | Self::HasFields(_))
    }

    /// Whether the step does the same to the same element, always: a feed can follow no other.
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
    /// Whether the element passes.
    ///
    /// # Errors
    /// What fails in the test, but for a missing field, which the default answers.
    pub(crate) fn keeps(&self, env: &Env, element: &Datum) -> Result<bool, ReqlError> {
        match self.test.call(env, std::slice::from_ref(element)) {
            Ok(Datum::Object(wanted)) if self.test.is_constant() => {
                object::is_like(element, &Datum::Object(wanted))
            }
            Ok(answer) => Ok(answer.is_truthy()),
            Err(error) if error.kind == ErrorKind::NonExistence => match &self.default {
                Default::Keep(keep) => Ok(*keep),
                Default::Fail => Err(error),
                Default::Raise(other) => Err(other.clone()),
            },
            Err(error) => Err(error),
        }
    }
}

fn object_of<'a>(
    term: &str,
    element: &'a Datum,
) -> Result<&'a crate::engine::datum::Object, ReqlError> {
    match element {
        Datum::Object(fields) => Ok(fields),
        other => Err(object::not_an_object(term, other)),
    }
}
