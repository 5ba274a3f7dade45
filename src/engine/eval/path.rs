//! Selections of fields: the arguments of `pluck`, `without` and `has_fields`.

use std::sync::Arc;

use super::merge::merge;
use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;

/// A selection of fields, possibly nested.
#[derive(Debug, Clone)]
pub(crate) enum Paths {
    /// A whole field.
    Field(Arc<str>),
    /// The union of several selections.
    All(Vec<Paths>),
    /// A selection within a field.
    Inside(Arc<str>, Box<Paths>),
}

impl Paths {
    /// Parses arguments: names, arrays of them, and objects such as `{a: true}` or `{a: {b: true}}`.
    ///
    /// # Errors
    /// Any other argument.
    pub(crate) fn new(arguments: &[Datum]) -> Result<Self, ReqlError> {
        arguments
            .iter()
            .map(Self::parse)
            .collect::<Result<_, _>>()
            .map(Self::All)
    }

    fn parse(argument: &Datum) -> Result<Self, ReqlError> {
        match argument {
            Datum::String(name) => Ok(Self::Field(name.clone())),
            Datum::Array(items) => Self::new(items),
            Datum::Object(fields) => {
                let parse = |(name, inner): (&Arc<str>, &Datum)| match inner {
                    Datum::Bool(true) => Ok(Self::Field(name.clone())),
                    inner => Ok(Self::Inside(name.clone(), Box::new(Self::parse(inner)?))),
                };
                fields
                    .iter()
                    .map(parse)
                    .collect::<Result<_, _>>()
                    .map(Self::All)
            }
            other => Err(ReqlError::logic(format!(
                "Invalid path argument `{}`.",
                other.print()
            ))),
        }
    }

    /// The object with only the selected fields.
    pub(crate) fn pluck(&self, object: &Object) -> Object {
        let mut kept = Object::new();
        self.pluck_into(object, &mut kept);
        kept
    }

    fn pluck_into(&self, object: &Object, kept: &mut Object) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.pluck_into(object, kept)),
            Self::Field(name) => {
                if let Some(value) = object.get(name) {
                    kept.insert(name.clone(), value.clone());
                }
            }
            Self::Inside(name, inner) => {
                let Some(value) = object.get(name).and_then(|value| inner.pluck_value(value))
                else {
                    return;
                };
                let merged = match kept.get(name) {
                    Some(before) => merge(before, &value),
                    None => value,
                };
                kept.insert(name.clone(), merged);
            }
        }
    }

    fn pluck_value(&self, value: &Datum) -> Option<Datum> {
        match value {
            Datum::Object(fields) => Some(self.pluck(fields).into()),
            Datum::Array(items) => {
                let items: Vec<Datum> = items
                    .iter()
                    .filter_map(|item| self.pluck_value(item))
                    .collect();
                (!items.is_empty()).then(|| items.into())
            }
            _ => None,
        }
    }

    /// The object without the selected fields.
    pub(crate) fn without(&self, object: &Object) -> Object {
        let mut kept = object.clone();
        self.remove_from(&mut kept);
        kept
    }

    fn remove_from(&self, object: &mut Object) {
        match self {
            Self::All(parts) => parts.iter().for_each(|part| part.remove_from(object)),
            Self::Field(name) => {
                object.remove(name);
            }
            Self::Inside(name, inner) => {
                if let Some(value) = object.get_mut(name) {
                    *value = inner.without_value(value);
                }
            }
        }
    }

    fn without_value(&self, value: &Datum) -> Datum {
        match value {
            Datum::Object(fields) => self.without(fields).into(),
            Datum::Array(items) => items
                .iter()
                .map(|item| self.without_value(item))
                .collect::<Vec<_>>()
                .into(),
            other => other.clone(),
        }
    }

    /// Returns `true` if all selected fields exist and are not null.
    pub(crate) fn are_in(&self, object: &Object) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.are_in(object)),
            Self::Field(name) => !matches!(object.get(name), None | Some(Datum::Null)),
            Self::Inside(name, inner) => {
                matches!(object.get(name), Some(Datum::Object(fields)) if inner.are_in(fields))
            }
        }
    }
}
