//! The one thread that writes: it carries out whatever waits, commits it together, and answers.

mod recovery;
mod task;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use redb::WriteTransaction;

pub(super) use task::{Operation, Task};

use super::batch::{Batch, Outcome};
use super::catalog::Catalog;
use super::failure::explain;
use super::journal::{Entry, Journal, Tables, write_meta};
use super::layout::{META, State};
use super::open::Medium;
use super::shared::{Counters, Live, Request, Shared, Wake};
use super::{Commit, Durability};
use crate::engine::error::ReqlError;
use task::panicked;

/// How many operations are committed together at most: what bounds how long the first of them waits.
const GROUP_OPERATIONS: usize = 256;

/// How many bytes are committed together, give or take the last operation: what bounds the memory of a group.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// How many bytes of soft writes may wait for the disk: what bounds the journal.
const JOURNAL_BYTES: usize = 8 * 1024 * 1024;

/// How long things take that take a while. Tests are less patient.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    /// How long soft writes wait for the disk. They have to be there within a second.
    pub(super) soft_delay: Duration,
    /// How long writes are refused after the disk failed; doubled with each failure in a row. Each attempt reopens the
    /// file, which ends the snapshots that are in use.
    pub(super) first_pause: Duration,
    /// The longest such pause.
    pub(super) last_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            soft_delay: Duration::from_millis(500),
            first_pause: Duration::from_millis(100),
            last_pause: Duration::from_secs(2),
        }
    }
}

/// What is done with each commit.
pub(super) type OnCommit = Box<dyn Fn(Commit) + Send + Sync>;

/// The writer thread's own state.
pub(super) struct Writer {
    pace: Pace,
    shared: Arc<Shared>,
    medium: Box<dyn Medium>,
    on_commit: OnCommit,
    state: State,
    catalog: Arc<Catalog>,
    /// The soft commits that are not on disk yet.
    journal: Journal,
    unsynced_since: Option<Instant>,
    trouble: Option<Trouble>,
    /// A commit that failed half-way: it shows when the file is open again whether it took place.
    limbo: Option<Done>,
    generation: u64,
    closing: bool,
}

/// The disk failed lately.
struct Trouble {
    reason: ReqlError,
    pause: Duration,
    until: Instant,
}

/// A commit that took place.
struct Done {
    state: State,
    outcome: Outcome,
    catalog_changed: bool,
    durable: bool,
}

impl Writer {
    pub(super) fn new(
        pace: Pace,
        shared: Arc<Shared>,
        medium: Box<dyn Medium>,
        on_commit: OnCommit,
        state: State,
        catalog: Arc<Catalog>,
    ) -> Self {
        Self {
            pace,
            shared,
            medium,
            on_commit,
            state,
            catalog,
            journal: Journal::default(),
            unsynced_since: None,
            trouble: None,
            limbo: None,
            generation: 0,
            closing: false,
        }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        loop {
            match self.shared.queue.wait(self.deadline()) {
                Wake::Work | Wake::Deadline => self.group(),
                Wake::Failed(generation) if generation == self.generation => {
                    log::warn!("a read from the database file failed: opening it again");
                    self.reopen();
                }
                Wake::Failed(_) => {}
                Wake::Close => return self.close(),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let flush = self
            .unsynced_since
            .map(|since| since + self.pace.soft_delay);
        match &self.trouble {
            Some(trouble) if flush.is_some() || !self.is_open() => Some(trouble.until),
            _ => flush,
        }
    }

    /// Carries out what waits, as far as the bounds of a group allow, and answers.
    fn group(&mut self) {
        let mut requests = Vec::new();
        let result = self.admit().and_then(|()| self.commit_group(&mut requests));
        if requests.is_empty() && result.is_err() {
            requests.extend(std::iter::from_fn(|| self.shared.queue.pop()));
        }
        for request in requests {
            request.operation.answer(result.clone());
        }
    }

    fn commit_group(&mut self, requests: &mut Vec<Request>) -> Result<(), ReqlError> {
        let mut transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(error) => return Err(self.give_up(explain(error))),
        };
        let outcome = match self.fill(&transaction, requests) {
            Ok(outcome) => outcome,
            Err(reason) => {
                drop(transaction);
                return Err(self.give_up(reason));
            }
        };
        let done = self.plan(outcome, requests);
        let changed = done.state != self.state;
        if !changed && !done.durable {
            return transaction
                .abort()
                .map_err(|error| self.give_up(explain(error)));
        }
        if let Err(error) = self.prepare(&mut transaction, &done, changed) {
            drop(transaction);
            return Err(self.give_up(explain(error)));
        }
        match transaction.commit() {
            Ok(()) => {
                self.publish(done);
                Ok(())
            }
            Err(error) => self.half_way(explain(error), done),
        }
    }

    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let live = self
            .shared
            .live
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match &*live {
            Live::Open { database, .. } => {
                let mut transaction = database.begin_write()?;
                // Costs a second fsync and some 100 KiB per GiB of file with each durable commit, and saves a walk
                // through the whole file (seconds per GiB) after a crash.
                transaction.set_quick_repair(true);
                Ok(transaction)
            }
            Live::Failed(_) | Live::Closed => Err(redb::Error::DatabaseClosed),
        }
    }

    /// Carries out the operations. An error means that the whole group is lost.
    fn fill(
        &self,
        transaction: &WriteTransaction,
        requests: &mut Vec<Request>,
    ) -> Result<Outcome, ReqlError> {
        let tables = Tables::new(transaction);
        let mut batch = Batch::new(
            tables,
            &self.shared,
            Arc::clone(&self.catalog),
            self.state.next_blob,
        );
        while requests.len() < GROUP_OPERATIONS
            && batch.bytes() < GROUP_BYTES
            && batch.failure().is_none()
        {
            let Some(request) = self.shared.queue.pop() else {
                break;
            };
            requests.push(request);
            let operation = requests.last_mut().map(|request| &mut request.operation);
            let carried_out = catch_unwind(AssertUnwindSafe(|| {
                batch.begin();
                if operation.is_some_and(|operation| operation.run(&mut batch)) {
                    batch.accept()
                } else {
                    batch.reject()
                }
            }));
            carried_out.map_err(|_| panicked())?;
        }
        match batch.failure() {
            Some(reason) => Err(reason.clone()),
            None => Ok(batch.finish()),
        }
    }

    /// Decides how to commit.
    fn plan(&self, outcome: Outcome, requests: &[Request]) -> Done {
        let catalog_changed = outcome.catalog != self.catalog;
        let changed = catalog_changed || !outcome.redo.is_empty();
        let mut state = self.state;
        if changed {
            state.seq += 1;
            state.next_blob = outcome.next_blob;
        }
        if catalog_changed {
            state.catalog_seq = state.seq;
        }
        let overdue = self
            .unsynced_since
            .is_some_and(|since| since.elapsed() >= self.pace.soft_delay);
        let wanted = overdue
            || self.closing
            || self.trouble.is_some()
            || self.journal.bytes() + outcome.bytes > JOURNAL_BYTES
            || requests
                .iter()
                .any(|request| request.durability == Durability::Hard);
        let durable = wanted && (changed || !self.journal.is_empty());
        Done {
            state,
            outcome,
            catalog_changed,
            durable,
        }
    }

    fn prepare(
        &self,
        transaction: &mut WriteTransaction,
        done: &Done,
        changed: bool,
    ) -> Result<(), redb::Error> {
        if changed {
            let mut meta = transaction.open_table(META)?;
            let catalog = done.catalog_changed.then_some(&*done.outcome.catalog);
            write_meta(&mut meta, done.state, catalog)?;
        }
        if !done.durable {
            transaction.set_durability(redb::Durability::None)?;
        }
        Ok(())
    }

    /// Makes a commit known.
    fn publish(&mut self, done: Done) {
        let Done {
            state,
            outcome,
            catalog_changed,
            durable,
        } = done;
        let changed = state != self.state;
        self.state = state;
        self.catalog = Arc::clone(&outcome.catalog);
        let counters = &self.shared.counters;
        Counters::count(&counters.commits);
        if durable {
            Counters::count(&counters.durable_commits);
            counters.durable_seq.store(state.seq, Ordering::Release);
            self.journal.clear();
            self.unsynced_since = None;
            self.trouble = None;
        } else {
            let catalog = catalog_changed.then(|| Arc::clone(&outcome.catalog));
            self.journal.push(Entry {
                state,
                redo: outcome.redo,
                catalog,
                bytes: outcome.bytes,
            });
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        self.shared.forget_snapshot();
        if !changed {
            return;
        }
        let commit = Commit {
            seq: state.seq,
            changes: outcome.changes,
            dropped_tables: outcome.dropped,
            catalog: outcome.catalog,
            catalog_changed,
        };
        if catch_unwind(AssertUnwindSafe(|| (self.on_commit)(commit))).is_err() {
            log::error!("what follows a commit panicked at commit {}", state.seq);
        }
    }

    fn close(&mut self) {
        self.closing = true;
        if !self.journal.is_empty() {
            self.group();
        }
        if !self.journal.is_empty() {
            log::error!("the last soft writes could not be brought to the disk and are lost");
        }
        let shared = Arc::clone(&self.shared);
        let mut live = shared.live.write().unwrap_or_else(PoisonError::into_inner);
        if let Live::Open { database, .. } = std::mem::replace(&mut *live, Live::Closed)
            && let Err(error) = database.close()
        {
            log::warn!("the database file could not be closed cleanly: {error}");
        }
    }
}

impl Drop for Writer {
    /// However the thread ends: nobody waits for it for ever.
    fn drop(&mut self) {
        self.shared.queue.abandon();
    }
}
