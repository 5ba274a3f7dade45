//! Types: `type_of`, `coerce_to`, `binary` and `info`.

use super::catalog::database_missing;
use super::env::Env;
use super::scope::Scope;
use super::selection::Table;
use super::stream::Stream;
use super::term::Call;
use super::value::Value;
use crate::engine::datum::{Binary, Datum, Object, pseudotype};
use crate::engine::error::ReqlError;

pub(crate) fn type_of(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    Ok(env.eval(&call.args[0], scope)?.type_name().into())
}

pub(crate) fn coerce_to(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let wanted = env.datum(&call.args[1], scope)?.as_str()?.to_uppercase();
    let found = subject.type_name();
    if wanted == found {
        return Ok(subject);
    }
    let cannot = || ReqlError::logic(format!("Cannot coerce {found} to {wanted}."));
    match wanted.as_str() {
        "ARRAY" => Ok(Value::Datum(
            subject
                .into_stream()
                .map_err(|_| cannot())?
                .collect(env)?
                .into(),
        )),
        "OBJECT" => match subject {
            Value::Row(row) => Ok(Value::Datum(row.value)),
            other => pairs(env, other.into_stream().map_err(|_| cannot())?).map(Value::Datum),
        },
        _ => scalar(subject.into_datum(env)?, &wanted)
            .unwrap_or_else(|| Err(cannot()))
            .map(Value::Datum),
    }
}

/// The object of a sequence of `[name, value]` pairs.
fn pairs(env: &Env, stream: Stream) -> Result<Datum, ReqlError> {
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
        (_, "BOOL") => Ok(value.is_truthy().into()),
        (Datum::String(_), "STRING") => Ok(value),
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
        (Datum::String(text), "BINARY" | "PTYPE<BINARY>") => Ok(Datum::Binary(Binary::Inline(
            text.as_bytes().to_vec().into(),
        ))),
        (_, "STRING") => value.to_json().map(Datum::from),
        (Datum::String(text), "NUMBER") => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number.into()),
            _ => Err(ReqlError::logic(format!(
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

pub(crate) fn info(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    match env.eval(&call.args[0], scope)? {
        Value::Table(table) => table_info(env, &table),
        Value::Db(name) => db_info(env, &name),
        other => {
            let name = other.type_name();
            let value = other.into_datum(env)?;
            Ok(Datum::object([
                ("type", name.into()),
                ("value", value.print().into()),
            ]))
        }
    }
}

fn table_info(env: &Env, table: &Table) -> Result<Datum, ReqlError> {
    let documents = env.snapshot()?.count(table.id)? as usize;
    let indexes: Vec<Datum> = table
        .indexes
        .iter()
        .map(|index| index.name.as_str().into())
        .collect();
    Ok(Datum::object([
        ("db", db_info(env, &table.db)?),
        ("doc_count_estimates", vec![documents.into()].into()),
        ("id", table.id.to_string().into()),
        ("indexes", indexes.into()),
        ("name", Datum::String(table.name.clone())),
        ("primary_key", Datum::String(table.primary_key.clone())),
        ("type", "TABLE".into()),
    ]))
}

fn db_info(env: &Env, name: &str) -> Result<Datum, ReqlError> {
    let snapshot = env.snapshot()?;
    let database = snapshot.catalog().database(name);
    let database = database.ok_or_else(|| database_missing(name))?;
    Ok(Datum::object([
        ("id", database.id.to_string().into()),
        ("name", name.into()),
        ("type", "DB".into()),
    ]))
}
