//! redb's errors: their messages for the client, and which of them require the file to be reopened.

use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread;

use redb::Database;

use crate::engine::error::{ErrorKind, ReqlError};

/// A read that failed, after which redb may have to be reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadFailure {
    /// The generation of the database.
    pub(super) generation: u64,
    /// `false` after a panic on damaged pages: reads of others mostly succeed, and reopening ends all snapshots.
    pub(super) is_certain: bool,
}

/// Receives the reads that failed.
pub(super) type OnReadFailure = Arc<dyn Fn(ReadFailure) + Send + Sync>;

/// Translates the errors of reads, and reports those after which redb refuses further work.
#[derive(Clone)]
pub(super) struct ReadErrors {
    generation: u64,
    on_failure: OnReadFailure,
    /// Keeps the database open that is read from.
    _keeper: Arc<Keeper>,
}

/// Keeps a database open that was replaced by a copy, until the last snapshot of it is dropped.
#[derive(Default)]
pub(super) struct Keeper(Mutex<Option<Database>>);

impl Keeper {
    /// Takes over the database.
    pub(super) fn keep(&self, database: Database) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(database);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        discard(
            self.0
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }
}

/// Calls redb, which can panic on a damaged file, and turns a panic into an error. Nothing is printed then: the error
/// says enough, and a damaged page can be read often.
pub(super) fn catch<T>(call: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    silence_expected_panics();
    // A destructor may call this while another call unwinds.
    let outer = (EXPECTED.replace(true), PANICS.replace(0));
    let result = catch_unwind(AssertUnwindSafe(call));
    EXPECTED.set(outer.0);
    PANICS.set(outer.1);
    result.unwrap_or_else(|_| {
        let reason = "its pages are not consistent".to_owned();
        Err(redb::Error::Corrupted(reason))
    })
}

/// Drops a part of redb, which can panic if a damaged page made it panic before.
pub(super) fn discard<T>(part: T) {
    // A panic is ignored: the part is no longer used, whatever its state.
    let _ = catch(|| {
        drop(part);
        Ok(())
    });
}

thread_local! {
    /// Set while a panic of this thread is caught by [`catch`].
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
    /// The panics since the innermost [`catch`] of this thread began.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// The exit code after damage that redb cannot go on after; that of a check which cannot be made, too.
const EXIT_DAMAGED: i32 = 2;

/// Ends the process, because redb cannot go on after damage that it has met in a destructor. Acknowledged hard writes
/// are on disk.
fn give_up() -> ! {
    let message = "the database file is damaged, so that it cannot be used any further and the program ends: \
                   `realtime-photo check` lists what is damaged, and `realtime-photo compact` writes the list of free \
                   pages anew";
    if log::log_enabled!(log::Level::Error) {
        log::error!("{message}");
    } else {
        eprintln!("realtime-photo: {message}");
    }
    std::process::exit(EXIT_DAMAGED);
}

/// Adds a filter in front of the hook that prints panics, once.
fn silence_expected_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            match EXPECTED.get() {
                false => print(info),
                // A second panic, in a destructor, would abort the process without a word.
                true if PANICS.get() > 0 && thread::panicking() => give_up(),
                true => PANICS.set(PANICS.get() + 1),
            }
        }));
    });
}

impl ReadErrors {
    /// For reads from the database of this generation.
    pub(super) fn new(generation: u64, on_failure: OnReadFailure, keeper: Arc<Keeper>) -> Self {
        Self {
            generation,
            on_failure,
            _keeper: keeper,
        }
    }

    /// Calls redb as [`catch`] does, and translates its error as [`ReadErrors::check`] does.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce() -> Result<T, redb::Error>,
    ) -> Result<T, ReqlError> {
        self.check(catch(read))
    }

    /// Translates an error for the client and reports it if the file has to be reopened.
    pub(super) fn check<T, E: Into<redb::Error>>(
        &self,
        result: Result<T, E>,
    ) -> Result<T, ReqlError> {
        result.map_err(|error| {
            let error = error.into();
            let is_certain = requires_reopen(&error);
            if is_certain || matches!(error, redb::Error::Corrupted(_)) {
                (self.on_failure)(ReadFailure {
                    generation: self.generation,
                    is_certain,
                });
            }
            explain(error)
        })
    }
}

/// Translates an error of redb for the client.
pub(super) fn explain(error: impl Into<redb::Error>) -> ReqlError {
    match error.into() {
        redb::Error::Io(error) if is_full(&error) => disk_full(),
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
        redb::Error::Corrupted(detail) => ReqlError::new(
            ErrorKind::Internal,
            format!("The database file is damaged: {detail}."),
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

/// The error of a write for which the disk has no space.
pub(super) fn disk_full() -> ReqlError {
    ReqlError::op_failed("The disk that holds the database is full.")
}

/// The error while the file is being reopened.
pub(super) fn recovering() -> ReqlError {
    ReqlError::op_failed("The database is recovering from an error of its disk.")
}

/// The error after [`close`](super::Storage::close).
pub(super) fn shutting_down() -> ReqlError {
    ReqlError::op_failed("The database is shutting down.")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Panics when it is dropped, as parts of redb do after a panic.
    struct Fragile;

    impl Drop for Fragile {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }

    fn fail(_fragile: Option<Fragile>) -> Result<(), redb::Error> {
        panic!("on purpose");
    }

    #[test]
    fn a_panic_is_an_error_also_in_a_destructor_that_catches_it() {
        struct Caught;
        impl Drop for Caught {
            fn drop(&mut self) {
                discard(Fragile);
            }
        }
        let failed = catch(|| {
            let _caught = Caught;
            fail(None)
        });
        assert!(matches!(failed, Err(redb::Error::Corrupted(_))));
    }

    /// Tells the test below that it is in the process that ends.
    const ENDS: &str = "REALTIME_PHOTO_TEST_ENDS";

    #[test]
    fn a_panic_in_a_destructor_of_redb_ends_the_process_with_an_error_that_says_what_to_do() {
        if std::env::var_os(ENDS).is_some() {
            let _ = catch(|| fail(Some(Fragile)));
            return;
        }
        let thread = std::thread::current();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", thread.name().unwrap(), "--nocapture"])
            .env(ENDS, "")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(EXIT_DAMAGED));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains("`realtime-photo check` lists"), "{text}");
    }
}
