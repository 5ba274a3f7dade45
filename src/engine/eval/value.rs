//! The results of terms.

use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::selection::{Row, Table};
use super::stream::Stream;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The result of a term.
#[derive(Debug)]
pub(crate) enum Value {
    Datum(Datum),
    Db(Arc<str>),
    Table(Table),
    /// A document of a table, which may not exist.
    Row(Row),
    /// A sequence, possibly a feed.
    Stream(Stream),
    Func(Func),
    /// A sort key with a direction (`asc`, `desc`).
    Order {
        key: Box<Value>,
        descending: bool,
    },
    /// `minval`: below every value.
    MinVal,
    /// `maxval`: above every value.
    MaxVal,
}

impl Value {
    /// The ReQL name of the type, as `type_of` returns it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Datum(datum) => datum.type_name(),
            Self::Db(_) => "DB",
            Self::Table(_) => "TABLE",
            Self::Row(_) => "SELECTION<OBJECT>",
            Self::Stream(stream) => stream.type_name(),
            Self::Func(_) => "FUNCTION",
            Self::Order { key, .. } => key.type_name(),
            Self::MinVal => "MINVAL",
            Self::MaxVal => "MAXVAL",
        }
    }

    /// The value as a datum. An array is read to its end.
    ///
    /// # Errors
    /// A value that is not a datum, or an array longer than the limit of the query.
    pub(crate) fn into_datum(self, env: &Env) -> Result<Datum, ReqlError> {
        match self {
            Self::Datum(datum) => Ok(datum),
            Self::Row(row) => Ok(row.value),
            Self::Stream(stream) if stream.is_array => Ok(stream.collect(env)?.into()),
            Self::MinVal => Ok(Datum::MinVal),
            Self::MaxVal => Ok(Datum::MaxVal),
            other => Err(other.mistyped(env, "DATUM")),
        }
    }

    /// RethinkDB's error for a value of another type than `wanted`: `rcheck_literal_type` in its `val.cc`.
    pub(crate) fn mistyped(self, env: &Env, wanted: &str) -> ReqlError {
        let found = self.class_name();
        let (kind, printed) = match self {
            Self::Db(name) => ("", format!("db(\"{name}\")")),
            Self::Table(table) => ("", format!("table(\"{}\")", table.name)),
            Self::Stream(Stream {
                selection: Some(table),
                ..
            }) => ("", format!("SELECTION ON table({})", table.name)),
            Self::Stream(stream) if !stream.is_array => ("", format!("VALUE {found}")),
            Self::Func(_) | Self::Order { .. } => ("", format!("VALUE {found}")),
            other => match other.into_datum(env) {
                Ok(datum) => (datum.type_name(), datum.print()),
                Err(error) => return error,
            },
        };
        ReqlError::of_type(
            kind,
            format!("Expected type {wanted} but found {found}:\n{printed}"),
        )
    }

    /// The class of the type, as RethinkDB names it in errors (`val_t::type_t::name` in its `val.cc`).
    fn class_name(&self) -> &'static str {
        match self {
            Self::Db(_) => "DATABASE",
            Self::Table(_) => "TABLE",
            Self::Row(_) => "SINGLE_SELECTION",
            Self::Stream(stream) => match stream.type_name() {
                "TABLE_SLICE" => "TABLE_SLICE",
                "ARRAY" => "DATUM",
                "STREAM" => "SEQUENCE",
                _ => "SELECTION",
            },
            Self::Func(_) | Self::Order { .. } => "FUNCTION",
            Self::Datum(_) | Self::MinVal | Self::MaxVal => "DATUM",
        }
    }

    /// The value as a datum. Also reads a lazy sequence, which RethinkDB accepts in arrays, `do` and `args`.
    ///
    /// # Errors
    /// As [`Value::into_datum`], or a feed.
    pub(crate) fn materialize(self, env: &Env) -> Result<Datum, ReqlError> {
        match self {
            Self::Table(_) | Self::Stream(_) => Ok(self.into_stream()?.collect(env)?.into()),
            other => other.into_datum(env),
        }
    }

    /// The value as a sequence.
    ///
    /// # Errors
    /// Any other value. An object is no sequence, although `coerce_to` makes an array of one.
    pub(crate) fn into_stream(self) -> Result<Stream, ReqlError> {
        match self {
            Self::Table(table) => Ok(Stream::scan(table)),
            Self::Stream(stream) => Ok(stream),
            Self::Datum(Datum::Array(items)) => Ok(Stream::array(items.to_vec())),
            Self::Row(row) => Err(ReqlError::of_type(
                row.value.type_name(),
                format!(
                    "Expected type SEQUENCE but found SINGLE_SELECTION:\n{}",
                    row.value.print()
                ),
            )),
            other => {
                let found = other.type_name();
                Err(ReqlError::of_type(
                    found,
                    format!("Cannot convert {found} to SEQUENCE"),
                ))
            }
        }
    }

    /// The value as a table.
    ///
    /// # Errors
    /// Any other value.
    pub(crate) fn into_table(self, env: &Env) -> Result<Table, ReqlError> {
        match self {
            Self::Table(table) => Ok(table),
            other => Err(other.mistyped(env, "TABLE")),
        }
    }
}
