//! The database file in use, which is closed and opened again after an error of the disk.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{Database, WriteTransaction};

use super::failure::{OnReadFailure, ReadErrors, recovering, shutting_down};
use crate::engine::error::ReqlError;

/// The open database. Readers use it at the same time; only the writer reopens and closes it.
pub(super) struct LiveDatabase {
    state: RwLock<LiveState>,
    on_read_failure: OnReadFailure,
}

struct LiveState {
    file: FileState,
    /// The number of times that the file was reopened, successfully or not.
    generation: u64,
}

enum FileState {
    Open(Database),
    /// The disk failed and has not recovered.
    Failed(ReqlError),
    /// Closed by [`LiveDatabase::close`], never to be opened again.
    Closed,
}

impl LiveDatabase {
    /// `on_read_failure` is called with the current generation when a read meets an error that requires reopening.
    pub(super) fn new(database: Database, on_read_failure: OnReadFailure) -> Self {
        Self {
            state: RwLock::new(LiveState {
                file: FileState::Open(database),
                generation: 0,
            }),
            on_read_failure,
        }
    }

    /// The number of the current opening of the file.
    pub(super) fn generation(&self) -> u64 {
        self.read_state().generation
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.read_state().file, FileState::Open(_))
    }

    /// Calls `read` with the database, which stays open meanwhile.
    ///
    /// # Errors
    /// The reason why the database is not open, or the error of `read`.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Database, &ReadErrors) -> Result<T, redb::Error>,
    ) -> Result<T, ReqlError> {
        let state = self.read_state();
        match &state.file {
            FileState::Open(database) => {
                let errors = ReadErrors::new(state.generation, self.on_read_failure.clone());
                errors.check(read(database, &errors))
            }
            FileState::Failed(reason) => Err(reason.clone()),
            FileState::Closed => Err(shutting_down()),
        }
    }

    /// Begins a transaction for writing. There is one at a time: a second call blocks until the first has ended.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        match &self.read_state().file {
            FileState::Open(database) => Ok(database.begin_write()?),
            FileState::Failed(_) | FileState::Closed => Err(redb::Error::DatabaseClosed),
        }
    }

    /// Drops the database and replaces it by the one that `open` returns. Snapshots of the dropped one can no longer be
    /// read.
    pub(super) fn reopen<T>(
        &self,
        open: impl FnOnce() -> Result<(Database, T), ReqlError>,
    ) -> Result<T, ReqlError> {
        // Held while opening, so that readers wait for the outcome instead of failing.
        let mut state = self.write_state();
        state.generation += 1;
        // redb releases the lock on the file when the database is dropped, even if snapshots of it remain.
        state.file = FileState::Failed(recovering());
        match open() {
            Ok((database, opened)) => {
                state.file = FileState::Open(database);
                Ok(opened)
            }
            Err(reason) => {
                state.file = FileState::Failed(reason.clone());
                Err(reason)
            }
        }
    }

    /// Closes the file. Reads and writes fail from then on.
    pub(super) fn close(&self) {
        let mut state = self.write_state();
        if let FileState::Open(database) = std::mem::replace(&mut state.file, FileState::Closed)
            && let Err(error) = database.close()
        {
            log::warn!("the database file could not be closed cleanly: {error}");
        }
    }

    // The state is consistent between any two statements, so that a panic does not invalidate it.
    fn read_state(&self) -> RwLockReadGuard<'_, LiveState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, LiveState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
