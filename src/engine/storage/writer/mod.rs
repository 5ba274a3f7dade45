//! The writer thread. It runs the queued operations, commits them together, and answers their callers.

mod committed;
mod compaction;
mod index_builder;
mod operation;
mod queue;
mod recovery;
mod replacement;
mod timing;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use redb::WriteTransaction;

pub(super) use operation::TypedOperation;
pub(super) use queue::{Queue, Request};
pub(super) use timing::WriterTiming;

use super::batch::{Batch, Outcome};
use super::build_progress::BuildProgress;
use super::catalog::{Catalog, Durability};
use super::commit::OnCommit;
use super::database::LiveDatabase;
use super::failure::{catch, discard, explain};
use super::health::Health;
use super::index_functions::IndexFunctions;
use super::layout::{self, META, StoredState};
use super::medium::Medium;
use super::snapshots::Snapshots;
use super::stats::Counters;
use super::tables::WriteTables;
use crate::engine::error::ReqlError;
use committed::{Committed, PendingCommit};
use compaction::Compactor;
use index_builder::IndexBuilder;
use operation::panicked;
use queue::Wake;
use recovery::Recovery;

/// The most operations in one commit. It bounds the wait of the first one.
const GROUP_OPERATIONS: usize = 256;

/// The size in bytes from which a commit takes no further operation. It bounds the memory of a group.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// The state of the writer thread.
pub(super) struct Writer {
    timing: WriterTiming,
    queue: Arc<Queue>,
    database: Arc<LiveDatabase>,
    snapshots: Arc<Snapshots>,
    functions: IndexFunctions,
    builder: IndexBuilder,
    committed: Committed,
    recovery: Recovery,
    compactor: Compactor,
    counters: Arc<Counters>,
    closing: bool,
}

/// The parts of the storage that the writer uses.
pub(super) struct WriterParts {
    pub(super) timing: WriterTiming,
    pub(super) medium: Box<dyn Medium>,
    pub(super) queue: Arc<Queue>,
    pub(super) database: Arc<LiveDatabase>,
    pub(super) snapshots: Arc<Snapshots>,
    pub(super) counters: Arc<Counters>,
    pub(super) functions: IndexFunctions,
    pub(super) progress: Arc<BuildProgress>,
    pub(super) health: Arc<Health>,
    pub(super) on_commit: OnCommit,
}

impl Writer {
    /// A writer that continues after the commit with `state` and `catalog`.
    pub(super) fn new(parts: WriterParts, state: StoredState, catalog: Arc<Catalog>) -> Self {
        let WriterParts {
            timing,
            medium,
            queue,
            database,
            snapshots,
            counters,
            functions,
            progress,
            health,
            on_commit,
        } = parts;
        Self {
            timing,
            queue,
            functions,
            builder: IndexBuilder::new(progress),
            committed: Committed::new(
                state,
                catalog,
                Arc::clone(&snapshots),
                Arc::clone(&counters),
                on_commit,
            ),
            snapshots,
            compactor: Compactor::new(timing),
            counters: Arc::clone(&counters),
            recovery: Recovery::new(timing, Arc::clone(&database), medium, counters, health),
            database,
            closing: false,
        }
    }

    /// Starts the writer thread.
    pub(super) fn spawn(self) -> io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(|| self.run())
    }

    /// Runs until the queue is closed and empty.
    fn run(mut self) {
        loop {
            match self.queue.wait(self.deadline()) {
                Wake::Work => {
                    self.tend();
                    self.process_group();
                }
                Wake::Deadline => {
                    self.tend();
                    if self.is_sync_due() {
                        self.process_group();
                    }
                    self.start_copy();
                }
                Wake::Failed(failure)
                    if failure.generation == self.database.generation()
                        && (failure.is_certain || !self.database.answers()) =>
                {
                    log::warn!("a read from the database file failed; reopening the file");
                    self.recovery.reopen(&mut self.committed);
                }
                Wake::Copied(copied) => self.finish_copy(copied),
                // The database has already been reopened since the read failed, or other reads succeed.
                Wake::Failed(_) => {}
                Wake::Close => return self.close(),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let sync = self.sync_at();
        let tend = self.recovery.tend_at();
        let copy = self.compactor.due();
        [sync, tend, copy].into_iter().flatten().min()
    }

    /// The time at which soft commits must be synced, or the file reopened.
    fn sync_at(&self) -> Option<Instant> {
        let sync = self.committed.sync_deadline(self.timing.soft_delay);
        let build = self.builder.due(&self.committed.catalog, &self.functions);
        // During a pause nothing can be written: wake up when it ends, to sync soft commits, to reopen the file, or to
        // continue a build.
        match self.recovery.paused_until() {
            Some(until) if sync.is_some() || build.is_some() || !self.database.is_open() => {
                Some(until)
            }
            _ => [sync, build].into_iter().flatten().min(),
        }
    }

    fn is_sync_due(&self) -> bool {
        self.sync_at().is_some_and(|at| Instant::now() >= at)
    }

    fn tend(&mut self) {
        let is_due = |at: Instant| Instant::now() >= at;
        // A pause that has ended with soft commits to sync is left to their commit.
        if self.recovery.tend_at().is_some_and(is_due) && !self.is_sync_due() {
            self.recovery.tend();
        }
    }

    /// Runs and commits the queued operations, as many as fit into one group, and answers them.
    fn process_group(&mut self) {
        self.builder.pause();
        let mut requests = Vec::new();
        let result = self
            .recovery
            .admit(&mut self.committed, self.closing)
            .and_then(|()| self.try_commit_group(&mut requests));
        // Nothing can be written now: the queued operations fail without running.
        if requests.is_empty() && result.is_err() {
            requests.extend(std::iter::from_fn(|| self.queue.pop()));
        }
        // Only after the commit: an answer acknowledges the write.
        for request in requests {
            request.operation.answer(result.clone());
        }
    }

    /// [`Writer::commit_group`], of which redb can make a panic on a damaged file.
    fn try_commit_group(&mut self, requests: &mut Vec<Request>) -> Result<(), ReqlError> {
        let mut result = Err(panicked());
        let committed = catch(|| {
            result = self.commit_group(requests);
            Ok(())
        });
        match committed {
            Ok(()) => result,
            Err(error) => Err(self.fail_group(explain(error))),
        }
    }

    fn commit_group(&mut self, requests: &mut Vec<Request>) -> Result<(), ReqlError> {
        let mut transaction = match self.begin() {
            Ok(transaction) => transaction,
            Err(error) => return Err(self.fail_group(explain(error))),
        };
        let outcome = match self.run_operations(&transaction, requests) {
            Ok(outcome) => outcome,
            Err(reason) => {
                // Dropped before the file is reopened, because the transaction keeps the database open.
                discard(transaction);
                return Err(self.fail_group(reason));
            }
        };
        let commit = self.committed.plan(outcome, self.must_sync(requests));
        let changed = self.committed.is_changed_by(&commit);
        // Operations that only read, or `sync` without soft commits.
        if !changed && !commit.durable {
            return transaction
                .abort()
                .map_err(|error| self.fail_group(explain(error)));
        }
        if let Err(error) = prepare(&mut transaction, &commit, changed) {
            discard(transaction);
            return Err(self.fail_group(explain(error)));
        }
        let start = Instant::now();
        match catch(|| Ok(transaction.commit()?)) {
            Ok(()) => {
                self.counters
                    .add_commit_time(start.elapsed(), commit.durable);
                if commit.durable {
                    self.recovery.end_backoff();
                }
                let Outcome { added, removed, .. } = commit.outcome;
                self.recovery.count_blobs(added, removed);
                self.compactor
                    .record(&commit.outcome.redo, removed, commit.catalog_changed);
                self.committed.publish(commit);
                Ok(())
            }
            Err(error) => {
                self.builder.restart();
                self.recovery
                    .fail_commit(&mut self.committed, explain(error), commit)
            }
        }
    }

    fn fail_group(&mut self, reason: ReqlError) -> ReqlError {
        self.builder.restart();
        self.recovery.fail_group(&mut self.committed, reason)
    }

    fn begin(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        // Costs a second fsync and about 100 KiB per GiB of file in each durable commit, but saves reading the whole
        // file (seconds per GiB) after a crash.
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// Runs queued operations and moves them to `requests`, and then a step of an index build. On an error the whole
    /// group fails.
    fn run_operations(
        &mut self,
        transaction: &WriteTransaction,
        requests: &mut Vec<Request>,
    ) -> Result<Outcome, ReqlError> {
        let mut batch = Batch::new(
            WriteTables::new(transaction),
            &self.snapshots,
            &self.functions,
            Arc::clone(&self.committed.catalog),
            self.committed.state.next_blob,
        );
        while requests.len() < GROUP_OPERATIONS
            && batch.bytes() < GROUP_BYTES
            && batch.error().is_none()
        {
            let Some(request) = self.queue.pop() else {
                break;
            };
            // Moved before it runs, so that it is answered even after a panic.
            requests.push(request);
            let operation = requests.last_mut().map(|request| &mut request.operation);
            // The operation catches its own panics. This catches panics of redb while it is completed or undone.
            let completed = catch_unwind(AssertUnwindSafe(|| {
                batch.begin_operation();
                let is_accepted = operation.is_some_and(|operation| {
                    if !operation.run(&mut batch) {
                        return false;
                    }
                    let admitted = self.recovery.admit_blobs(batch.operation_blob_bytes());
                    let is_admitted = admitted.is_ok();
                    admitted.unwrap_or_else(|reason| operation.fail(reason));
                    is_admitted
                });
                if is_accepted {
                    batch.accept();
                } else {
                    batch.reject();
                }
            }));
            completed.map_err(|_| panicked())?;
        }
        if batch.error().is_none() {
            let step = AssertUnwindSafe(|| self.builder.step(&mut batch, &self.functions));
            catch_unwind(step).map_err(|_| panicked())?;
        }
        match batch.error() {
            Some(reason) => Err(reason.clone()),
            None => Ok(batch.finish()),
        }
    }

    /// Returns `true` if the next commit must be durable.
    fn must_sync(&self, requests: &[Request]) -> bool {
        let overdue = self
            .committed
            .sync_deadline(self.timing.soft_delay)
            .is_some_and(|deadline| Instant::now() >= deadline);
        overdue
            || self.closing
            // A durable commit shows that the disk works again, and ends the pauses.
            || self.recovery.paused_until().is_some()
            || requests
                .iter()
                .any(|request| request.durability == Durability::Hard)
    }

    fn close(&mut self) {
        self.closing = true;
        self.compactor.abort();
        if !self.committed.journal.is_empty() {
            self.process_group();
        }
        if !self.committed.journal.is_empty() {
            log::error!("the last soft writes could not be written to the disk and are lost");
        }
        self.database.close();
    }
}

impl Drop for Writer {
    /// Answers the queued operations, even if the thread ends with a panic.
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

/// Writes the meta table and sets the durability of the transaction.
fn prepare(
    transaction: &mut WriteTransaction,
    commit: &PendingCommit,
    changed: bool,
) -> Result<(), redb::Error> {
    if changed {
        let mut meta = transaction.open_table(META)?;
        let catalog = commit.catalog_changed.then_some(&*commit.outcome.catalog);
        layout::write_meta(&mut meta, commit.state, catalog)?;
    }
    // redb's default is durable.
    if !commit.durable {
        transaction.set_durability(redb::Durability::None)?;
    }
    Ok(())
}
