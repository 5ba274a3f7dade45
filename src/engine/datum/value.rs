//! The type of ReQL values.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::binary::Binary;
use super::time::Time;
use crate::engine::error::ReqlError;

/// The fields of an object, in the byte order of their names, as RethinkDB prints them.
pub type Object = BTreeMap<Arc<str>, Datum>;

/// A ReQL value. Cloning is cheap, because large parts are shared.
#[derive(Clone, Debug)]
pub enum Datum {
    /// `minval`, below every other value. Like [`Datum::MaxVal`], it exists only within a query: it can be neither
    /// stored nor sent.
    MinVal,
    /// `maxval`, above every other value.
    MaxVal,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite double, the only kind of number in ReQL.
    Number(f64),
    /// A string. It may contain NUL characters, unless it is a key.
    String(Arc<str>),
    /// An array of any values.
    Array(Arc<[Datum]>),
    /// An object.
    Object(Arc<Object>),
    /// The pseudotype `BINARY`.
    Binary(Binary),
    /// The pseudotype `TIME`.
    Time(Time),
}

impl Datum {
    /// The ReQL name of the type, as `type_of` returns it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::MinVal => "MINVAL",
            Self::MaxVal => "MAXVAL",
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

    /// An object with the given fields.
    pub(crate) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Datum)>) -> Self {
        fields
            .into_iter()
            .map(|(name, value)| (Arc::from(name), value))
            .collect::<Object>()
            .into()
    }

    /// A field; `None` if there is none or the value is not an object.
    pub(crate) fn field(&self, name: &str) -> Option<&Datum> {
        match self {
            Self::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// Returns `true` unless the value is `false` or `null`, as ReQL's conditions do.
    pub(crate) fn is_truthy(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// The number.
    ///
    /// # Errors
    /// RethinkDB's error for another type.
    pub(crate) fn as_number(&self) -> Result<f64, ReqlError> {
        match self {
            Self::Number(number) => Ok(*number),
            other => Err(ReqlError::expected("NUMBER", other.type_name())),
        }
    }

    /// The number as an integer, up to 2^53.
    ///
    /// # Errors
    /// RethinkDB's error for another type or number.
    pub(crate) fn as_integer(&self) -> Result<i64, ReqlError> {
        let number = self.as_number()?;
        if number.fract() != 0.0 || number.abs() > MAX_SAFE_INTEGER {
            let range = match number {
                number if number > MAX_SAFE_INTEGER => " (>2^53)",
                number if number < -MAX_SAFE_INTEGER => " (<-2^53)",
                _ => "",
            };
            return Err(ReqlError::logic(format!(
                "Number not an integer{range}: {number}"
            )));
        }
        Ok(number as i64)
    }

    /// The string.
    ///
    /// # Errors
    /// RethinkDB's error for another type.
    pub(crate) fn as_str(&self) -> Result<&Arc<str>, ReqlError> {
        match self {
            Self::String(text) => Ok(text),
            other => Err(ReqlError::expected("STRING", other.type_name())),
        }
    }

    /// The approximate size in memory, in bytes. Stored binaries do not count: their bytes are on disk.
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

    /// Returns `true` for `minval`, `maxval` and arrays of them, at any depth.
    pub(crate) fn has_extreme(&self) -> bool {
        match self {
            Self::MinVal | Self::MaxVal => true,
            Self::Array(items) => items.iter().any(Self::has_extreme),
            _ => false,
        }
    }

    /// The items of the array.
    ///
    /// # Errors
    /// RethinkDB's error for another type.
    pub(crate) fn as_array(&self) -> Result<&Arc<[Datum]>, ReqlError> {
        match self {
            Self::Array(items) => Ok(items),
            other => Err(ReqlError::expected("ARRAY", other.type_name())),
        }
    }

    /// The fields of the object.
    ///
    /// # Errors
    /// RethinkDB's error for another type.
    pub(crate) fn as_object(&self) -> Result<&Arc<Object>, ReqlError> {
        match self {
            Self::Object(fields) => Ok(fields),
            other => Err(ReqlError::expected("OBJECT", other.type_name())),
        }
    }
}

/// 2^53: up to here, doubles represent every integer exactly.
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
