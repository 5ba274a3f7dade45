//! The term `info`.

use super::catalog::database_missing;
use super::env::Env;
use super::scope::Scope;
use super::selection::Table;
use super::system;
use super::term::Call;
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// `info`: the type of a value, and what else is known of it.
pub(crate) fn info(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let value = env.eval(&call.args[0], scope)?;
    let kind = Datum::from(value.type_name());
    let selection = match &value {
        Value::Db(name) => return db_info(env, name),
        Value::Table(table) => return table_info(env, table),
        Value::Row(row) => Some(&row.table),
        Value::Stream(stream) => stream.selection.as_ref(),
        _ => None,
    };
    if let Some(table) = selection {
        let table = table_info(env, table)?;
        return Ok(Datum::object([("table", table), ("type", kind)]));
    }
    let more = match value {
        Value::Stream(stream) if !stream.is_array => None,
        Value::MinVal | Value::MaxVal | Value::Datum(Datum::MinVal | Datum::MaxVal) => None,
        Value::Datum(Datum::Null) => None,
        Value::Func(_) => Some(("source_code", "function".into())),
        other => Some(("value", other.into_datum(env)?.print().into())),
    };
    Ok(Datum::object([("type", kind)].into_iter().chain(more)))
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
    if name == system::DATABASE {
        return Ok(Datum::object([
            ("id", system::DATABASE_ID.into()),
            ("name", name.into()),
            ("type", "DB".into()),
        ]));
    }
    let snapshot = env.snapshot()?;
    let database = snapshot.catalog().database(name);
    let database = database.ok_or_else(|| database_missing(name))?;
    Ok(Datum::object([
        ("id", database.id.to_string().into()),
        ("name", name.into()),
        ("type", "DB".into()),
    ]))
}
