//! The engine's storage: documents in redb, large binaries beside them in chunks, and one writer thread that commits
//! concurrent writes together.
//!
//! - A [`Snapshot`] reads the database as of one commit. Readers do not block the writer.
//! - [`Storage::write`] sends an operation to the writer thread, which runs it on a [`Batch`], commits it together with
//!   all other queued operations, and answers.
//! - Commits are numbered. Their changes are passed to `on_commit` in the order of the numbers.
//!
//! A disk error fails only the writes that it affects: the database file is reopened, acknowledged soft writes that are
//! not on disk are applied again, and writing resumes as soon as the disk works.
//!
//! The modules depend on each other in one direction:
//!
//! ```text
//! catalog, codec → checksum → layout, blobs, index_entry, damage → tables → journal → database → snapshot → batch → writer →
//! Storage
//! ```

mod batch;
mod blobs;
mod build_progress;
mod catalog;
mod catalog_json;
mod check;
mod checksum;
mod codec;
mod commit;
mod compact;
mod copy;
mod damage;
mod database;
mod document_scan;
mod failure;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod health;
mod index_entry;
mod index_functions;
mod index_scan;
mod inspection;
mod journal;
mod key_range;
mod layout;
mod medium;
mod open;
mod open_error;
mod overlay;
mod permissions;
mod reserve;
mod snapshot;
mod snapshot_blobs;
mod snapshots;
mod stats;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use batch::{Batch, BatchScan};
pub use catalog::{
    Catalog, Database, DatabaseId, Durability, Index, IndexId, NewIndex, NewTable, Table, TableId,
};
pub use check::{CheckReport, check};
pub use commit::{Change, Commit};
pub use compact::compact;
pub use document_scan::Scan;
pub use health::DiskState;
pub use index_entry::EntryRange;
pub use index_functions::{CompileIndex, IndexFunction};
pub use index_scan::{IndexScan, IndexedDocument};
pub use key_range::Direction;
pub use open_error::OpenError;
pub use snapshot::Snapshot;
pub use stats::Stats;

use crate::engine::error::{ErrorKind, ReqlError};
use build_progress::BuildProgress;
use commit::OnCommit;
use damage::DamageLog;
use database::LiveDatabase;
use failure::OnReadFailure;
use health::Health;
use index_functions::IndexFunctions;
use medium::{FileMedium, Medium};
use open::Opened;
use snapshots::Snapshots;
use stats::Counters;
use writer::{Queue, Request, TypedOperation, Writer, WriterParts, WriterTiming};

/// The database in a data folder. Clones share it; dropping the last one closes it.
#[derive(Clone)]
pub struct Storage {
    handle: Arc<Handle>,
}

struct Handle {
    queue: Arc<Queue>,
    snapshots: Arc<Snapshots>,
    counters: Arc<Counters>,
    progress: Arc<BuildProgress>,
    health: Arc<Health>,
    /// `None` after [`Handle::close`].
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Storage {
    /// Opens the database in `folder`, creating both if they are missing. Blocks on the disk.
    ///
    /// `compile_index` compiles the functions of secondary indexes. Indexes that are not ready, such as those of a folder of
    /// an earlier release, are built in the background.
    ///
    /// `on_commit` is called on the writer thread after each commit, before its writes are acknowledged. It must be
    /// quick, because it delays all writes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        folder: &Path,
        compile_index: CompileIndex,
        on_commit: Box<dyn Fn(Commit) + Send + Sync>,
    ) -> Result<Self, OpenError> {
        let medium =
            FileMedium::in_folder(folder).map_err(|error| OpenError::from_io(folder, error))?;
        let timing = WriterTiming::default();
        Self::open_on(folder, Box::new(medium), compile_index, on_commit, timing)
    }

    fn open_on(
        folder: &Path,
        medium: Box<dyn Medium>,
        compile_index: CompileIndex,
        on_commit: OnCommit,
        timing: WriterTiming,
    ) -> Result<Self, OpenError> {
        let Opened {
            database,
            state,
            catalog,
        } = open::open(folder, &*medium)?;
        let queue = Arc::new(Queue::new());
        let reports = Arc::clone(&queue);
        let on_read_failure: OnReadFailure =
            Arc::new(move |failure| reports.report_read_failure(failure));
        let database = Arc::new(LiveDatabase::new(database, on_read_failure));
        let damage = Arc::new(DamageLog::default());
        let snapshots = Arc::new(Snapshots::new(
            Arc::clone(&database),
            damage,
            state,
            Arc::clone(&catalog),
        ));
        let counters = Arc::new(Counters::new(state.seq));
        let progress = Arc::new(BuildProgress::default());
        let health = Arc::new(Health::default());
        let parts = WriterParts {
            timing,
            medium,
            queue: Arc::clone(&queue),
            database,
            snapshots: Arc::clone(&snapshots),
            counters: Arc::clone(&counters),
            functions: IndexFunctions::new(compile_index),
            progress: Arc::clone(&progress),
            health: Arc::clone(&health),
            on_commit,
        };
        let writer = Writer::new(parts, state, catalog);
        let thread = writer.spawn().map_err(|error| OpenError::Disk {
            folder: folder.to_owned(),
            detail: error.to_string(),
        })?;
        let storage = Self {
            handle: Arc::new(Handle {
                queue,
                snapshots,
                counters,
                progress,
                health,
                writer: Mutex::new(Some(thread)),
            }),
        };
        inspection::start(&storage);
        Ok(storage)
    }

    /// The database as of the last commit. Cheap: all callers share one snapshot until the next commit.
    ///
    /// # Errors
    /// When the disk fails, or after [`Storage::close`].
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        self.handle.snapshots.latest()
    }

    /// Runs an operation on the writer thread and waits until it is committed. Waits for a free slot if the queue is
    /// full.
    ///
    /// If `operation` returns an error or panics, only its own writes are undone.
    ///
    /// This function is cancellation safe: a future dropped before the operation is queued has no effect, and one
    /// dropped afterwards does not stop the write.
    ///
    /// # Errors
    /// Those of `operation`. `OpFailed` if the disk failed and nothing was written; `OpIndeterminate` if the disk
    /// failed and the outcome is unknown.
    pub fn write<T, F>(
        &self,
        durability: Durability,
        operation: F,
    ) -> impl Future<Output = Result<T, ReqlError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, ReqlError> + Send + 'static,
    {
        let queue = Arc::clone(&self.handle.queue);
        async move {
            let permit = queue.permit().await?;
            let (operation, result) = TypedOperation::new(operation);
            queue.push(Request {
                durability,
                operation: Box::new(operation),
                _permit: permit,
            })?;
            // The sender is dropped without an answer only if the writer thread has ended.
            let ended = |_| {
                Err(ReqlError::new(
                    ErrorKind::Internal,
                    "The writer of the storage has ended.",
                ))
            };
            result.await.unwrap_or_else(ended)
        }
    }

    /// Waits until all acknowledged writes are on disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> impl Future<Output = Result<(), ReqlError>> + Send + use<> {
        self.write(Durability::Hard, |_| Ok(()))
    }

    /// The share of a table's documents that have entries in an index that is being built, from 0 to 1.
    pub fn build_progress(&self, index: IndexId) -> f64 {
        self.handle.progress.get(index)
    }

    /// The work done since the storage was opened.
    pub fn stats(&self) -> Stats {
        self.handle.counters.stats()
    }

    /// What reads have found to be damaged since the storage was opened, one message for each document or table.
    pub fn damage(&self) -> Vec<String> {
        self.handle.snapshots.damage.messages()
    }

    /// What the disk permits.
    pub fn disk(&self) -> DiskState {
        self.handle.health.get()
    }

    /// Runs the queued operations, syncs all writes to the disk, and releases the folder. Blocks until that is done.
    /// Afterwards writes and snapshots fail, as do reads from existing snapshots.
    pub fn close(&self) {
        self.handle.close();
    }
}

impl Handle {
    fn close(&self) {
        self.queue.close();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            // An operation may drop the last handle, and a thread cannot join itself.
            && writer.thread().id() != thread::current().id()
            && writer.join().is_err()
        {
            log::error!("the writer thread of the storage panicked");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
