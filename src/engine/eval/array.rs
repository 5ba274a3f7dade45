//! Arrays.

use super::env::{ARRAY_LIMIT, Env};
use super::scope::Scope;
use super::term::{Call, TermKind};
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};

/// `make_array`.
pub(crate) fn make(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    env.check_length(call.args.len())?;
    let items = call
        .args
        .iter()
        .map(|arg| env.eval(arg, scope)?.materialize(env));
    items.collect::<Result<Vec<_>, _>>().map(Datum::from)
}

/// `append`, `prepend` and `set_difference`.
pub(crate) fn change(env: &Env, call: &Call, scope: &Scope) -> Result<Datum, ReqlError> {
    let items = env.datum(&call.args[0], scope)?.as_array()?.to_vec();
    let other = env.datum(&call.args[1], scope)?;
    let items: Vec<Datum> = match call.kind {
        TermKind::Append => items.into_iter().chain([other]).collect(),
        TermKind::Prepend => [other].into_iter().chain(items).collect(),
        _ => {
            let mut kept: Vec<Datum> = Vec::new();
            for item in items {
                // Checked for each item, because the time is quadratic.
                env.check_interrupted()?;
                let is_same = |other: &Datum| item.equals(other);
                if !any(other.as_array()?, is_same)? && !any(&kept, is_same)? {
                    kept.push(item);
                }
            }
            kept
        }
    };
    env.check_length(items.len())?;
    Ok(items.into())
}

fn any(
    items: &[Datum],
    test: impl Fn(&Datum) -> Result<bool, ReqlError>,
) -> Result<bool, ReqlError> {
    for item in items {
        if test(item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Env {
    /// Checks the number of items of an array.
    ///
    /// # Errors
    /// RethinkDB's error for more items than the limit of the query.
    pub(super) fn check_length(&self, length: usize) -> Result<(), ReqlError> {
        let limit = self.array_limit();
        if length > limit {
            let message = format!(
                "Array over size limit `{limit}`.  To raise the number of allowed elements, modify the `array_limit` \
                 option to `.run` (not available in the Data Explorer), or use an index."
            );
            return Err(ReqlError::new(ErrorKind::ResourceLimit, message));
        }
        Ok(())
    }

    /// Checks the arrays in a constant of the query. Those up to the default limit were accepted when the query was
    /// compiled, so only a lower limit needs a check.
    ///
    /// # Errors
    /// As [`Env::check_length`].
    pub(super) fn check_constant(&self, constant: &Datum) -> Result<(), ReqlError> {
        if self.array_limit() >= ARRAY_LIMIT {
            return Ok(());
        }
        match constant {
            Datum::Array(items) => {
                self.check_length(items.len())?;
                items.iter().try_for_each(|item| self.check_constant(item))
            }
            Datum::Object(fields) => fields
                .values()
                .try_for_each(|value| self.check_constant(value)),
            _ => Ok(()),
        }
    }
}
