//! Secondary indexes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::saved_function::{self, SavedFunction};
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::catalog;
use crate::engine::eval::env::Env;
use crate::engine::eval::index;
use crate::engine::eval::index_function;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::selection::Table;
use crate::engine::eval::term::{Call, Term, TermKind};
use crate::engine::eval::value::Value;
use crate::engine::storage::{Durability, Index, NewIndex};

/// The time between two looks at an index that is being built.
const WAIT_INTERVAL: Duration = Duration::from_millis(20);

pub(crate) fn index_create(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let name = env.datum(&call.args[1], scope)?.as_str()?.to_string();
    if *name == *table.primary_key {
        return Err(ReqlError::logic(format!(
            "Index name conflict: `{name}` is the name of the primary key."
        )));
    }
    let mut saved = function_argument(env, call, &name, scope)?;
    // These override what a function returned by `index_status` says.
    if call.optarg("multi").is_some() {
        saved.multi = env.flag(call, scope, "multi")?;
    }
    if call.optarg("geo").is_some() {
        saved.geo = env.flag(call, scope, "geo")?;
    }
    if saved.geo {
        return Err(ReqlError::logic(
            "The embedded engine does not implement geospatial indexes.",
        ));
    }
    let new = NewIndex {
        name,
        function: saved.function,
        multi: saved.multi,
    };
    env.write(Durability::Hard, move |_, batch| {
        batch.create_index(table.id, new)
    })?;
    Ok(Value::Datum(Datum::object([("created", 1.into())])))
}

/// The function given as the third argument; by default the one that gets the field `name`.
fn function_argument(
    env: &Env,
    call: &Call,
    name: &str,
    scope: &Scope,
) -> Result<SavedFunction, ReqlError> {
    let function = match call.args.get(2) {
        None => field_function(name),
        // Not evaluated, because the index stores the term.
        Some(function @ Term::Call(call)) if call.kind == TermKind::Func => {
            index_function::function_text(&function.closed(scope))?
        }
        Some(saved) => match env.eval(saved, scope)? {
            Value::Datum(Datum::Binary(binary)) => {
                let saved = SavedFunction::decode(&binary.bytes()?)?;
                check_function(&saved.function)?;
                return Ok(saved);
            }
            other => return Err(other.mistyped(env, "FUNCTION")),
        },
    };
    check_function(&function)?;
    Ok(SavedFunction {
        function,
        multi: false,
        geo: false,
    })
}

fn check_function(function: &str) -> Result<(), ReqlError> {
    let function = index_function::function_term(function).map_err(|error| match error.kind {
        ErrorKind::Internal => saved_function::unreadable("its term is damaged"),
        _ => error,
    })?;
    match Term::Call(function).is_constant() {
        true => Ok(()),
        false => Err(ReqlError::logic(
            "Could not prove function deterministic.  Index functions must be deterministic.",
        )),
    }
}

/// The function of an index named after its field: `FUNC([1], BRACKET(VAR(1), name))`.
fn field_function(name: &str) -> Arc<str> {
    let name = Datum::from(name).to_json().unwrap_or_default();
    format!("[69,[[2,[1]],[170,[[10,[1]],{name}]]]]").into()
}

pub(crate) fn index_drop(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let name = env.datum(&call.args[1], scope)?.as_str()?.clone();
    env.write(Durability::Hard, move |_, batch| {
        batch.drop_index(table.id, &name)
    })?;
    Ok(Value::Datum(Datum::object([("dropped", 1.into())])))
}

pub(crate) fn index_list(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let names = table
        .indexes
        .iter()
        .map(|index| Datum::from(index.name.as_str()));
    Ok(Value::Datum(names.collect::<Vec<_>>().into()))
}

/// `index_rename`. With `overwrite` an index of the new name is replaced.
pub(crate) fn index_rename(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let old = env.datum(&call.args[1], scope)?.as_str()?.clone();
    let new = env.datum(&call.args[2], scope)?.as_str()?.clone();
    for name in [&old, &new] {
        if **name == *table.primary_key {
            return Err(ReqlError::logic(format!(
                "Index name conflict: `{name}` is the name of the primary key."
            )));
        }
    }
    let overwrite = env.flag(call, scope, "overwrite")?;
    let renamed = usize::from(old != new);
    env.write(Durability::Hard, move |_, batch| {
        batch.rename_index(table.id, (&old, &new), overwrite)
    })?;
    Ok(Value::Datum(Datum::object([("renamed", renamed.into())])))
}

/// `index_status`.
pub(crate) fn index_status(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let names = names_of(env, call, scope)?;
    statuses(env, &table, &names)
}

/// `index_wait`: the status once all of the indexes are ready.
pub(crate) fn index_wait(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let mut table = env.eval(&call.args[0], scope)?.into_table(env)?;
    let names = names_of(env, call, scope)?;
    while selected(&table, &names)?.iter().any(|index| !index.ready) {
        env.check_interrupted()?;
        thread::sleep(WAIT_INTERVAL);
        let snapshot = env.fresh_snapshot()?;
        table = catalog::find(snapshot.catalog(), &table.db, &table.name)?;
    }
    statuses(env, &table, &names)
}

/// The names in the arguments, each once.
fn names_of(env: &Env, call: &Call, scope: &Scope) -> Result<BTreeSet<Arc<str>>, ReqlError> {
    call.args[1..]
        .iter()
        .map(|name| env.datum(name, scope)?.as_str().cloned())
        .collect()
}

/// The indexes with these names; all if there are none.
fn selected(table: &Table, names: &BTreeSet<Arc<str>>) -> Result<Vec<Index>, ReqlError> {
    if names.is_empty() {
        return Ok(table.indexes.to_vec());
    }
    names.iter().map(|name| index::find(table, name)).collect()
}

fn statuses(env: &Env, table: &Table, names: &BTreeSet<Arc<str>>) -> Result<Value, ReqlError> {
    let storage = &env.context()?.storage;
    let statuses = selected(table, names)?.into_iter().map(|index| {
        let progress = (!index.ready).then(|| storage.build_progress(index.id));
        status_of(&index, progress)
    });
    Ok(Value::Datum(statuses.collect::<Vec<_>>().into()))
}

/// `progress` is that of an index which is being built.
fn status_of(index: &Index, progress: Option<f64>) -> Datum {
    let function = SavedFunction::of(index).encode().unwrap_or_default();
    let options = if index.multi { ", {multi: true}" } else { "" };
    let fields = [
        ("function", Datum::Binary(Binary::Inline(function.into()))),
        ("geo", index.geo.into()),
        ("index", index.name.as_str().into()),
        ("multi", index.multi.into()),
        ("outdated", false.into()),
        (
            "query",
            format!("indexCreate('{}', {}{options})", index.name, index.function).into(),
        ),
        ("ready", index.ready.into()),
    ];
    let progress = progress.map(|progress| ("progress", Datum::Number(progress)));
    Datum::object(fields.into_iter().chain(progress))
}
