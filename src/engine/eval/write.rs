//! `insert`, `update`, `replace`, `delete` and `for_each`.

use std::sync::Arc;

use uuid::Uuid;

use super::func::{Func, Scope};
use super::seq::keys_of;
use super::stats::{ReturnChanges, Stats};
use super::value::{Row, Table, Value};
use super::{Env, object};
use crate::engine::datum::{Datum, Object, primary_key};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::{Call, TermKind};
use crate::engine::storage::{Batch, Durability};

/// How many documents one operation on the storage writes: the writer takes others' operations in between.
const DOCUMENTS_PER_OPERATION: usize = 500;

/// How many new bytes one operation holds in memory before the rest is left to the next one.
const BYTES_PER_OPERATION: usize = 16 * 1024 * 1024;

/// What the optional arguments of a write say.
#[derive(Clone, Copy)]
struct Options {
    durability: Durability,
    return_changes: ReturnChanges,
}

impl Options {
    fn new(env: &Env, call: &Call, scope: &Scope, table: &Table) -> Result<Self, ReqlError> {
        let return_changes = match call
            .optarg("return_changes")
            .map(|value| env.datum(value, scope))
            .transpose()?
        {
            None => ReturnChanges::No,
            Some(Datum::String(text)) if &*text == "always" => ReturnChanges::Always,
            Some(Datum::String(text)) => {
                return Err(ReqlError::logic(format!(
                    "Invalid return_changes value `{text}` (options are `true`, `false`, and `'always'`.)"
                )));
            }
            Some(flag) if flag.is_truthy() => ReturnChanges::Changed,
            Some(_) => ReturnChanges::No,
        };
        let durability = match call.optarg("durability") {
            Some(durability) => Some(env.datum(durability, scope)?),
            None => env.global("durability")?,
        };
        let durability = match durability {
            Some(durability) => parse_durability(durability.as_str()?)?,
            None if table.is_soft => Durability::Soft,
            None => Durability::Hard,
        };
        Ok(Self {
            durability,
            return_changes,
        })
    }
}

/// Reads `hard` or `soft`.
///
/// # Errors
/// RethinkDB's own for anything else.
pub(crate) fn parse_durability(text: &str) -> Result<Durability, ReqlError> {
    match text {
        "hard" => Ok(Durability::Hard),
        "soft" => Ok(Durability::Soft),
        other => Err(ReqlError::logic(format!(
            "Durability option `{other}` unrecognized (options are \"hard\" and \"soft\")."
        ))),
    }
}

/// What an insert does with a document that is there already.
enum Conflict {
    Error,
    Replace,
    Update,
    Resolve(Func),
}

/// `insert`.
pub(crate) fn insert(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let table = env.eval(&call.args[0], scope)?.into_table()?;
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
    let mut stats = Stats::new(options.return_changes);
    for document in &mut documents {
        object::refuse_literals(document)?;
        if let Datum::Object(fields) = document
            && !fields.contains_key(&table.primary_key)
        {
            let key = Datum::from(Uuid::new_v4().to_string());
            Arc::make_mut(fields).insert(table.primary_key.clone(), key.clone());
            stats.generated_keys.push(key);
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

fn insert_one(
    env: &Env,
    batch: &mut Batch<'_>,
    table: &Table,
    document: Datum,
    conflict: &Conflict,
    stats: &mut Stats,
) -> Result<(), ReqlError> {
    let key = match document
        .as_object()
        .map(|fields| fields.get(&table.primary_key))
    {
        Ok(Some(key)) => primary_key(key),
        Ok(None) => Err(ReqlError::new(
            ErrorKind::Internal,
            "a document has no primary key",
        )),
        Err(error) => Err(error),
    };
    let key = match key {
        Ok(key) => key,
        Err(error) => {
            stats.failed(error, &Datum::Null);
            return Ok(());
        }
    };
    let old = batch.get(table.id, &key)?.unwrap_or(Datum::Null);
    let new = match conflict {
        _ if matches!(old, Datum::Null) => Ok(document),
        Conflict::Replace => Ok(document),
        Conflict::Update => Ok(object::merge(&old, &document)),
        Conflict::Resolve(function) => {
            let id = document
                .field(&table.primary_key)
                .cloned()
                .unwrap_or(Datum::Null);
            function.call(env, &[id, old.clone(), document])
        }
        Conflict::Error => Err(ReqlError::logic(format!(
            "Duplicate primary key `{}`:\n{}\n{}",
            table.primary_key,
            old.print(),
            document.print()
        ))),
    };
    write_one(batch, table, &key, old, new, stats)
}

/// `update`, `replace` and `delete`, of one document or of a selection.
pub(crate) fn change(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let function = match call.args.get(1) {
        Some(term) => {
            let function = env.func_or_constant(term, scope)?;
            let non_atomic = call
                .optarg("non_atomic")
                .map(|flag| env.datum(flag, scope))
                .transpose()?;
            if !function.is_deterministic() && !non_atomic.is_some_and(|flag| flag.is_truthy()) {
                return Err(ReqlError::logic(
                    "Could not prove argument deterministic.  Maybe you want to use the non_atomic flag?",
                ));
            }
            Some(function)
        }
        None => None,
    };
    let (table, keys) = match subject {
        Value::Row(row) => {
            let key = primary_key(&row.key)?;
            (row.table, vec![key])
        }
        other => {
            let found = other.type_name();
            let stream = match other {
                Value::Table(_) | Value::Stream(_) => other.into_stream()?,
                _ => return Err(ReqlError::expected("SELECTION", found)),
            };
            let Some(table) = stream.selection.clone() else {
                return Err(ReqlError::expected("SELECTION", found));
            };
            let keys = keys_of(env, &table, stream)?;
            (table, keys)
        }
    };
    let options = Options::new(env, call, scope, &table)?;
    let change = Change {
        kind: call.kind,
        function,
    };
    let stats = write_all(
        env,
        options,
        &table,
        keys,
        move |env, batch, table, key, stats| {
            let old = batch.get(table.id, &key)?.unwrap_or(Datum::Null);
            let new = change.apply(env, &old);
            write_one(batch, table, &key, old, new, stats)
        },
    )?;
    Ok(Value::Datum(stats.into_datum()))
}

/// Writes many documents in operations of a bounded size, each of which is carried out as a whole.
fn write_all<T: Send + 'static>(
    env: &Env,
    options: Options,
    table: &Table,
    items: Vec<T>,
    write: impl Fn(&Env, &mut Batch<'_>, &Table, T, &mut Stats) -> Result<(), ReqlError>
    + Send
    + Sync
    + 'static,
) -> Result<Stats, ReqlError> {
    let mut total = Stats::new(options.return_changes);
    let mut left = items;
    let write = Arc::new(write);
    while !left.is_empty() {
        let (table, write) = (table.clone(), Arc::clone(&write));
        let (stats, rest) = env.write(options.durability, move |env, batch| {
            check_table(batch, &table)?;
            let mut stats = Stats::new(options.return_changes);
            let mut items = left.into_iter();
            for item in items.by_ref().take(DOCUMENTS_PER_OPERATION) {
                write(env, batch, &table, item, &mut stats)?;
                if batch.bytes() > BYTES_PER_OPERATION {
                    break;
                }
            }
            Ok((stats, items.collect::<Vec<_>>()))
        })?;
        total.add(stats);
        left = rest;
    }
    Ok(total)
}

struct Change {
    kind: TermKind,
    function: Option<Func>,
}

impl Change {
    /// The new document for an old one, null for none.
    fn apply(&self, env: &Env, old: &Datum) -> Result<Datum, ReqlError> {
        let Some(function) = &self.function else {
            return Ok(Datum::Null);
        };
        if self.kind == TermKind::Update && matches!(old, Datum::Null) {
            return Ok(Datum::Null);
        }
        let new = function.call(env, std::slice::from_ref(old))?;
        match self.kind {
            TermKind::Update => Ok(object::merge(old, &new)),
            _ => Ok(new),
        }
    }
}

/// Fails when the table was dropped between the evaluation of a query and its write.
fn check_table(batch: &Batch<'_>, table: &Table) -> Result<(), ReqlError> {
    match batch.catalog().table_by_id(table.id) {
        Some(_) => Ok(()),
        None => Err(ReqlError::op_failed(format!(
            "Table `{}` does not exist.",
            table.full_name()
        ))),
    }
}

/// Puts a new document in the place of the old one and counts what that was.
///
/// # Errors
/// When the storage fails. What is wrong with the document is counted, and is no error of the write.
fn write_one(
    batch: &mut Batch<'_>,
    table: &Table,
    key: &[u8],
    old: Datum,
    new: Result<Datum, ReqlError>,
    stats: &mut Stats,
) -> Result<(), ReqlError> {
    match new
        .and_then(|new| object::refuse_literals(&new).map(|()| new))
        .and_then(|new| check_document(table, key, &old, new))
    {
        Err(error) => stats.failed(error, &old),
        Ok(new) => {
            let is_same = old.equals(&new)?;
            match (&old, &new) {
                (_, Datum::Null) if is_same => {}
                (_, Datum::Null) => drop(batch.delete(table.id, key)?),
                _ if is_same => {}
                _ => batch.put(table.id, key, &new)?,
            }
            stats.written(old, new, is_same);
        }
    }
    Ok(())
}

/// Checks that a value can take the place of a document.
fn check_document(table: &Table, key: &[u8], old: &Datum, new: Datum) -> Result<Datum, ReqlError> {
    let name = &table.primary_key;
    let fields: &Object = match &new {
        Datum::Null => return Ok(new),
        Datum::Object(fields) => fields,
        other => {
            return Err(ReqlError::logic(format!(
                "Inserted value must be an OBJECT (got {}):\n{}",
                other.type_name(),
                other.print()
            )));
        }
    };
    let Some(new_key) = fields.get(name) else {
        return Err(ReqlError::missing(format!(
            "Inserted object must have primary key `{name}`:\n{}",
            new.print()
        )));
    };
    if primary_key(new_key)? != key {
        return Err(ReqlError::logic(format!(
            "Primary key `{name}` cannot be changed (`{}` -> `{}`).",
            old.print(),
            new.print()
        )));
    }
    Ok(new)
}

/// `for_each`: a write for each element.
pub(crate) fn for_each(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    const FAILURE: &str = "FOR_EACH expects one or more basic write queries.";
    let mut stream = env.eval(&call.args[0], scope)?.into_stream()?;
    stream.refuse_feed()?;
    let Value::Func(function) = env.eval(&call.args[1], scope)? else {
        return Err(ReqlError::logic(FAILURE));
    };
    let mut total = Object::new();
    while let Some(element) = stream.next(env)? {
        let results = match env
            .eval(function.body(), &function.bind(&[element])?)?
            .into_datum(env)?
        {
            Datum::Array(results) => results.to_vec(),
            result => vec![result],
        };
        for result in results {
            let Datum::Object(result) = result else {
                return Err(ReqlError::logic(FAILURE));
            };
            super::stats::add_up(&mut total, &result)?;
        }
    }
    Ok(Value::Datum(total.into()))
}
