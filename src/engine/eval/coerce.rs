//! Conversions between types: `type_of`, `coerce_to` and `binary`.

use std::sync::Arc;

use super::arithmetic::finite;
use super::env::Env;
use super::number;
use super::scope::Scope;
use super::selection::Row;
use super::stream::Stream;
use super::term::Call;
use super::value::Value;
use crate::engine::datum::{Binary, Datum, Object, pseudotype};
use crate::engine::error::ReqlError;

pub(crate) fn type_of(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    Ok(env.eval(&call.args[0], scope)?.type_name().into())
}

/// `coerce_to`.
///
/// The conversions are those of `coerce_term_t` in RethinkDB's `terms/type_manip.cc`.
pub(crate) fn coerce_to(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let wanted = env.datum(&call.args[1], scope)?.as_str()?.to_uppercase();
    if !TYPES.contains(&wanted.as_str()) {
        return Err(ReqlError::logic(format!("Unknown Type: {wanted}")));
    }
    let found = name_of(&subject);
    if found == wanted || is_kind_of(&subject, &wanted) {
        return Ok(subject);
    }
    let cannot = || ReqlError::of_type(found, format!("Cannot coerce {found} to {wanted}."));
    match wanted.as_str() {
        "BOOL" => Ok(Value::Datum((found != "NULL").into())),
        "ARRAY" | "DATUM" => {
            let items = match subject {
                Value::Datum(Datum::Object(fields))
                | Value::Row(Row {
                    value: Datum::Object(fields),
                    ..
                }) => pairs_of(&fields),
                other => other
                    .into_stream()
                    .map_err(|_| cannot())?
                    .collect(env)?
                    .into(),
            };
            Ok(Value::Datum(items))
        }
        "OBJECT" => {
            let pairs = subject.into_stream().map_err(|_| cannot())?;
            object_of(env, pairs).map(Value::Datum)
        }
        _ => match subject {
            Value::Db(_) | Value::Table(_) | Value::Func(_) => Err(cannot()),
            Value::Stream(stream) if !stream.is_datum() => Err(cannot()),
            subject => scalar(subject.into_datum(env)?, &wanted)
                .unwrap_or_else(|| Err(cannot()))
                .map(Value::Datum),
        },
    }
}

/// The types that `coerce_to` knows.
const TYPES: &[&str] = &[
    "DB",
    "TABLE",
    "TABLE_SLICE",
    "SELECTION<STREAM>",
    "SELECTION<ARRAY>",
    "STREAM",
    "SELECTION<OBJECT>",
    "DATUM",
    "FUNCTION",
    "GROUPED_DATA",
    "NULL",
    "BINARY",
    "BOOL",
    "NUMBER",
    "STRING",
    "ARRAY",
    "OBJECT",
    "MINVAL",
    "MAXVAL",
];

/// The name of a value's type for `coerce_to`, which knows no pseudotypes.
fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Datum(datum) => match datum {
            Datum::Binary(_) => "BINARY",
            Datum::Time(_) => "OBJECT",
            other => other.type_name(),
        },
        Value::Row(row) => row.value.type_name(),
        other => other.type_name(),
    }
}

/// Returns `true` if a value can be used as one of a more general type.
fn is_kind_of(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Datum(_) | Value::MinVal | Value::MaxVal => wanted == "DATUM",
        Value::Row(_) => matches!(wanted, "DATUM" | "SELECTION<OBJECT>"),
        Value::Table(_) => matches!(wanted, "TABLE_SLICE" | "SELECTION<STREAM>" | "STREAM"),
        Value::Stream(stream) if stream.is_datum() => wanted == "DATUM",
        Value::Stream(stream) => match wanted {
            "STREAM" => true,
            "SELECTION<STREAM>" => stream.selection.is_some(),
            _ => false,
        },
        _ => false,
    }
}

/// The array of an object's `[name, value]` pairs.
fn pairs_of(fields: &Object) -> Datum {
    let pair = |(name, value): (&Arc<str>, &Datum)| {
        Datum::from(vec![Datum::String(name.clone()), value.clone()])
    };
    fields.iter().map(pair).collect::<Vec<_>>().into()
}

/// The object of a sequence of `[name, value]` pairs.
fn object_of(env: &Env, stream: Stream) -> Result<Datum, ReqlError> {
    let mut object = Object::new();
    for pair in stream.collect(env)? {
        match pair.as_array()?.as_ref() {
            [name, value] => {
                let name = name.as_str()?;
                if let Some(before) = object.insert(name.clone(), value.clone()) {
                    let (before, value) = (before.print(), value.print());
                    return Err(ReqlError::logic(format!(
                        "Duplicate key \"{name}\" in coerced object.  (got {before} and {value} as values)"
                    )));
                }
            }
            items => {
                let found = items.len();
                return Err(ReqlError::logic(format!(
                    "Expected array of size 2, but got size {found}."
                )));
            }
        };
    }
    pseudotype(object)
}

/// A single value as another type; `None` if there is no such conversion.
fn scalar(value: Datum, wanted: &str) -> Option<Result<Datum, ReqlError>> {
    Some(match (&value, wanted) {
        (Datum::Binary(binary), "STRING") => {
            binary
                .bytes()
                .and_then(|bytes| match std::str::from_utf8(&bytes) {
                    Ok(text) => Ok(text.into()),
                    Err(_) => Err(ReqlError::logic(
                        "Truncated UTF-8 sequence or invalid byte in a binary coerced to STRING.",
                    )),
                })
        }
        (Datum::String(text), "BINARY") => Ok(Datum::Binary(Binary::Inline(
            text.as_bytes().to_vec().into(),
        ))),
        (_, "STRING") => value.to_json().map(Datum::from),
        (Datum::String(text), "NUMBER") => match number::parse(text) {
            Some(number) => finite(number),
            None => Err(ReqlError::logic(format!(
                "Could not coerce `{text}` to NUMBER."
            ))),
        },
        _ => return None,
    })
}

/// `binary`: the bytes of a string.
pub(crate) fn binary(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    match env.datum(&call.args[0], scope)? {
        binary @ Datum::Binary(_) => Ok(binary),
        other => Ok(Datum::Binary(Binary::Inline(
            other.as_str()?.as_bytes().to_vec().into(),
        ))),
    }
}
