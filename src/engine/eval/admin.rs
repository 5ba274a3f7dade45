//! Creating, dropping, listing and describing databases, tables and indexes.

use std::sync::Arc;

use super::func::Scope;
use super::stream::Stream;
use super::table::{check_name, find};
use super::value::Value;
use super::{Env, index, system, write};
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::ReqlError;
use crate::engine::eval::term::{Call, Term, TermKind};
use crate::engine::storage::{Durability, Index, NewTable};

/// `db_create`.
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
    Ok(changed("dbs_created", 1, row, true))
}

/// `db_drop`.
pub(crate) fn db_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let name = check_name("Database", env.datum(&call.args[0], scope)?.as_str()?)?;
    if &*name == system::DATABASE {
        return Err(ReqlError::op_failed(
            "Database `rethinkdb` is special; you can't delete it.",
        ));
    }
    let dropped = name.clone();
    let (id, tables) = env.write(Durability::Hard, move |_, batch| {
        let missing = || ReqlError::op_failed(format!("Database `{dropped}` does not exist."));
        let id = batch.catalog().database(&dropped).ok_or_else(missing)?.id;
        Ok((id, batch.drop_database(id)?))
    })?;
    let row = Datum::object([("id", id.to_string().into()), ("name", Datum::String(name))]);
    let Value::Datum(Datum::Object(mut result)) = changed("dbs_dropped", 1, row, false) else {
        return Err(ReqlError::expected("OBJECT", "another"));
    };
    Arc::make_mut(&mut result).insert("tables_dropped".into(), tables.into());
    Ok(Value::Datum(Datum::Object(result)))
}

/// `db_list`.
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

/// `table_create`.
pub(crate) fn table_create(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = database_and_name(env, call, scope)?;
    let text = |optarg: &str| -> Result<Option<Arc<str>>, ReqlError> {
        call.optarg(optarg)
            .map(|value| env.datum(value, scope)?.as_str().cloned())
            .transpose()
    };
    let durability = text("durability")?
        .map(|text| write::parse_durability(&text))
        .transpose()?;
    let new = NewTable {
        name: name.to_string(),
        primary_key: text("primary_key")?
            .unwrap_or_else(|| "id".into())
            .to_string(),
        durability: durability.unwrap_or(Durability::Hard),
    };
    let owner = db.clone();
    env.write(Durability::Hard, move |_, batch| {
        let missing = || ReqlError::op_failed(format!("Database `{owner}` does not exist."));
        let id = batch.catalog().database(&owner).ok_or_else(missing)?.id;
        batch.create_table(id, new)
    })?;
    let table = find(env.snapshot()?.catalog(), &db, &name)?;
    Ok(changed(
        "tables_created",
        1,
        system::table_config(env, &table),
        true,
    ))
}

/// `table_drop`.
pub(crate) fn table_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (db, name) = database_and_name(env, call, scope)?;
    let table = env.write(Durability::Hard, move |_, batch| {
        let table = find(batch.catalog(), &db, &name)?;
        batch.drop_table(table.id)?;
        Ok(table)
    })?;
    Ok(changed(
        "tables_dropped",
        1,
        system::table_config(env, &table),
        false,
    ))
}

/// `table_list`.
pub(crate) fn table_list(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let db = match call.args.first() {
        Some(db) => env.db(db, scope)?,
        None => env.default_db(),
    };
    let names = system::tables_of(env, &db)?
        .into_iter()
        .map(|table| Datum::String(table.name));
    Ok(Value::Datum(names.collect::<Vec<_>>().into()))
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

/// `wait`: tables of the engine are ready as soon as they are there.
pub(crate) fn wait(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let tables = match call
        .args
        .first()
        .map(|subject| env.eval(subject, scope))
        .transpose()?
    {
        None => system::tables_of(env, &env.default_db())?,
        Some(Value::Db(db)) => system::tables_of(env, &db)?,
        Some(other) => vec![other.into_table()?],
    };
    let statuses: Vec<Datum> = tables
        .iter()
        .map(|table| {
            let status = system::table_status(env, table);
            Datum::object([("new_val", status.clone()), ("old_val", status)])
        })
        .collect();
    Ok(Value::Datum(Datum::object([
        ("ready", tables.len().into()),
        ("status_changes", statuses.into()),
    ])))
}

/// `sync`: every soft write of before is on disk afterwards.
pub(crate) fn sync(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    env.eval(&call.args[0], scope)?.into_table()?;
    env.sync()?;
    Ok(Value::Datum(Datum::object([("synced", 1.into())])))
}

/// `index_create`.
pub(crate) fn index_create(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let name = env.datum(&call.args[1], scope)?.as_str()?.to_string();
    if *name == *table.primary_key {
        return Err(ReqlError::logic(format!(
            "Index name conflict: `{name}` is the name of the primary key."
        )));
    }
    let flag = |name: &str| -> Result<bool, ReqlError> {
        Ok(call
            .optarg(name)
            .map(|flag| env.datum(flag, scope))
            .transpose()?
            .is_some_and(|flag| flag.is_truthy()))
    };
    if flag("geo")? {
        return Err(ReqlError::logic(
            "The embedded engine does not implement geospatial indexes.",
        ));
    }
    let function = match call.args.get(2) {
        None => field_function(&name),
        Some(function @ Term::Call(call)) if call.kind == TermKind::Func => {
            if !function.is_deterministic() {
                return Err(ReqlError::logic(
                    "Could not prove function deterministic.  Index functions must be deterministic.",
                ));
            }
            index::function_text(function)?
        }
        Some(saved) => saved_function(&env.datum(saved, scope)?)?,
    };
    let index = Index {
        name,
        function,
        multi: flag("multi")?,
        geo: false,
    };
    env.write(Durability::Hard, move |_, batch| {
        batch.create_index(table.id, index)
    })?;
    Ok(Value::Datum(Datum::object([("created", 1.into())])))
}

/// The function of an index that is named after its field.
fn field_function(name: &str) -> Arc<str> {
    let name = Datum::from(name).to_json().unwrap_or_default();
    format!("[69,[[2,[1]],[170,[[10,[1]],{name}]]]]").into()
}

/// What `index_status` gives as an index's `function`, so that `index_create` can be given it back: the engine's mark
/// and the term. A RethinkDB does not read it, nor does the engine read RethinkDB's.
const SAVED_FUNCTION: &str = "$realtime_photo_index_function$";

fn saved_function(saved: &Datum) -> Result<Arc<str>, ReqlError> {
    let Datum::Binary(binary) = saved else {
        return Err(ReqlError::expected("FUNCTION", saved.type_name()));
    };
    let bytes = binary.bytes()?;
    std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_prefix(SAVED_FUNCTION)).map(Arc::from).ok_or_else(|| {
        ReqlError::logic("Cannot create an sindex except from a reql_index_function returned from `index_status` of the embedded engine.")
    })
}

/// `index_drop`.
pub(crate) fn index_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let name = env.datum(&call.args[1], scope)?.as_str()?.clone();
    index::find(&table, &name)?;
    env.write(Durability::Hard, move |_, batch| {
        batch.drop_index(table.id, &name)
    })?;
    Ok(Value::Datum(Datum::object([("dropped", 1.into())])))
}

/// `index_list`.
pub(crate) fn index_list(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let names = table
        .indexes
        .iter()
        .map(|index| Datum::from(index.name.as_str()));
    Ok(Value::Datum(names.collect::<Vec<_>>().into()))
}

/// `index_status` and `index_wait`: an index of the engine is ready at once.
pub(crate) fn index_status(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
    let names = call.args[1..]
        .iter()
        .map(|name| env.datum(name, scope)?.as_str().cloned())
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = match names.is_empty() {
        true => table.indexes.to_vec(),
        false => names
            .iter()
            .map(|name| index::find(&table, name))
            .collect::<Result<_, _>>()?,
    };
    Ok(Value::Datum(
        wanted.iter().map(status_of).collect::<Vec<_>>().into(),
    ))
}

fn status_of(index: &Index) -> Datum {
    let function = format!("{SAVED_FUNCTION}{}", index.function);
    let options = if index.multi { ", {multi: true}" } else { "" };
    Datum::object([
        (
            "function",
            Datum::Binary(Binary::Inline(function.into_bytes().into())),
        ),
        ("geo", index.geo.into()),
        ("index", index.name.as_str().into()),
        ("multi", index.multi.into()),
        ("outdated", false.into()),
        (
            "query",
            format!("indexCreate('{}', {}{options})", index.name, index.function).into(),
        ),
        ("ready", true.into()),
    ])
}

/// The database and the name that `table_create` and `table_drop` are given.
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

/// The answer to a change of the configuration.
fn changed(count: &str, number: usize, row: Datum, is_new: bool) -> Value {
    let (new_val, old_val) = if is_new {
        (row, Datum::Null)
    } else {
        (Datum::Null, row)
    };
    let change = Datum::object([("new_val", new_val), ("old_val", old_val)]);
    Value::Datum(Datum::object([
        ("config_changes", vec![change].into()),
        (count, number.into()),
    ]))
}
