//! Objects and their fields.

use std::sync::Arc;

use super::env::Env;
use super::merge;
use super::path::Paths;
use super::scope::Scope;
use super::selection::Row;
use super::slice;
use super::step::{Step, not_an_object};
use super::stream::Stream;
use super::term::{Call, Term, TermKind};
use super::value::Value;
use crate::engine::datum::{Datum, Object, pseudotype};
use crate::engine::error::ReqlError;

/// `pluck`, `without`, `has_fields` and `with_fields`, of one object or of each element of a sequence.
pub(crate) fn fields(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let names = call.args[1..]
        .iter()
        .map(|name| env.datum(name, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let paths = Paths::new(&names)?;
    if call.kind == TermKind::WithFields {
        // `has_fields` and then `pluck`, which fails on what the first makes of a single object.
        let subject = match subject {
            Value::Datum(Datum::Object(fields)) => {
                let has_fields = paths.are_in(&fields).into();
                return Err(not_an_object("pluck", &has_fields));
            }
            other => sequence(env, other, "has_fields")?,
        };
        let stream = subject.then(Step::HasFields(paths.clone()));
        return Ok(Value::Stream(stream.then(Step::Pluck(paths))));
    }
    let (name, step) = match call.kind {
        TermKind::Pluck => ("pluck", Step::Pluck(paths)),
        TermKind::Without => ("without", Step::Without(paths)),
        _ => ("has_fields", Step::HasFields(paths)),
    };
    each(
        env,
        subject,
        name,
        |subject| match (&step, subject) {
            (Step::HasFields(paths), Datum::Object(fields)) => Ok(paths.are_in(&fields).into()),
            (step, subject) => Ok(step.apply(env, subject)?.unwrap_or(Datum::Null)),
        },
        step.clone(),
    )
}

/// Applies `to_object` to one object, or `step` to each element of a sequence.
fn each(
    env: &Env,
    subject: Value,
    name: &str,
    to_object: impl FnOnce(Datum) -> Result<Datum, ReqlError>,
    step: Step,
) -> Result<Value, ReqlError> {
    match subject {
        Value::Datum(object @ Datum::Object(_))
        | Value::Row(Row {
            value: object @ Datum::Object(_),
            ..
        }) => to_object(object).map(Value::Datum),
        other => Ok(Value::Stream(sequence(env, other, name)?.then(step))),
    }
}

/// The subject of a term that also accepts a single object, if it is not one.
fn sequence(env: &Env, subject: Value, name: &str) -> Result<Stream, ReqlError> {
    match subject {
        Value::Datum(Datum::Array(_)) | Value::Table(_) | Value::Stream(_) => subject.into_stream(),
        other => Err(not_an_object(name, &other.into_datum(env)?)),
    }
}

/// `merge`, of one object or of each element of a sequence.
pub(crate) fn merge(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let others = call.args[1..]
        .iter()
        .map(|other| env.func_or_constant(other, scope))
        .collect::<Result<Vec<_>, _>>()?;
    each(
        env,
        subject,
        "merge",
        |object| merge::merge_all(env, object, &others),
        Step::Merge(others.clone()),
    )
}

/// `get_field` and `bracket`: a field of one object or of each element of a sequence. `bracket` with a number is `nth`.
pub(crate) fn bracket(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let name = match env.datum(&call.args[1], scope)? {
        Datum::Number(_) if call.kind == TermKind::Bracket => {
            return slice::nth_of(env, subject, &call.args[1], scope);
        }
        Datum::String(name) => name,
        other if call.kind == TermKind::Bracket => {
            let found = other.type_name();
            let message = format!(
                "Expected NUMBER or STRING as second argument to `bracket` but found {found}."
            );
            return Err(ReqlError::of_type(found, message));
        }
        other => return Err(ReqlError::expected("STRING", other.type_name())),
    };
    let get = |object: Datum| match object.field(&name) {
        Some(value) => Ok(value.clone()),
        None => Err(ReqlError::missing(format!(
            "No attribute `{name}` in object:\n{}",
            object.print()
        ))),
    };
    let term = match call.kind {
        TermKind::GetField => "get_field",
        _ => "bracket",
    };
    let step = Step::GetField {
        name: name.clone(),
        term,
    };
    each(env, subject, term, get, step)
}

/// `keys` and `values`.
pub(crate) fn entries(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let (name, subject) = match call.kind {
        TermKind::Keys => ("keys", env.datum(&call.args[0], scope)?),
        _ => ("values", env.datum(&call.args[0], scope)?),
    };
    let Datum::Object(fields) = &subject else {
        let found = subject.type_name();
        return Err(ReqlError::logic(format!(
            "Cannot call `{name}` on objects of type `{found}`."
        )));
    };
    let entries: Vec<Datum> = match call.kind {
        TermKind::Keys => fields.keys().cloned().map(Datum::String).collect(),
        _ => fields.values().cloned().collect(),
    };
    Ok(Value::Datum(entries.into()))
}

/// Evaluates an object whose fields are terms.
pub(crate) fn make(
    env: &Env,
    fields: &[(Arc<str>, Term)],
    scope: &Scope,
) -> Result<Datum, ReqlError> {
    let mut object = Object::new();
    for (name, term) in fields {
        let value = match term {
            Term::Call(call) if call.kind == TermKind::Literal => {
                merge::make_literal(env, call, scope)?
            }
            term => env.datum(term, scope)?,
        };
        object.insert(name.clone(), value);
    }
    pseudotype(object)
}
