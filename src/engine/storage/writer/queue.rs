//! The queue of operations in front of the writer thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use redb::Database;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::operation::Operation;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::Durability;
use crate::engine::storage::copy::CopyError;
use crate::engine::storage::failure::{ReadFailure, shutting_down};

/// The most operations that are queued or being written. Further callers wait for a permit, in order of arrival.
const QUEUE_LENGTH: usize = 1024;

/// The queued operations, and the other events that wake the writer.
pub(in crate::engine::storage) struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct QueueState {
    requests: VecDeque<Request>,
    closing: bool,
    /// A read that failed, if it was not handled yet.
    failed: Option<ReadFailure>,
    /// The outcome of a copying thread, if it has not been handled yet.
    copied: Option<Copied>,
}

/// A queued operation.
pub(in crate::engine::storage) struct Request {
    pub(in crate::engine::storage) durability: Durability,
    pub(in crate::engine::storage) operation: Box<dyn Operation>,
    /// Released when the operation has been answered.
    pub(in crate::engine::storage) _permit: OwnedSemaphorePermit,
}

/// The outcome of a copying thread.
pub(in crate::engine::storage) enum Copied {
    /// The file has little space that is not used.
    NotNeeded,
    /// The copy, as of the snapshot that it was made of.
    Done(Database),
    /// The copy could not be made.
    Failed(CopyError),
}

/// The reason why the writer wakes up.
pub(super) enum Wake {
    /// The queue is not empty.
    Work,
    /// A read failed.
    Failed(ReadFailure),
    /// A thread has copied the file, or tried to.
    Copied(Copied),
    /// The deadline has passed.
    Deadline,
    /// The storage is closing, and the queue is empty.
    Close,
}

impl Queue {
    pub(in crate::engine::storage) fn new() -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
            permits: Arc::new(Semaphore::new(QUEUE_LENGTH)),
        }
    }

    /// Waits for a permit to push an operation.
    ///
    /// # Errors
    /// After [`Queue::close`].
    pub(in crate::engine::storage) async fn permit(
        &self,
    ) -> Result<OwnedSemaphorePermit, ReqlError> {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| shutting_down())
    }

    /// Adds an operation and wakes the writer.
    ///
    /// # Errors
    /// After [`Queue::close`].
    pub(in crate::engine::storage) fn push(&self, request: Request) -> Result<(), ReqlError> {
        let mut state = self.lock();
        if state.closing {
            return Err(shutting_down());
        }
        state.requests.push_back(request);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn pop(&self) -> Option<Request> {
        self.lock().requests.pop_front()
    }

    /// Asks the writer to reopen the database if it has to. Ignored if it has been reopened since.
    pub(in crate::engine::storage) fn report_read_failure(&self, failure: ReadFailure) {
        let mut state = self.lock();
        let is_known = |known: ReadFailure| {
            (known.generation, known.is_certain) >= (failure.generation, failure.is_certain)
        };
        if !state.failed.is_some_and(is_known) {
            state.failed = Some(failure);
        }
        self.wake.notify_one();
    }

    /// Hands the writer what a copying thread has done.
    pub(super) fn report_copy(&self, copied: Copied) {
        self.lock().copied = Some(copied);
        self.wake.notify_one();
    }

    /// Rejects new operations. Those in the queue still run.
    pub(in crate::engine::storage) fn close(&self) {
        self.lock().closing = true;
        // Fails the callers that wait for a permit.
        self.permits.close();
        self.wake.notify_one();
    }

    /// Rejects new operations and drops those in the queue, so that their callers get an error.
    pub(super) fn abandon(&self) {
        self.close();
        // Dropped outside the lock: an operation may own the last handle of the storage, which closes the queue.
        let waiting = std::mem::take(&mut self.lock().requests);
        drop(waiting);
    }

    /// Blocks until there is something to do, at most until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Wake {
        let mut state = self.lock();
        loop {
            // Before the requests, because redb refuses all writes until the file is reopened.
            if let Some(failure) = state.failed.take() {
                return Wake::Failed(failure);
            }
            // Before the requests, which would otherwise change more and more that is to be copied.
            if let Some(copied) = state.copied.take() {
                return Wake::Copied(copied);
            }
            if !state.requests.is_empty() {
                return Wake::Work;
            }
            if state.closing {
                return Wake::Close;
            }
            let Some(deadline) = deadline else {
                state = self
                    .wake
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Wake::Deadline;
            }
            state = self
                .wake
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    // A poisoned lock is usable: the queue is consistent after each statement.
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
