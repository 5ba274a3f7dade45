//! Tables.

use std::sync::Arc;

use super::config_change::config_change;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::catalog::{check_name, database_missing, find};
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::stream::Stream;
use crate::engine::eval::system;
use crate::engine::eval::term::{Call, TermKind};
use crate::engine::eval::value::Value;
use crate::engine::eval::write::parse_durability;
use crate::engine::storage::{Durability, NewTable};

pub(crate) fn table_create(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = database_and_name(env, call, scope)?;
    let durability = match env.optarg(call, scope, "durability")? {
        Some(durability) => parse_durability(durability.as_str()?)?,
        None => Durability::Hard,
    };
    let primary_key = match env.optarg(call, scope, "primary_key")? {
        Some(primary_key) => primary_key.as_str()?.to_string(),
        None => "id".into(),
    };
    check_replicas(env, call, scope)?;
    let new = NewTable {
        name: name.to_string(),
        primary_key,
        durability,
    };
    let owner = db.clone();
    env.write(Durability::Hard, move |_, batch| {
        let id = batch
            .catalog()
            .database(&owner)
            .ok_or_else(|| database_missing(&owner))?
            .id;
        batch.create_table(id, new)
    })?;
    let table = find(env.snapshot()?.catalog(), &db, &name)?;
    let row = system::table_config(env, &table);
    Ok(Value::Datum(
        config_change("tables_created", Datum::Null, row).into(),
    ))
}

/// Checks the number of replicas as a single server of RethinkDB does (`generate_config.cc`).
fn check_replicas(env: &Env, call: &Call, scope: &Scope) -> Result<(), ReqlError> {
    let Some(replicas) = env.optarg(call, scope, "replicas")? else {
        return Ok(());
    };
    match replicas.as_integer()? {
        1 => Ok(()),
        0 => Err(ReqlError::op_failed(
            "You must set `replicas` to at least one. `replicas` includes the primary replica; if there are zero replicas, \
             there is nowhere to put the data.",
        )),
        number => Err(ReqlError::op_failed(format!(
            "Can't put {number} replicas on servers with the tag `default` because there are only 1 servers with the tag \
             `default`. It's impossible to have more replicas of the data than there are servers."
        ))),
    }
}

pub(crate) fn table_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = database_and_name(env, call, scope)?;
    let table = env.write(Durability::Hard, move |_, batch| {
        let table = find(batch.catalog(), &db, &name)?;
        batch.drop_table(table.id)?;
        Ok(table)
    })?;
    let row = system::table_config(env, &table);
    Ok(Value::Datum(
        config_change("tables_dropped", row, Datum::Null).into(),
    ))
}

pub(crate) fn table_list(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let db = match call.args.first() {
        Some(db) => env.db(db, scope)?,
        None => env.default_db(),
    };
    let names: Vec<Datum> = match &*db == system::DATABASE {
        true => system::TABLES.map(Datum::from).to_vec(),
        false => system::tables_of(env, &db)?
            .into_iter()
            .map(|table| Datum::String(table.name))
            .collect(),
    };
    Ok(Value::Datum(names.into()))
}

/// `config` and `status` of a table or a database.
pub(crate) fn describe(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let describe = match call.kind {
        TermKind::Config => system::table_config,
        _ => system::table_status,
    };
    match env.eval(&call.args[0], scope)? {
        Value::Table(table) => Ok(Value::Datum(describe(env, &table))),
        Value::Db(db) if call.kind == TermKind::Config => {
            system::db_config(env, &db).map(Value::Datum)
        }
        Value::Db(db) => {
            let rows = system::tables_of(env, &db)?
                .iter()
                .map(|table| describe(env, table))
                .collect();
            Ok(Value::Stream(Stream::items(rows)))
        }
        other => Err(ReqlError::expected("TABLE", other.type_name())),
    }
}

/// `wait`. Returns immediately, because tables are ready as soon as they exist.
pub(crate) fn wait(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let Some(subject) = call.args.first() else {
        return Err(ReqlError::logic(
            "`wait` can only be called on a table or database.",
        ));
    };
    let tables = match env.eval(subject, scope)? {
        Value::Db(db) => system::tables_of(env, &db)?,
        other => vec![other.into_table(env)?],
    };
    Ok(Value::Datum(Datum::object([(
        "ready",
        tables.len().into(),
    )])))
}

/// `sync`: waits until all earlier soft writes are on disk.
pub(crate) fn sync(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    env.eval(&call.args[0], scope)?.into_table(env)?;
    env.sync()?;
    Ok(Value::Datum(Datum::object([("synced", 1.into())])))
}

/// The database and the table name in the arguments of `table_create` and `table_drop`.
fn database_and_name(
    env: &Env,
    call: &Call,
    scope: &Scope,
) -> Result<(Arc<str>, Arc<str>), ReqlError> {
    let (db, name) = match &call.args[..] {
        [db, name] => (env.db(db, scope)?, name),
        [name, ..] => (env.default_db(), name),
        [] => {
            return Err(ReqlError::compile(
                "Expected between 1 and 2 arguments but found 0.",
            ));
        }
    };
    if &*db == system::DATABASE {
        return Err(ReqlError::op_failed(
            "Database `rethinkdb` is special; you can't create or drop tables in it.",
        ));
    }
    let name = check_name("Table", env.datum(name, scope)?.as_str()?)?;
    Ok((db, name))
}
