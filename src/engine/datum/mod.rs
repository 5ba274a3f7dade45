//! A ReQL value: JSON, plus binary and time.

mod binary;
pub(crate) mod json;
mod key;
pub(crate) mod order;
mod parse;
pub(crate) mod print;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use binary::{Binary, BlobSource};
pub(crate) use key::primary_key;
pub(crate) use parse::{from_fields, from_node, pseudotype};
pub use time::Time;

use crate::engine::error::ReqlError;

/// A document or an object inside one: fields in the byte order of their names.
pub type Object = BTreeMap<Arc<str>, Datum>;

/// A ReQL value. Cloning is cheap: everything that can be large is shared.
#[derive(Clone, Debug)]
pub enum Datum {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite double; ReQL knows no other numbers.
    Number(f64),
    /// Text. It may hold NUL characters, but a key may not.
    String(Arc<str>),
    /// A list of any values.
    Array(Arc<[Datum]>),
    /// An object whose fields are in byte order, as RethinkDB prints them.
    Object(Arc<Object>),
    /// The pseudotype `BINARY`.
    Binary(Binary),
    /// The pseudotype `TIME`.
    Time(Time),
}

impl Datum {
    /// The name that ReQL has for the type, as `type_of` answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "BOOL",
            Self::Number(_) => "NUMBER",
            Self::String(_) => "STRING",
            Self::Array(_) => "ARRAY",
            Self::Object(_) => "OBJECT",
            Self::Binary(_) => "PTYPE<BINARY>",
            Self::Time(_) => "PTYPE<TIME>",
        }
    }

    /// An object of the given fields.
    pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Datum)>) -> Self {
        fields
            .into_iter()
            .map(|(name, value)| (Arc::from(name), value))
            .collect::<Object>()
            .into()
    }

    /// The field of an object; `None` where there is none or this is no object.
    pub(crate) fn field(&self, name: &str) -> Option<&Datum> {
        match self {
            Self::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// Everything but `false` and `null` counts as true.
    pub(crate) fn is_truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// The number, or RethinkDB's complaint about another type.
    pub(crate) fn as_number(&self) -> Result<f64, ReqlError> {
        match self {
            Self::Number(number) => Ok(*number),
            other => Err(ReqlError::expected("NUMBER", other.type_name())),
        }
    }

    /// A whole number, or RethinkDB's complaint.
    pub(crate) fn as_integer(&self) -> Result<i64, ReqlError> {
        let number = self.as_number()?;
        if number.fract() != 0.0 || number.abs() > MAX_SAFE_INTEGER {
            return Err(ReqlError::logic(format!(
                "Number not an integer: {}",
                self.print()
            )));
        }
        Ok(number as i64)
    }

    /// The text, or RethinkDB's complaint about another type.
    pub(crate) fn as_str(&self) -> Result<&Arc<str>, ReqlError> {
        match self {
            Self::String(text) => Ok(text),
            other => Err(ReqlError::expected("STRING", other.type_name())),
        }
    }

    /// About how many bytes of memory the value takes; what lies on disk takes none.
    pub(crate) fn weight(&self) -> usize {
        let inner = match self {
            Self::String(text) => text.len(),
            Self::Array(items) => items.iter().map(Self::weight).sum(),
            Self::Object(fields) => fields
                .iter()
                .map(|(name, value)| name.len() + value.weight())
                .sum(),
            Self::Binary(Binary::Inline(bytes)) => bytes.len(),
            _ => 0,
        };
        size_of::<Self>() + inner
    }

    /// The items, or RethinkDB's complaint about another type.
    pub(crate) fn as_array(&self) -> Result<&Arc<[Datum]>, ReqlError> {
        match self {
            Self::Array(items) => Ok(items),
            other => Err(ReqlError::expected("ARRAY", other.type_name())),
        }
    }

    /// The fields, or RethinkDB's complaint about another type.
    pub(crate) fn as_object(&self) -> Result<&Arc<Object>, ReqlError> {
        match self {
            Self::Object(fields) => Ok(fields),
            other => Err(ReqlError::expected("OBJECT", other.type_name())),
        }
    }
}

/// 2^53: up to here every whole number is its own double.
pub(crate) const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

impl From<Object> for Datum {
    fn from(fields: Object) -> Self {
        Self::Object(Arc::new(fields))
    }
}

impl From<Vec<Datum>> for Datum {
    fn from(items: Vec<Datum>) -> Self {
        Self::Array(items.into())
    }
}

impl From<&str> for Datum {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Datum {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<f64> for Datum {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Datum {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

impl From<bool> for Datum {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
