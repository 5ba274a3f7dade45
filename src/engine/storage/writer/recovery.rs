//! Recovery from disk errors: reopens the file, and lets writes resume as soon as the disk works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::committed::{Committed, PendingCommit};
use super::timing::WriterTiming;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::database::LiveDatabase;
use crate::engine::storage::failure::shutting_down;
use crate::engine::storage::layout::StoredState;
use crate::engine::storage::medium::Medium;
use crate::engine::storage::open;
use crate::engine::storage::stats::Counters;

/// The state of the disk as seen by the writer, and the means to reopen the file.
pub(super) struct Recovery {
    timing: WriterTiming,
    database: Arc<LiveDatabase>,
    medium: Box<dyn Medium>,
    counters: Arc<Counters>,
    /// Set from the first failure until the next durable commit.
    backoff: Option<Backoff>,
    /// A commit that returned an error. The reopened file shows its outcome.
    undecided: Option<PendingCommit>,
}

/// A pause after a disk failure.
struct Backoff {
    reason: ReqlError,
    pause: Duration,
    until: Instant,
}

impl Recovery {
    pub(super) fn new(
        timing: WriterTiming,
        database: Arc<LiveDatabase>,
        medium: Box<dyn Medium>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            timing,
            database,
            medium,
            counters,
            backoff: None,
            undecided: None,
        }
    }

    /// The end of the pause after the last failure; `None` if the disk has recovered since.
    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.backoff.as_ref().map(|backoff| backoff.until)
    }

    /// Records that the disk works.
    pub(super) fn end_backoff(&mut self) {
        self.backoff = None;
    }

    /// Prepares for a write, reopening the file if necessary. When `closing`, this is the last attempt, so it ignores
    /// the pause and a missing file.
    ///
    /// # Errors
    /// The reason why nothing can be written now.
    pub(super) fn admit(
        &mut self,
        committed: &mut Committed,
        closing: bool,
    ) -> Result<(), ReqlError> {
        if let Some(backoff) = &self.backoff
            && Instant::now() < backoff.until
            && !closing
        {
            return Err(backoff.reason.clone());
        }
        if !self.medium.is_in_place() && !closing {
            return Err(ReqlError::op_failed(
                "The database file was removed or replaced, so that nothing can be stored. Restore the data folder, or \
                 restart the server.",
            ));
        }
        if self.database.is_open() || self.reopen(committed) {
            return Ok(());
        }
        Err(self
            .backoff
            .as_ref()
            .map_or_else(shutting_down, |backoff| backoff.reason.clone()))
    }

    /// Handles an error before the commit: nothing of the group was written. Returns the error.
    pub(super) fn fail_group(&mut self, committed: &mut Committed, reason: ReqlError) -> ReqlError {
        self.back_off(reason.clone());
        self.reopen(committed);
        reason
    }

    /// Handles an error of the commit itself. The commit may have succeeded nevertheless; the reopened file shows it.
    ///
    /// # Errors
    /// `reason` if the commit is not in the file, `OpIndeterminate` if the file cannot be read.
    pub(super) fn fail_commit(
        &mut self,
        committed: &mut Committed,
        reason: ReqlError,
        commit: PendingCommit,
    ) -> Result<(), ReqlError> {
        let seq = commit.state.seq;
        let durable = commit.durable;
        self.back_off(reason.clone());
        self.undecided = Some(commit);
        if self.reopen(committed) {
            // `adopt` has published the commit if it is in the file.
            return if committed.state.seq >= seq {
                Ok(())
            } else {
                Err(reason)
            };
        }
        // A soft commit was only in the memory of the dropped database, so it is certainly lost.
        if !durable {
            self.undecided = None;
            return Err(reason);
        }
        let message = format!(
            "{} It is unknown whether the write took place.",
            reason.message
        );
        Err(ReqlError::new(ErrorKind::OpIndeterminate, message))
    }

    fn back_off(&mut self, reason: ReqlError) {
        let pause = self
            .backoff
            .as_ref()
            .map_or(self.timing.first_pause, |backoff| {
                self.timing.max_pause.min(backoff.pause * 2)
            });
        log::error!("cannot write to the database file, next attempt in {pause:?}: {reason}");
        self.backoff = Some(Backoff {
            reason,
            pause,
            until: Instant::now() + pause,
        });
    }

    /// Closes and reopens the file, because redb refuses all work after a disk error. Existing snapshots can no longer
    /// be read. Soft commits that are not on disk are applied again. Returns `true` on success.
    pub(super) fn reopen(&mut self, committed: &mut Committed) -> bool {
        self.counters.count_reopening();
        // The undecided commit may be in the file, too.
        let newest = self
            .undecided
            .as_ref()
            .map_or(committed.state.seq, |commit| commit.state.seq);
        let known = committed.state.seq..=newest;
        let opened = self
            .database
            .reopen(|| open::reopen(&*self.medium, &committed.journal, known));
        match opened {
            Ok(disk) => {
                committed.invalidate_snapshots();
                self.adopt(committed, disk);
                true
            }
            Err(reason) => {
                self.back_off(reason);
                false
            }
        }
    }

    /// Settles the undecided commit and the journal according to the state found on disk.
    fn adopt(&mut self, committed: &mut Committed, disk: StoredState) {
        if let Some(commit) = self.undecided.take()
            && disk.seq >= commit.state.seq
        {
            // The commit succeeded in spite of its error.
            if commit.durable {
                self.end_backoff();
            }
            committed.publish(commit);
        } else if disk.seq >= committed.state.seq {
            // All acknowledged commits are on disk, so the journal is not needed.
            committed.forget_unsynced();
        }
    }
}
