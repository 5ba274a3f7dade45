//! Comparisons, logic and control flow.

use std::cmp::Ordering;

use super::env::Env;
use super::scope::Scope;
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};

/// The message of `error` without an argument, which is valid only in a default. `filter` recognises it by this
/// message.
pub(crate) const EMPTY_ERROR: &str = "Empty ERROR term outside a default block.";

/// `eq`, `ne`, `lt`, `le`, `gt` and `ge`: compares each argument with the next.
pub(crate) fn comparison(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let mut left = env.datum(&call.args[0], scope)?;
    for right in &call.args[1..] {
        let right = env.datum(right, scope)?;
        let order = left.compare(&right)?;
        let holds = match call.kind {
            TermKind::Lt => order == Ordering::Less,
            TermKind::Le => order != Ordering::Greater,
            TermKind::Gt => order == Ordering::Greater,
            TermKind::Ge => order != Ordering::Less,
            _ => order == Ordering::Equal,
        };
        if !holds {
            return Ok((call.kind == TermKind::Ne).into());
        }
        left = right;
    }
    Ok((call.kind != TermKind::Ne).into())
}

pub(crate) fn not(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    Ok((!env.datum(&call.args[0], scope)?.is_truthy()).into())
}

/// `and` and `or`: the first value that decides the result, or the last one.
pub(crate) fn logic(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let is_and = call.kind == TermKind::And;
    let mut last = Datum::Bool(is_and);
    for arg in &call.args {
        last = env.datum(arg, scope)?;
        if last.is_truthy() != is_and {
            break;
        }
    }
    Ok(last)
}

/// `branch`: the value that follows the first true test, or the last value.
pub(crate) fn branch(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    if call.args.len().is_multiple_of(2) {
        return Err(ReqlError::logic(
            "Cannot call `branch` term with an even number of arguments.",
        ));
    }
    for pair in call.args.chunks(2) {
        match pair {
            [test, value] => {
                if env.datum(test, scope)?.is_truthy() {
                    return env.eval(value, scope);
                }
            }
            [otherwise] => return env.eval(otherwise, scope),
            _ => break,
        }
    }
    Ok(Value::Datum(Datum::Null))
}

/// `default`: replaces null and non-existence errors. Errors raised by `r.error` are not caught. An `r.error` without a
/// message in the replacement stands for what was to be replaced.
pub(crate) fn default(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let missing = match env.eval(&call.args[0], scope) {
        Ok(Value::Datum(Datum::Null)) => None,
        Ok(Value::Row(row)) if matches!(row.value, Datum::Null) => None,
        Ok(value) => return Ok(value),
        Err(error) if error.kind == ErrorKind::NonExistence => Some(error),
        Err(error) => return Err(error),
    };
    let message = match &missing {
        Some(error) => error.message.as_str().into(),
        None => Datum::Null,
    };
    match replacement(env, &call.args[1], scope, message) {
        Err(error) if error.message == EMPTY_ERROR => {
            missing.map_or(Ok(Value::Datum(Datum::Null)), Err)
        }
        result => result,
    }
}

/// The second argument of `default`, or its result if it is a function.
fn replacement(env: &Env, term: &Term, scope: &Scope, message: Datum) -> Result<Value, ReqlError> {
    match env.eval(term, scope)? {
        Value::Func(function) => env.eval(function.body(), &function.bind(&[message])?),
        value => Ok(value),
    }
}

/// `error`: the error to raise. Without an argument it stands for the error that `default` caught.
pub(crate) fn error(env: &Env, call: &Call, scope: &Scope) -> Result<ReqlError, ReqlError> {
    Ok(match call.args.first() {
        Some(message) => ReqlError::new(ErrorKind::User, &**env.datum(message, scope)?.as_str()?),
        None => ReqlError::logic(EMPTY_ERROR),
    })
}

/// `do`: calls a function with values.
pub(crate) fn funcall(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let arguments = call.args[1..]
        .iter()
        .map(|arg| env.eval(arg, scope)?.materialize(env));
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let function = env.func_or_constant(&call.args[0], scope)?;
    env.eval(function.body(), &function.bind(&arguments)?)
}
