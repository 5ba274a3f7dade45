//! The commits of the writer: planned, published, and kept until they are on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::storage::batch::Outcome;
use crate::engine::storage::catalog::Catalog;
use crate::engine::storage::commit::{Commit, OnCommit};
use crate::engine::storage::journal::{Journal, JournalEntry};
use crate::engine::storage::layout::StoredState;
use crate::engine::storage::snapshots::Snapshots;
use crate::engine::storage::stats::Counters;

/// The size of the soft writes that may wait for a sync. It bounds the memory of the journal.
const JOURNAL_BYTES: usize = 8 * 1024 * 1024;

/// The database as of the last commit.
pub(super) struct Committed {
    pub(super) state: StoredState,
    pub(super) catalog: Arc<Catalog>,
    /// The soft commits that are not on disk yet.
    pub(super) journal: Journal,
    /// The time of the first soft commit that is not on disk yet.
    unsynced_since: Option<Instant>,
    snapshots: Arc<Snapshots>,
    counters: Arc<Counters>,
    on_commit: OnCommit,
}

/// A commit that has not happened yet, or with an unknown outcome.
pub(super) struct PendingCommit {
    pub(super) state: StoredState,
    pub(super) outcome: Outcome,
    pub(super) catalog_changed: bool,
    /// `true` if it is synced to the disk, together with all earlier soft commits.
    pub(super) durable: bool,
}

impl Committed {
    pub(super) fn new(
        state: StoredState,
        catalog: Arc<Catalog>,
        snapshots: Arc<Snapshots>,
        counters: Arc<Counters>,
        on_commit: OnCommit,
    ) -> Self {
        Self {
            state,
            catalog,
            journal: Journal::default(),
            unsynced_since: None,
            snapshots,
            counters,
            on_commit,
        }
    }

    /// The time at which the oldest soft commit has waited for `soft_delay`; `None` if all commits are on disk.
    pub(super) fn sync_deadline(&self, soft_delay: Duration) -> Option<Instant> {
        self.unsynced_since.map(|since| since + soft_delay)
    }

    /// Plans the commit of a batch. It is durable if `sync` is set or the journal would become too large, unless there
    /// is nothing to sync.
    pub(super) fn plan(&self, outcome: Outcome, sync: bool) -> PendingCommit {
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
        let sync = sync || self.journal.bytes() + outcome.bytes > JOURNAL_BYTES;
        let durable = sync && (changed || !self.journal.is_empty());
        PendingCommit {
            state,
            outcome,
            catalog_changed,
            durable,
        }
    }

    /// Returns `true` if the commit changes anything. One that does not may still be needed to sync earlier commits.
    pub(super) fn is_changed_by(&self, commit: &PendingCommit) -> bool {
        commit.state != self.state
    }

    /// Records and reports a commit that has succeeded.
    pub(super) fn publish(&mut self, commit: PendingCommit) {
        let changed = self.is_changed_by(&commit);
        let PendingCommit {
            state,
            outcome,
            catalog_changed,
            durable,
        } = commit;
        self.state = state;
        self.catalog = Arc::clone(&outcome.catalog);
        self.counters.count_commit();
        if durable {
            self.counters.count_durable_commit(state.seq);
            self.forget_unsynced();
        } else {
            let catalog = catalog_changed.then(|| Arc::clone(&outcome.catalog));
            self.journal.push(JournalEntry {
                state,
                redo: outcome.redo,
                catalog,
                bytes: outcome.bytes,
            });
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
        // Before the report, so that a reader that has been notified sees the commit.
        self.snapshots.invalidate();
        if changed {
            self.report(Commit {
                seq: state.seq,
                changes: outcome.changes,
                dropped_tables: outcome.dropped,
                catalog: outcome.catalog,
                catalog_changed,
            });
        }
    }

    /// Records that all commits are on disk.
    pub(super) fn forget_unsynced(&mut self) {
        self.journal.clear();
        self.unsynced_since = None;
    }

    /// Makes readers use the database that has just been opened.
    pub(super) fn invalidate_snapshots(&self) {
        self.snapshots.invalidate();
    }

    fn report(&self, commit: Commit) {
        let seq = commit.seq;
        // The commit has happened: a panic of the handler must not end the writer.
        if catch_unwind(AssertUnwindSafe(|| (self.on_commit)(commit))).is_err() {
            log::error!("the handler of commit {seq} panicked");
        }
    }
}
