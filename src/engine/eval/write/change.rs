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

/// The function of `update` or `replace`, which must be deterministic unless the query says otherwise.
fn function(env: &Env, call: &Call, term: &Term, scope: &Scope) -> Result<Func, ReqlError> {
    let function = env.func_or_constant(term, scope)?;
    if !env.flag(call, scope, "non_atomic")? && !function.is_deterministic() {
        return Err(ReqlError::logic(
            "Could not prove argument deterministic.  Maybe you want to use the non_atomic flag?",
        ));
    }
    Ok(function)
}

/// The table and the keys of the selected documents. Only keys, because the write reads each document again, in the
/// same transaction.
fn keys(env: &Env, subject: Value) -> Result<(Table, Vec<Vec<u8>>), ReqlError> {
    let found = subject.type_name();
    let mut stream = match subject {
        Value::Row(row) => {
            let key = primary_key(&row.key)?;
            return Ok((row.table, vec![key]));
        }
        Value::Table(_) | Value::Stream(_) => subject.into_stream()?,
        _ => return Err(ReqlError::expected("SELECTION", found)),
    };
    let Some(table) = stream.selection.clone() else {
        return Err(ReqlError::expected("SELECTION", found));
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
        match self.kind {
            TermKind::Update => Ok(merge::merge(old, &new)),
            _ => Ok(new),
        }
    }
}
