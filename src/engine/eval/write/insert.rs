//! The term `insert`.

use std::sync::Arc;

use uuid::Uuid;

use super::document::{write_all, write_one};
use super::options::Options;
use super::stats::Stats;
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::env::Env;
use crate::engine::eval::func::Func;
use crate::engine::eval::merge;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::selection::{Row, Table};
use crate::engine::eval::term::Call;
use crate::engine::eval::value::Value;
use crate::engine::storage::Batch;

/// The treatment of a document whose key already exists.
enum Conflict {
    Error,
    Replace,
    Update,
    Resolve(Func),
}

pub(crate) fn insert(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let conflict = conflict(env, call, scope)?;
    let options = Options::new(env, call, scope, &table)?;
    let mut documents = match env.eval(&call.args[1], scope)? {
        Value::Datum(document @ Datum::Object(_)) => vec![document],
        Value::Row(Row {
            value: document @ Datum::Object(_),
            ..
        }) => vec![document],
        other => other.into_stream()?.collect(env)?,
    };
    let mut stats = Stats::new(options.return_changes, env.array_limit());
    for document in &mut documents {
        merge::refuse_literals(document)?;
        if let Datum::Object(fields) = document
            && !fields.contains_key(&table.primary_key)
        {
            let key = Datum::from(Uuid::new_v4().to_string());
            Arc::make_mut(fields).insert(table.primary_key.clone(), key.clone());
            stats.generated_keys.push(key);
        } else if let Err(error) = key_of(&table, document) {
            // RethinkDB rejects these before it writes any document of the query (`table_t::batched_insert`).
            stats.report_first(&error);
        }
    }
    let written = write_all(
        env,
        options,
        &table,
        documents,
        move |env, batch, table, document, stats| {
            insert_one(env, batch, table, document, &conflict, stats)
        },
    )?;
    stats.add(written);
    Ok(Value::Datum(stats.into_datum()))
}

impl Conflict {
    /// The document that replaces `old`.
    fn resolve(
        &self,
        env: &Env,
        table: &Table,
        old: &Datum,
        document: Datum,
    ) -> Result<Datum, ReqlError> {
        match self {
            Self::Replace => Ok(document),
            Self::Update => Ok(merge::merge(old, &document)),
            Self::Resolve(function) => {
                let id = document
                    .field(&table.primary_key)
                    .cloned()
                    .unwrap_or(Datum::Null);
                function.call(env, &[id, old.clone(), document])
            }
            Self::Error => Err(ReqlError::logic(format!(
                "Duplicate primary key `{}`:\n{}\n{}",
                table.primary_key,
                old.print(),
                document.print()
            ))),
        }
    }
}

/// The optional argument `conflict`.
fn conflict(env: &Env, call: &Call, scope: &Scope) -> Result<Conflict, ReqlError> {
    let Some(term) = call.optarg("conflict") else {
        return Ok(Conflict::Error);
    };
    match env.eval(term, scope)? {
        Value::Func(function) if !function.takes(3) => Err(ReqlError::logic(
            "The conflict function passed to `insert` should expect 3 arguments.",
        )),
        Value::Func(function) if function.is_deterministic() => Ok(Conflict::Resolve(function)),
        Value::Func(_) => Err(ReqlError::logic(
            "The conflict function passed to `insert` must be deterministic.",
        )),
        other => match &**other.into_datum(env)?.as_str()? {
            "error" => Ok(Conflict::Error),
            "replace" => Ok(Conflict::Replace),
            "update" => Ok(Conflict::Update),
            other => Err(ReqlError::logic(format!(
                "Conflict option `{other}` unrecognized (options are \"error\", \"replace\" and \"update\")."
            ))),
        },
    }
}

/// The encoded primary key of a document to insert.
///
/// # Errors
/// A value that is not an object, or whose key cannot be one.
fn key_of(table: &Table, document: &Datum) -> Result<Vec<u8>, ReqlError> {
    document
        .as_object()?
        .get(&table.primary_key)
        .ok_or_else(|| ReqlError::new(ErrorKind::Internal, "a document has no primary key"))
        .and_then(primary_key)
}

/// Inserts a document. An error of the document is counted and does not fail the write.
fn insert_one(
    env: &Env,
    batch: &mut Batch<'_>,
    table: &Table,
    document: Datum,
    conflict: &Conflict,
    stats: &mut Stats,
) -> Result<(), ReqlError> {
    let key = match key_of(table, &document) {
        Ok(key) => key,
        Err(error) => {
            stats.failed(error, &Datum::Null);
            return Ok(());
        }
    };
    let old = batch.get(table.id, &key)?.unwrap_or(Datum::Null);
    let new = match &old {
        Datum::Null => Ok(document),
        old => conflict.resolve(env, table, old, document),
    };
    write_one(batch, table, &key, old, new, stats)
}
