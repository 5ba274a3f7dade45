//! The check of values before they are written.

use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::env::ARRAY_LIMIT;
use crate::engine::eval::merge::{is_literal, stray_literal};

/// Checks that a value may be part of a document.
///
/// # Errors
/// RethinkDB's error for a literal, for `minval` and `maxval`, and for an array that is too long. A query may build
/// longer arrays with the option `array_limit`, but not store them.
pub(super) fn check_storable(value: &Datum) -> Result<(), ReqlError> {
    match value {
        Datum::MinVal | Datum::MaxVal => Err(ReqlError::logic(
            "`r.minval` and `r.maxval` cannot be written to disk.",
        )),
        Datum::Array(items) if items.len() > ARRAY_LIMIT => Err(ReqlError::logic(
            "Array too large for disk writes (limit 100,000 elements).",
        )),
        Datum::Array(items) => items.iter().try_for_each(check_storable),
        Datum::Object(_) if is_literal(value) => Err(stray_literal()),
        Datum::Object(fields) => fields.values().try_for_each(check_storable),
        _ => Ok(()),
    }
}
