//! The error that makes a whole batch fail.

use crate::engine::error::ReqlError;
use crate::engine::storage::failure::explain;

/// The first redb error in a batch. An operation may ignore it, but the writer must not commit after it.
#[derive(Default)]
pub(super) struct FirstError(Option<ReqlError>);

impl FirstError {
    /// The first error, if there was one.
    pub(super) fn get(&self) -> Option<&ReqlError> {
        self.0.as_ref()
    }

    /// Records the error if it is the first one. Returns the first error, translated for the client.
    pub(super) fn check<T, E: Into<redb::Error>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<T, ReqlError> {
        result.map_err(|error| self.0.get_or_insert(explain(error)).clone())
    }
}
