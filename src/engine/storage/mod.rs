//! The engine's storage: documents in redb, large binaries beside them in chunks, one writer thread that commits what
//! arrives together.
//!
//! - A [`Snapshot`] reads the database as it was at one point in time; readers block no writer.
//! - [`Storage::write`] hands an operation to the writer thread, which runs it on a [`Batch`], commits it together with
//!   all others that wait, and answers.
//! - Each commit has a number; its changes are handed to `on_commit` in the order of the numbers.
//!
//! An error of the disk costs the writes that it met and nothing else: the database file is opened again, soft writes
//! that were acknowledged and not yet on disk are repeated, and writing goes on as soon as the disk allows it.

mod batch;
mod blobs;
mod catalog;
mod codec;
mod failure;
mod journal;
mod layout;
mod open;
mod shared;
mod snapshot;
#[cfg(test)]
mod tests;
mod writer;

use std::future::Future;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use batch::{Batch, BatchScan};
pub use catalog::{Catalog, Database, DatabaseId, Index, NewTable, Table, TableId};
pub use open::OpenError;
pub use snapshot::{Direction, Scan, Snapshot};

use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use open::{Medium, Opened};
use shared::{Request, Shared};
use writer::{OnCommit, Pace, Task, Writer};

/// When a write is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Durability {
    /// At once; it is on disk within a second.
    Soft,
    /// When it is on disk.
    Hard,
}

/// What one commit changed.
pub struct Commit {
    /// Its number; each is one larger than the last.
    pub seq: u64,
    /// The documents, in the order in which they were written.
    pub changes: Vec<Change>,
    /// The tables that are no more.
    pub dropped_tables: Vec<TableId>,
    /// The databases and tables as they are now.
    pub catalog: Arc<Catalog>,
    /// Whether this commit changed the catalog.
    pub catalog_changed: bool,
}

/// What happened to one document.
pub struct Change {
    /// Its table.
    pub table: TableId,
    /// Its key.
    pub key: Vec<u8>,
    /// What it was. Its large binaries are read from before the commit.
    pub old: Option<Datum>,
    /// What it is, as it was given to [`Batch::put`].
    pub new: Option<Datum>,
}

/// What the storage has done since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Commits, each of one operation or many.
    pub commits: u64,
    /// Those of them that went to the disk.
    pub durable_commits: u64,
    /// The number of the last commit that is on disk.
    pub durable_seq: u64,
    /// How often the database file was opened again after an error of the disk.
    pub reopened: u64,
}

/// The database in a data folder. Clones share it; the last one closes it when dropped.
#[derive(Clone)]
pub struct Storage {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Storage {
    /// Opens the database in `folder`, making both if they are not there. It blocks on the disk.
    ///
    /// `on_commit` is called on the writer thread after each commit and before those who wait for it are answered; it
    /// should be quick.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        folder: &Path,
        on_commit: Box<dyn Fn(Commit) + Send + Sync>,
    ) -> Result<Self, OpenError> {
        let medium = open::folder_medium(folder)?;
        Self::open_on(folder, Box::new(medium), on_commit, Pace::default())
    }

    fn open_on(
        folder: &Path,
        medium: Box<dyn Medium>,
        on_commit: OnCommit,
        pace: Pace,
    ) -> Result<Self, OpenError> {
        let Opened {
            database,
            state,
            catalog,
        } = open::open(folder, &*medium)?;
        let shared = Arc::new(Shared::new(database, state, Arc::clone(&catalog)));
        let writer = Writer::new(pace, Arc::clone(&shared), medium, on_commit, state, catalog);
        let thread = thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(|| writer.run());
        let thread = thread.map_err(|error| OpenError::Disk {
            folder: folder.to_owned(),
            detail: error.to_string(),
        })?;
        Ok(Self {
            handle: Arc::new(Handle {
                shared,
                writer: Mutex::new(Some(thread)),
            }),
        })
    }

    /// The database as of the last commit. Cheap: callers share it until the next commit.
    ///
    /// # Errors
    /// When the disk fails, or after [`Storage::close`].
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        self.handle.shared.snapshot()
    }

    /// Carries out an operation on the writer thread and waits until it is committed.
    ///
    /// If `operation` returns an error or panics, what it wrote is undone, and what others wrote is not.
    ///
    /// Cancellation safe: once it has been polled to the point where it waits for the answer, dropping the future
    /// changes nothing about the write. Nothing is sent before the first poll.
    ///
    /// # Errors
    /// What `operation` returns. `OpFailed` when the disk failed and nothing was written; `OpIndeterminate` when it
    /// cannot be told whether it was.
    pub fn write<T, F>(
        &self,
        durability: Durability,
        operation: F,
    ) -> impl Future<Output = Result<T, ReqlError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, ReqlError> + Send + 'static,
    {
        let shared = Arc::clone(&self.handle.shared);
        async move {
            let permit = shared.queue.permit().await?;
            let (task, result) = Task::new(operation);
            shared.queue.push(Request {
                durability,
                operation: Box::new(task),
                _permit: permit,
            })?;
            let ended = |_| {
                Err(ReqlError::new(
                    ErrorKind::Internal,
                    "The storage's writer has ended.",
                ))
            };
            result.await.unwrap_or_else(ended)
        }
    }

    /// Waits until everything that was acknowledged before is on disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> impl Future<Output = Result<(), ReqlError>> + Send + use<> {
        self.write(Durability::Hard, |_| Ok(()))
    }

    /// What has been done so far.
    pub fn stats(&self) -> Stats {
        let counters = &self.handle.shared.counters;
        Stats {
            commits: counters.commits.load(Ordering::Relaxed),
            durable_commits: counters.durable_commits.load(Ordering::Relaxed),
            durable_seq: counters.durable_seq.load(Ordering::Acquire),
            reopened: counters.reopened.load(Ordering::Relaxed),
        }
    }

    /// Carries out what waits, brings it to the disk, and gives the folder free. It blocks until then. Later writes and
    /// snapshots fail, and so do reads from the snapshots that are still there.
    pub fn close(&self) {
        self.handle.close();
    }
}

impl Handle {
    fn close(&self) {
        self.shared.queue.close();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            // An operation may own the last handle: the thread cannot wait for itself.
            && writer.thread().id() != thread::current().id()
            && writer.join().is_err()
        {
            log::error!("the storage's writer thread panicked");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
