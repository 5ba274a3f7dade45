//! redb's errors: their messages for the client, and which of them require the file to be reopened.

use std::io;
use std::sync::Arc;

use crate::engine::error::{ErrorKind, ReqlError};

/// Receives the generation of the database in which a read failed with a disk error.
pub(super) type OnReadFailure = Arc<dyn Fn(u64) + Send + Sync>;

/// Translates the errors of reads, and reports those after which redb refuses further work.
#[derive(Clone)]
pub(super) struct ReadErrors {
    generation: u64,
    on_failure: OnReadFailure,
}

impl ReadErrors {
    /// For reads from the database of this generation.
    pub(super) fn new(generation: u64, on_failure: OnReadFailure) -> Self {
        Self {
            generation,
            on_failure,
        }
    }

    /// Translates an error for the client and reports it if the file has to be reopened.
    pub(super) fn check<T, E: Into<redb::Error>>(
        &self,
        result: Result<T, E>,
    ) -> Result<T, ReqlError> {
        result.map_err(|error| {
            let error = error.into();
            if requires_reopen(&error) {
                (self.on_failure)(self.generation);
            }
            explain(error)
        })
    }
}

/// Translates an error of redb for the client.
pub(super) fn explain(error: impl Into<redb::Error>) -> ReqlError {
    match error.into() {
        redb::Error::Io(error) if is_full(&error) => {
            ReqlError::op_failed("The disk that holds the database is full.")
        }
        redb::Error::Io(error) => {
            ReqlError::op_failed(format!("The disk that holds the database failed: {error}."))
        }
        redb::Error::PreviousIo => recovering(),
        redb::Error::DatabaseClosed => {
            ReqlError::op_failed("The database was reopened or closed during the query.")
        }
        redb::Error::ValueTooLarge(size) => ReqlError::new(
            ErrorKind::ResourceLimit,
            format!("A value of {size} bytes is too large to be stored."),
        ),
        other => ReqlError::new(
            ErrorKind::Internal,
            format!("The database file failed: {other}."),
        ),
    }
}

/// Returns `true` if redb refuses all further work after this error until the file is reopened.
fn requires_reopen(error: &redb::Error) -> bool {
    matches!(
        error,
        redb::Error::Io(_) | redb::Error::Backend(_) | redb::Error::PreviousIo
    )
}

/// Returns `true` if the disk, the quota or the largest file size is exhausted.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// The error while the file is being reopened.
pub(super) fn recovering() -> ReqlError {
    ReqlError::op_failed("The database is recovering from an error of its disk.")
}

/// The error after [`close`](super::Storage::close).
pub(super) fn shutting_down() -> ReqlError {
    ReqlError::op_failed("The database is shutting down.")
}
