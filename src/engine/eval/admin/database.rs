//! Databases.

use super::config_change::config_change;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::catalog::{check_name, database_missing};
use crate::engine::eval::env::Env;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::system;
use crate::engine::eval::term::Call;
use crate::engine::eval::value::Value;
use crate::engine::storage::Durability;

pub(crate) fn db_create(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let name = check_name("Database", env.datum(&call.args[0], scope)?.as_str()?)?;
    if &*name == system::DATABASE {
        return Err(ReqlError::op_failed(format!(
            "Database `{name}` already exists."
        )));
    }
    let created = name.clone();
    let id = env.write(Durability::Hard, move |_, batch| {
        batch.create_database(&created)
    })?;
    let row = Datum::object([("id", id.to_string().into()), ("name", Datum::String(name))]);
    Ok(Value::Datum(
        config_change("dbs_created", Datum::Null, row).into(),
    ))
}

pub(crate) fn db_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let name = check_name("Database", env.datum(&call.args[0], scope)?.as_str()?)?;
    if &*name == system::DATABASE {
        return Err(ReqlError::op_failed(
            "Database `rethinkdb` is special; you can't delete it.",
        ));
    }
    let dropped = name.clone();
    let (id, tables) = env.write(Durability::Hard, move |_, batch| {
        let id = batch
            .catalog()
            .database(&dropped)
            .ok_or_else(|| database_missing(&dropped))?
            .id;
        Ok((id, batch.drop_database(id)?))
    })?;
    let row = Datum::object([("id", id.to_string().into()), ("name", Datum::String(name))]);
    let mut result = config_change("dbs_dropped", row, Datum::Null);
    result.insert("tables_dropped".into(), tables.into());
    Ok(Value::Datum(result.into()))
}

pub(crate) fn db_list(env: &Env) -> Result<Value, ReqlError> {
    let snapshot = env.snapshot()?;
    let mut names: Vec<&str> = snapshot
        .catalog()
        .databases()
        .iter()
        .map(|database| &*database.name)
        .collect();
    names.push(system::DATABASE);
    names.sort_unstable();
    Ok(Value::Datum(
        names
            .into_iter()
            .map(Datum::from)
            .collect::<Vec<_>>()
            .into(),
    ))
}
