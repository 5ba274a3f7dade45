//! How redb's errors are told to others.

use std::io;

use crate::engine::error::{ErrorKind, ReqlError};

/// Words an error of redb for the client.
pub(super) fn explain(error: impl Into<redb::Error>) -> ReqlError {
    match error.into() {
        redb::Error::Io(error) if is_full(&error) => {
            ReqlError::op_failed("The disk that holds the database is full.")
        }
        redb::Error::Io(error) => {
            ReqlError::op_failed(format!("The disk that holds the database failed: {error}."))
        }
        redb::Error::PreviousIo => {
            ReqlError::op_failed("The database is recovering from an error of its disk.")
        }
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

/// Whether redb refuses all further work after this error, until the file is opened again.
pub(super) fn ends_database(error: &redb::Error) -> bool {
    matches!(
        error,
        redb::Error::Io(_) | redb::Error::Backend(_) | redb::Error::PreviousIo
    )
}

/// Whether there was no room.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
