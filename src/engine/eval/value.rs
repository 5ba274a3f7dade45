//! What a term evaluates to.

use std::sync::Arc;

use super::Env;
use super::func::Func;
use super::stream::Stream;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::{Index, TableId};

/// The most items that an array may have (RethinkDB's `array_limit`).
pub(crate) const ARRAY_LIMIT: usize = 100_000;

/// The result of a term.
#[expect(
    clippy::large_enum_variant,
    reason = "a value lives for a moment, on the stack"
)]
#[derive(Debug)]
pub(crate) enum Value {
    Datum(Datum),
    Db(Arc<str>),
    Table(Table),
    /// One document of a table, which may not exist.
    Row(Row),
    /// A sequence, a feed among them.
    Stream(Stream),
    Func(Func),
    /// A key to sort by, given with `asc` or `desc`.
    Order {
        key: Box<Value>,
        descending: bool,
    },
    /// `minval`: below every value.
    MinVal,
    /// `maxval`: above every value.
    MaxVal,
}

/// A table that exists.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) id: TableId,
    pub(crate) db: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) primary_key: Arc<str>,
    /// Whether writes are soft unless they say otherwise.
    pub(crate) is_soft: bool,
    pub(crate) indexes: Arc<[Index]>,
}

impl Table {
    /// `database.table`, as errors name it.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}", self.db, self.name)
    }
}

/// A document of a table, by its key.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) table: Table,
    pub(crate) key: Datum,
    /// The document, or null where there is none.
    pub(crate) value: Datum,
}

impl Value {
    /// The ReQL name of the type, as `type_of` answers.
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

    /// The value as a datum; a sequence is read to its end.
    ///
    /// # Errors
    /// What has no datum, a feed, and a sequence longer than [`ARRAY_LIMIT`].
    pub(crate) fn into_datum(self, env: &Env) -> Result<Datum, ReqlError> {
        match self {
            Self::Datum(datum) => Ok(datum),
            Self::Row(row) => Ok(row.value),
            Self::Stream(stream) if stream.is_array => Ok(stream.collect(env)?.into()),
            other => Err(ReqlError::expected("DATUM", other.type_name())),
        }
    }

    /// The value as a datum, where RethinkDB also takes a lazy sequence: in functions and arguments of writes.
    ///
    /// # Errors
    /// As [`Value::into_datum`].
    pub(crate) fn materialize(self, env: &Env) -> Result<Datum, ReqlError> {
        match self {
            Self::Table(_) | Self::Stream(_) => Ok(self.into_stream()?.collect(env)?.into()),
            other => other.into_datum(env),
        }
    }

    /// The value as a sequence.
    ///
    /// # Errors
    /// What is none.
    pub(crate) fn into_stream(self) -> Result<Stream, ReqlError> {
        match self {
            Self::Table(table) => Ok(Stream::scan(table)),
            Self::Stream(stream) => Ok(stream),
            Self::Datum(Datum::Array(items)) => Ok(Stream::array(items.to_vec())),
            Self::Datum(Datum::Object(fields)) => {
                let pair = |(name, value): (&Arc<str>, &Datum)| {
                    vec![Datum::String(name.clone()), value.clone()].into()
                };
                Ok(Stream::array(fields.iter().map(pair).collect()))
            }
            Self::Row(Row {
                value: value @ (Datum::Array(_) | Datum::Object(_)),
                ..
            }) => Self::Datum(value).into_stream(),
            other => {
                let found = match &other {
                    Self::Row(row) => row.value.type_name(),
                    other => other.type_name(),
                };
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
    /// What is none.
    pub(crate) fn into_table(self) -> Result<Table, ReqlError> {
        match self {
            Self::Table(table) => Ok(table),
            other => Err(ReqlError::expected("TABLE", other.type_name())),
        }
    }
}
