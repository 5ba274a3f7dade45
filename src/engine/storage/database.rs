//! The open database file, which is closed and reopened after a disk error.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;

use redb::{Database, ReadableDatabase, WriteTransaction};

use super::failure::{
    Keeper, OnReadFailure, ReadErrors, catch, discard, recovering, shutting_down,
};
use super::layout::{self, META};
use crate::engine::error::ReqlError;

/// The open database. Readers share it; only the writer reopens and closes it.
pub(super) struct LiveDatabase {
    state: RwLock<LiveState>,
    on_read_failure: OnReadFailure,
}

struct LiveState {
    file: FileState,
    /// The number of attempts to reopen the file, successful or not, and of its replacements.
    generation: u64,
    /// Keeps the database open for its snapshots after it was replaced.
    keeper: Arc<Keeper>,
}

enum FileState {
    Open(Database),
    /// The disk failed and has not recovered.
    Failed(ReqlError),
    /// The disk is read-only, so that this database keeps in memory what opening it has written.
    ReadOnly(Database),
    /// Closed by [`LiveDatabase::close`], never to be opened again.
    Closed,
}

impl LiveDatabase {
    /// `on_read_failure` is called with the current generation when a read fails with an error that requires reopening.
    pub(super) fn new(database: Database, on_read_failure: OnReadFailure) -> Self {
        Self {
            state: RwLock::new(LiveState {
                file: FileState::Open(database),
                generation: 0,
                keeper: Arc::default(),
            }),
            on_read_failure,
        }
    }

    /// The number of the current opening of the file.
    pub(super) fn generation(&self) -> u64 {
        self.read_state().generation
    }

    /// Returns `true` if the database can be read and written.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.read_state().file, FileState::Open(_))
    }

    /// Returns `true` if the database can be read and not written.
    pub(super) fn is_read_only(&self) -> bool {
        matches!(self.read_state().file, FileState::ReadOnly(_))
    }

    /// Returns `true` if the database can still be read. A panic of redb on a damaged page can leave it unusable.
    pub(super) fn answers(&self) -> bool {
        let read = self.read(|database, _| {
            let transaction = database.begin_read()?;
            let meta = transaction.open_table(META)?;
            Ok(layout::read_state(&meta)?)
        });
        read.is_ok()
    }

    /// Calls `read` with the database, which stays open during the call.
    ///
    /// # Errors
    /// The reason why the database is not open, or the error of `read`.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Database, &ReadErrors) -> Result<T, redb::Error>,
    ) -> Result<T, ReqlError> {
        let state = self.read_state();
        match &state.file {
            FileState::Open(database) | FileState::ReadOnly(database) => {
                let keeper = Arc::clone(&state.keeper);
                let on_failure = self.on_read_failure.clone();
                let errors = ReadErrors::new(state.generation, on_failure, keeper);
                errors.read(|| read(database, &errors))
            }
            FileState::Failed(reason) => Err(reason.clone()),
            FileState::Closed => Err(shutting_down()),
        }
    }

    /// Begins a write transaction. Blocks while another one is open.
    pub(super) fn begin_write(&self) -> Result<WriteTransaction, redb::Error> {
        match &self.read_state().file {
            FileState::Open(database) => catch(|| Ok(database.begin_write()?)),
            FileState::Failed(_) | FileState::ReadOnly(_) | FileState::Closed => {
                Err(redb::Error::DatabaseClosed)
            }
        }
    }

    /// Drops the database and replaces it with the one that `open` returns. Snapshots of the dropped database can no
    /// longer be read.
    pub(super) fn reopen<T>(
        &self,
        open: impl FnOnce() -> Result<(Database, T), ReqlError>,
    ) -> Result<T, ReqlError> {
        // Locked while opening, so that readers wait for the new database instead of failing.
        let mut state = self.write_state();
        state.generation += 1;
        // Dropping the database releases redb's lock on the file, even if snapshots of it remain.
        let dropped = std::mem::replace(&mut state.file, FileState::Failed(recovering()));
        discard(dropped);
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

    /// Lets a database that could not be reopened be read from `database`.
    pub(super) fn set_read_only(&self, database: Database) {
        let mut state = self.write_state();
        state.generation += 1;
        state.file = FileState::ReadOnly(database);
    }

    /// Replaces the database with a copy of it. Snapshots of the replaced one can still be read.
    pub(super) fn replace(&self, copy: Database) {
        let mut state = self.write_state();
        state.generation += 1;
        let keeper = std::mem::take(&mut state.keeper);
        let replaced = std::mem::replace(&mut state.file, FileState::Open(copy));
        drop(state);
        // On another thread: closing a file syncs it, and the disk takes its time to give up a large one.
        let close = move || {
            if let FileState::Open(database) = replaced {
                keeper.keep(database);
            }
        };
        if let Err(error) = thread::Builder::new().spawn(close) {
            log::debug!("the replaced database file was closed at once: {error}");
        }
    }

    /// Takes the database, if it is open. Reads and writes fail from then on.
    pub(super) fn take(&self) -> Option<Database> {
        match std::mem::replace(&mut self.write_state().file, FileState::Closed) {
            FileState::Open(database) => Some(database),
            read_only @ FileState::ReadOnly(_) => {
                discard(read_only);
                None
            }
            FileState::Failed(_) | FileState::Closed => None,
        }
    }

    /// Closes the file. Reads and writes fail from then on.
    pub(super) fn close(&self) {
        if let Some(database) = self.take()
            && let Err(error) = catch(|| Ok(database.close()?))
        {
            log::warn!("the database file could not be closed cleanly: {error}");
        }
    }

    // A poisoned lock is usable: the state is consistent after each statement.
    fn read_state(&self) -> RwLockReadGuard<'_, LiveState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_state(&self) -> RwLockWriteGuard<'_, LiveState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LiveDatabase {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        discard(std::mem::replace(&mut state.file, FileState::Closed));
    }
}
