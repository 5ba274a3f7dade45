//! The handle of an open database.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::batch::Batch;
use super::build_progress::BuildProgress;
use super::catalog::{Durability, IndexId};
use super::health::{DiskState, Health};
use super::snapshot::Snapshot;
use super::snapshots::Snapshots;
use super::stats::{Counters, Stats};
use super::writer::{Queue, Request, TypedOperation};
use crate::engine::error::{ErrorKind, ReqlError};

/// The database in a data folder. Clones share it; dropping the last one closes it.
#[derive(Clone)]
pub struct Storage {
    pub(super) handle: Arc<Handle>,
}

pub(super) struct Handle {
    pub(super) queue: Arc<Queue>,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) counters: Arc<Counters>,
    pub(super) progress: Arc<BuildProgress>,
    pub(super) health: Arc<Health>,
    /// `None` after [`Handle::close`].
    pub(super) writer: Mutex<Option<JoinHandle<()>>>,
}

impl Storage {
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

    /// The damage that reads have found since the storage was opened, one message for each document or table.
    pub fn damage(&self) -> Vec<String> {
        self.handle.snapshots.damage.messages()
    }

    /// The state of the disk.
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
