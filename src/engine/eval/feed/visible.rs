//! The steps of a feed, applied to one document.

use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::env::Env;
use crate::engine::eval::step::Step;

/// A document after the steps of a feed; `None` if the feed does not see it. As in RethinkDB, a document on which a
/// step fails is not in the feed.
///
/// # Errors
/// [`ErrorKind::ResourceLimit`] for a step that would delay all writes.
pub(super) fn visible(
    env: &Env,
    steps: &[Step],
    document: Option<&Datum>,
) -> Result<Option<Datum>, ReqlError> {
    let Some(document) = document else {
        return Ok(None);
    };
    let mut seen = document.clone();
    for step in steps {
        match step.apply(env, seen) {
            Ok(Some(changed)) => seen = changed,
            Err(error) if error.kind == ErrorKind::ResourceLimit => return Err(error),
            Ok(None) | Err(_) => return Ok(None),
        }
    }
    Ok(Some(seen))
}
