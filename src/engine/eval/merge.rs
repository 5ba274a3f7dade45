//! Merging of objects, with `literal`.

use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::scope::Scope;
use super::term::Call;
use crate::engine::datum::{Datum, Object};
use crate::engine::error::ReqlError;

/// The pseudotype of `r.literal`, which is valid only within `merge` and `update`.
const LITERAL: &str = "LITERAL";

/// Merges the results of functions into an object, in order. Each function is called with the object merged so far.
///
/// # Errors
/// A failure in a function, or a literal outside a field.
pub(crate) fn merge_all(env: &Env, object: Datum, others: &[Func]) -> Result<Datum, ReqlError> {
    let mut merged = object;
    for other in others {
        let other = other.call(env, std::slice::from_ref(&merged))?;
        merged = merge_value(&merged, &other)?;
        refuse_literals(&merged)?;
    }
    Ok(merged)
}

/// Merges the result of a function into an object, as `merge` and `update` do.
///
/// # Errors
/// A time: it is an object in RethinkDB, but one that cannot be merged.
pub(crate) fn merge_value(base: &Datum, other: &Datum) -> Result<Datum, ReqlError> {
    match other {
        Datum::Time(_) => Err(ReqlError::logic(format!(
            "Cannot merge objects of type `{}`.",
            other.type_name()
        ))),
        _ => Ok(merge(base, other)),
    }
}

/// Merges the fields of `other` into `base`, recursively. A literal replaces its field as a whole.
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
                    // Merged with an empty object, because literals in `change` must still be resolved.
                    None => merge(&Datum::Object(Arc::default()), change),
                };
                merged.insert(name.clone(), value);
            }
        }
    }
    merged.into()
}

/// Evaluates `literal` as the value of a field, its only legal position. Returns an object that [`merge`] recognises.
pub(crate) fn make_literal(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
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

/// RethinkDB's error for a literal in an illegal position.
pub(crate) fn stray_literal() -> ReqlError {
    ReqlError::logic(
        "Stray literal keyword found: literal is only legal inside of the object passed to merge or update and cannot \
         nest inside other literals.",
    )
}

/// The content of a literal, which may be empty. The outer `None` means that the datum is not a literal.
pub(crate) fn literal(datum: &Datum) -> Option<Option<&Datum>> {
    match datum.field("$reql_type$") {
        Some(Datum::String(name)) if &**name == LITERAL => Some(datum.field("value")),
        _ => None,
    }
}

/// Returns `true` for a literal.
pub(crate) fn is_literal(datum: &Datum) -> bool {
    literal(datum).is_some()
}

/// Checks that no literal is left in a value.
///
/// # Errors
/// RethinkDB's error for a literal in an illegal position.
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
