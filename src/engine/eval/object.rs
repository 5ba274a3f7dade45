//! Objects and their fields.

use std::sync::Arc;

use super::func::{Func, Scope};
use super::path::Paths;
use super::step::Step;
use super::value::{Row, Value};
use super::{Env, seq};
use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;
use crate::engine::eval::term::{Call, Term, TermKind};

/// The pseudotype that `r.literal` makes: it lives only inside `merge` and `update`.
const LITERAL: &str = "LITERAL";

/// RethinkDB's complaint about a value that has no fields.
pub(crate) fn not_an_object(term: &str, found: &Datum) -> ReqlError {
    let message = format!(
        "Cannot perform {term} on a non-object non-sequence `{}`.",
        found.print()
    );
    match found {
        Datum::Null => ReqlError::missing(message),
        _ => ReqlError::logic(message),
    }
}

/// `pluck`, `without`, `has_fields` and `with_fields`, of one object or of each in a sequence.
pub(crate) fn fields(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let names = call.args[1..]
        .iter()
        .map(|name| env.datum(name, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let paths = Paths::new(&names)?;
    if call.kind == TermKind::WithFields {
        let stream = subject.into_stream()?.then(Step::HasFields(paths.clone()));
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

/// Applies something to an object, or as a step to each element of a sequence.
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
        Value::Datum(Datum::Array(_)) | Value::Table(_) | Value::Stream(_) => {
            Ok(Value::Stream(subject.into_stream()?.then(step)))
        }
        other => Err(not_an_object(name, &other.into_datum(env)?)),
    }
}

/// `merge`, of one object or of each in a sequence.
pub(crate) fn merge_term(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let others = call.args[1..]
        .iter()
        .map(|other| env.func_or_constant(other, scope))
        .collect::<Result<Vec<_>, _>>()?;
    each(
        env,
        subject,
        "merge",
        |object| merge_all(env, object, &others),
        Step::Merge(others.clone()),
    )
}

/// Merges objects, or what functions make of the object so far, into it in order.
///
/// # Errors
/// What fails in a function.
pub(crate) fn merge_all(env: &Env, object: Datum, others: &[Func]) -> Result<Datum, ReqlError> {
    let mut merged = object;
    for other in others {
        let other = other.call(env, std::slice::from_ref(&merged))?;
        merged = merge(&merged, &other);
        refuse_literals(&merged)?;
    }
    Ok(merged)
}

/// Puts the fields of `other` over those of `base`, objects inside objects alike; a literal takes its field whole.
pub(crate) fn merge(base: &Datum, other: &Datum) -> Datum {
    let (Datum::Object(fields), Datum::Object(changes)) = (base, other) else {
        return other.clone();
    };
    if literal(other).is_some() {
        return other.clone();
    }
    let mut merged = Object::clone(fields);
    for (name, change) in changes.iter() {
        match literal(change) {
            Some(Some(value)) => drop(merged.insert(name.clone(), value.clone())),
            Some(None) => drop(merged.remove(name)),
            None => {
                let value = match merged.get(name) {
                    Some(before) => merge(before, change),
                    // Literals further down are taken out here, where there is nothing to merge with.
                    None => merge(&Datum::Object(Arc::default()), change),
                };
                merged.insert(name.clone(), value);
            }
        }
    }
    merged.into()
}

/// `literal` as the value of a field, the only place where it may stand: an object that [`merge`] understands.
fn make_literal(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let value = call
        .args
        .first()
        .map(|value| env.datum(value, scope))
        .transpose()?;
    let marker = [("$reql_type$", Datum::from(LITERAL))];
    Ok(Datum::object(
        marker
            .into_iter()
            .chain(value.map(|value| ("value", value))),
    ))
}

/// The complaint about a literal where none may stand.
pub(crate) fn stray_literal() -> ReqlError {
    ReqlError::logic(
        "Stray literal keyword found: literal is only legal inside of the object passed to merge or update and cannot \
         nest inside other literals.",
    )
}

/// What a literal stands for: a value, or nothing at all.
fn literal(datum: &Datum) -> Option<Option<&Datum>> {
    match datum.field("$reql_type$") {
        Some(Datum::String(name)) if &**name == LITERAL => Some(datum.field("value")),
        _ => None,
    }
}

/// Fails where a literal is left over.
///
/// # Errors
/// RethinkDB's own.
pub(crate) fn refuse_literals(datum: &Datum) -> Result<(), ReqlError> {
    fn has_literal(datum: &Datum) -> bool {
        match datum {
            Datum::Object(fields) => literal(datum).is_some() || fields.values().any(has_literal),
            Datum::Array(items) => items.iter().any(has_literal),
            _ => false,
        }
    }
    if has_literal(datum) {
        return Err(stray_literal());
    }
    Ok(())
}

/// Whether the element has every field of the pattern with the same value, objects inside objects alike.
///
/// # Errors
/// When a stored binary cannot be read.
pub(crate) fn is_like(element: &Datum, pattern: &Datum) -> Result<bool, ReqlError> {
    let Datum::Object(wanted) = pattern else {
        return element.equals(pattern);
    };
    let Datum::Object(fields) = element else {
        return Ok(false);
    };
    for (name, pattern) in wanted.iter() {
        match fields.get(name) {
            Some(value) if is_like(value, pattern)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// `get_field` and the bracket: a field of an object or of each in a sequence, or the nth of a sequence.
pub(crate) fn bracket(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let subject = env.eval(&call.args[0], scope)?;
    let name = match env.datum(&call.args[1], scope)? {
        Datum::Number(_) if call.kind == TermKind::Bracket => {
            return seq::nth_of(env, subject, &call.args[1], scope);
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
    each(env, subject, "bracket", get, Step::GetField(name.clone()))
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

/// An object some of whose fields are terms.
pub(crate) fn make(
    env: &Env,
    fields: &[(Arc<str>, Term)],
    scope: &Scope,
) -> Result<Datum, ReqlError> {
    let mut object = Object::new();
    for (name, term) in fields {
        let value = match term {
            Term::Call(call) if call.kind == TermKind::Literal => make_literal(env, call, scope)?,
            term => env.datum(term, scope)?,
        };
        object.insert(name.clone(), value);
    }
    crate::engine::datum::pseudotype(object)
}
