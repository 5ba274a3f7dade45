//! What the handles, the snapshots and the writer thread share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Instant;

use redb::{Database, ReadableDatabase};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Durability;
use super::catalog::Catalog;
use super::failure::{ends_database, explain};
use super::layout::{self, META, State};
use super::snapshot::Snapshot;
use super::writer::Operation;
use crate::engine::error::ReqlError;

/// How many operations may wait for the writer. Beyond it the callers wait for a place, in order.
const QUEUE_LENGTH: usize = 1024;

pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) live: RwLock<Live>,
    cached: Mutex<Cached>,
    pub(super) counters: Counters,
}

/// The database file, which is closed and opened again after an error of the disk.
pub(super) enum Live {
    /// In use. `generation` tells one opening from the next.
    Open { database: Database, generation: u64 },
    /// The disk failed and has not come back.
    Failed(ReqlError),
    /// For good.
    Closed,
}

/// What snapshots can have in common.
struct Cached {
    /// The snapshot of the last commit, as long as somebody has it.
    snapshot: Weak<Snapshot>,
    /// The commit that made the catalog, and the catalog.
    catalog: (u64, Arc<Catalog>),
}

/// What happened so far.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) durable_commits: AtomicU64,
    pub(super) durable_seq: AtomicU64,
    pub(super) reopened: AtomicU64,
}

impl Shared {
    pub(super) fn new(database: Database, state: State, catalog: Arc<Catalog>) -> Self {
        Self {
            queue: Queue::new(),
            live: RwLock::new(Live::Open {
                database,
                generation: 0,
            }),
            cached: Mutex::new(Cached {
                snapshot: Weak::new(),
                catalog: (state.catalog_seq, catalog),
            }),
            counters: Counters {
                durable_seq: AtomicU64::new(state.seq),
                ..Counters::default()
            },
        }
    }

    /// The database as of the last commit.
    pub(super) fn snapshot(self: &Arc<Self>) -> Result<Arc<Snapshot>, ReqlError> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let (database, generation) = match &*live {
            Live::Open {
                database,
                generation,
            } => (database, *generation),
            Live::Failed(reason) => return Err(reason.clone()),
            Live::Closed => return Err(closed()),
        };
        // Held until the new snapshot is in place: the writer forgets it after a commit, and must not do so in between.
        let mut cached = lock(&self.cached);
        if let Some(snapshot) = cached.snapshot.upgrade() {
            return Ok(snapshot);
        }
        let snapshot = self
            .read(database, generation, &mut cached.catalog)
            .map_err(|error| {
                if ends_database(&error) {
                    self.queue.report_failure(generation);
                }
                explain(error)
            })?;
        cached.snapshot = Arc::downgrade(&snapshot);
        Ok(snapshot)
    }

    fn read(
        self: &Arc<Self>,
        database: &Database,
        generation: u64,
        catalog: &mut (u64, Arc<Catalog>),
    ) -> Result<Arc<Snapshot>, redb::Error> {
        let transaction = database.begin_read()?;
        let meta = transaction.open_table(META)?;
        let state = layout::read_state(&meta)?;
        if catalog.0 != state.catalog_seq {
            *catalog = (state.catalog_seq, layout::read_catalog(&meta)?);
        }
        let known = (state.seq, Arc::clone(&catalog.1));
        Ok(Arc::new(Snapshot::new(
            transaction,
            known,
            Arc::downgrade(self),
            generation,
        )))
    }

    /// Makes the next snapshot a new one. To be called after each commit.
    pub(super) fn forget_snapshot(&self) {
        lock(&self.cached).snapshot = Weak::new();
    }
}

impl Counters {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The operations that wait for the writer, and what else it has to do.
pub(super) struct Queue {
    state: Mutex<QueueState>,
    wake: Condvar,
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct QueueState {
    requests: VecDeque<Request>,
    closing: bool,
    failed: Option<u64>,
}

/// An operation that waits for the writer.
pub(super) struct Request {
    pub(super) durability: Durability,
    pub(super) operation: Box<dyn Operation>,
    /// The place in the queue, given back when the operation has been answered.
    pub(super) _permit: OwnedSemaphorePermit,
}

/// Why the writer wakes up.
pub(super) enum Wake {
    /// Operations wait.
    Work,
    /// A reader met an error of the disk in this generation of the database.
    Failed(u64),
    /// The time has come.
    Deadline,
    /// The storage is to be closed, and nothing waits any more.
    Close,
}

impl Queue {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
            permits: Arc::new(Semaphore::new(QUEUE_LENGTH)),
        }
    }

    /// Waits for a place in the queue.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, ReqlError> {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| closed())
    }

    pub(super) fn push(&self, request: Request) -> Result<(), ReqlError> {
        let mut state = lock(&self.state);
        if state.closing {
            return Err(closed());
        }
        state.requests.push_back(request);
        self.wake.notify_one();
        Ok(())
    }

    pub(super) fn pop(&self) -> Option<Request> {
        lock(&self.state).requests.pop_front()
    }

    /// Has the writer reopen the database, if it is still the one in which an error was met.
    pub(super) fn report_failure(&self, generation: u64) {
        lock(&self.state).failed = Some(generation);
        self.wake.notify_one();
    }

    /// Refuses operations from now on. Those that wait already are still carried out.
    pub(super) fn close(&self) {
        lock(&self.state).closing = true;
        self.permits.close();
        self.wake.notify_one();
    }

    /// Refuses operations from now on and forgets those that wait, which answers them.
    pub(super) fn abandon(&self) {
        self.close();
        let waiting = std::mem::take(&mut lock(&self.state).requests);
        drop(waiting);
    }

    /// Waits until there is something to do, at most until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Wake {
        let mut state = lock(&self.state);
        loop {
            if let Some(generation) = state.failed.take() {
                return Wake::Failed(generation);
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
}

/// Locks a mutex. What is behind ours is consistent between any two statements, so that a panic does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn closed() -> ReqlError {
    ReqlError::op_failed("The database is shutting down.")
}
