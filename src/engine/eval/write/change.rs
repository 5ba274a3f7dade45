//! The terms `update`, `replace` and `delete`.

use super::document::{write_all, write_one};
use super::options::Options;
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::func::Func;
use crate::engine::eval::merge;
use crate::engine::eval::scope::Scope;
use crate::engine::eval::selection::Table;
use crate::engine::eval::term::{Call, Term, TermKind};
use crate::engine::eval::value::Value;

/// `update`, `replace` and `delete`, of one document or of a selection.
pub(crate) fn change(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let function = call
        .args
        .get(1)
        .map(|term| function(env, call, term, scope))
        .transpose()?;
    let (table, keys) = keys(env, subject)?;
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

/// The function of `update` or `replace`.
fn function(env: &Env, call: &Call, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
    check_deterministic(env, call, scope)?;
    env.func_or_constant(term, scope)
}

/// Checks that the function of `update` or `replace` always yields the same result, unless the query says otherwise.
///
/// # Errors
/// RethinkDB's error for any other function.
pub(crate) fn check_deterministic(env: &Env, call: &Call, scope: &Scope) -> Result<(), ReqlError> {
    let is_deterministic = call.args[1..].iter().all(Term::is_deterministic);
    if is_deterministic || env.flag(call, scope, "non_atomic")? {
        return Ok(());
    }
    Err(ReqlError::logic(
        "Could not prove argument deterministic.  Maybe you want to use the non_atomic flag?",
    ))
}

/// The table and the keys of the selected documents. Only keys, because the write reads each document again, in the
/// same transaction.
fn keys(env: &Env, subject: Value) -> Result<(Table, Vec<Vec<u8>>), ReqlError> {
    let mut stream = match subject {
        Value::Row(row) => {
            let key = primary_key(&row.key)?;
            return Ok((row.table, vec![key]));
        }
        Value::Table(_) => subject.into_stream()?,
        Value::Stream(stream) if stream.selection.is_some() => stream,
        other => return Err(other.mistyped(env, "SELECTION")),
    };
    let Some(table) = stream.selection.clone() else {
        return Err(Value::Stream(stream).mistyped(env, "SELECTION"));
    };
    stream.refuse_feed()?;
    let mut keys = Vec::new();
    while let Some(document) = stream.next(env)? {
        keys.push(table.key_of(&document)?);
    }
    Ok((table, keys))
}

/// A change of one document.
struct Change {
    kind: TermKind,
    function: Option<Func>,
}

impl Change {
    /// The document that replaces `old`. Null stands for no document.
    fn apply(&self, env: &Env, old: &Datum) -> Result<Datum, ReqlError> {
        let Some(function) = &self.function else {
            return Ok(Datum::Null);
        };
        if self.kind == TermKind::Update && matches!(old, Datum::Null) {
            return Ok(Datum::Null);
        }
        let new = function.call(env, std::slice::from_ref(old))?;
        match (self.kind, &new) {
            // An update to null leaves the document as it is (`update_term_t` in RethinkDB's `terms/rewrites.cc`).
            (TermKind::Update, Datum::Null) => Ok(old.clone()),
            (TermKind::Update, _) => merge::merge_value(old, &new),
            _ => Ok(new),
        }
    }
}
