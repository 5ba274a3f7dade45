//! Recovery from disk errors: reopens the file, and lets writes resume as soon as the disk works.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::committed::{Committed, PendingCommit};
use super::timing::WriterTiming;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::database::LiveDatabase;
use crate::engine::storage::failure::{disk_full, explain, is_full, shutting_down};
use crate::engine::storage::health::{DiskState, Health};
use crate::engine::storage::layout::StoredState;
use crate::engine::storage::medium::Medium;
use crate::engine::storage::open;
use crate::engine::storage::overlay::ReadOnlyMedium;
use crate::engine::storage::stats::Counters;

/// The bytes that an image needs in the file besides its own, for the pages of the trees.
const SPACE_MARGIN: usize = 256 * 1024;

/// The state of the disk as seen by the writer, and the means to reopen the file.
pub(super) struct Recovery {
    timing: WriterTiming,
    database: Arc<LiveDatabase>,
    medium: Box<dyn Medium>,
    counters: Arc<Counters>,
    health: Arc<Health>,
    /// The time of the next step to keep space back; `None` if that is complete.
    reserve_due: Option<Instant>,
    /// The known space on a full disk; `None` if the disk is not full.
    full: Option<FullDisk>,
    /// Set from the first failure until the next durable commit.
    backoff: Option<Backoff>,
    /// A commit that returned an error. The reopened file shows its outcome.
    undecided: Option<PendingCommit>,
}

/// A disk that is full: only small writes are admitted, so that they have the space that was kept back.
#[derive(Default)]
struct FullDisk {
    /// The bytes that became free in the file, less those that were written since.
    free: usize,
}

/// A pause after a disk failure.
struct Backoff {
    reason: ReqlError,
    pause: Duration,
    until: Instant,
    /// The time to find out if the disk works, even if nothing is to be written.
    probe_at: Instant,
}

impl Recovery {
    pub(super) fn new(
        timing: WriterTiming,
        database: Arc<LiveDatabase>,
        medium: Box<dyn Medium>,
        counters: Arc<Counters>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            timing,
            database,
            medium,
            counters,
            health,
            reserve_due: Some(Instant::now() + timing.reserve_delay),
            full: None,
            backoff: None,
            undecided: None,
        }
    }

    /// The medium of the file.
    pub(super) fn medium(&self) -> &dyn Medium {
        &*self.medium
    }

    /// Returns `true` if the disk works and has space.
    pub(super) fn is_healthy(&self) -> bool {
        self.full.is_none() && self.backoff.is_none() && self.database.is_open()
    }

    /// The end of the pause after the last failure; `None` if the disk has recovered since.
    pub(super) fn paused_until(&self) -> Option<Instant> {
        self.backoff.as_ref().map(|backoff| backoff.until)
    }

    /// Records that the disk works.
    pub(super) fn end_backoff(&mut self) {
        if self.backoff.take().is_some() && self.full.is_none() {
            self.health.set(DiskState::Works);
        }
    }

    /// The time of the next [`Recovery::tend`].
    pub(super) fn tend_at(&self) -> Option<Instant> {
        let probe = self.backoff.as_ref().map(|backoff| backoff.probe_at);
        [self.reserve_due, probe].into_iter().flatten().min()
    }

    /// Keeps space back, and finds out if a disk that was full or failed works again.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        if self.reserve_due.is_some_and(|due| now >= due) {
            self.reserve_due = match self.medium.grow_reserve(self.full.is_some()) {
                Ok(true) => {
                    self.end_full();
                    None
                }
                Ok(false) => Some(now + self.timing.reserve_step),
                Err(error) => {
                    if is_full(&error) {
                        self.begin_full();
                    }
                    Some(now + self.timing.reserve_retry)
                }
            };
        }
        let pause = self.timing.max_pause;
        if let Some(backoff) = &mut self.backoff
            && now >= backoff.probe_at
        {
            // Nothing may be waiting to be written, which would show it.
            if self.medium.probe().is_ok() && self.database.is_open() {
                log::info!("the disk of the database can be written again");
                self.end_backoff();
            } else {
                backoff.probe_at = now + pause;
            }
        }
    }

    /// Decides about a write that adds `bytes` of images.
    ///
    /// # Errors
    /// If the disk is full, unless as much has become free in the file.
    pub(super) fn admit_blobs(&self, bytes: usize) -> Result<(), ReqlError> {
        match &self.full {
            // With a margin for pages that are not full.
            Some(full) if bytes > 0 && bytes + bytes / 4 + SPACE_MARGIN > full.free => {
                Err(disk_full())
            }
            _ => Ok(()),
        }
    }

    /// Records the bytes of images that a commit has added and removed.
    pub(super) fn count_blobs(&mut self, added: usize, removed: usize) {
        if let Some(full) = &mut self.full {
            full.free = (full.free + removed).saturating_sub(added + added / 4);
        }
    }

    fn begin_full(&mut self) {
        if self.full.is_none() {
            log::error!(
                "the disk of the database is full: images are refused until there is space"
            );
            self.full = Some(FullDisk::default());
            self.health.set(DiskState::Full);
        }
    }

    fn end_full(&mut self) {
        if self.full.take().is_some() {
            log::info!("the disk of the database has space again");
            self.health.set(DiskState::Works);
        }
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
        if self.database.is_open() {
            return Ok(());
        }
        // To reopen the file interrupts those who read it.
        if self.database.is_read_only()
            && let Err(error) = self.medium.probe()
        {
            let reason = explain(redb::Error::Io(error));
            self.back_off(reason.clone());
            return Err(reason);
        }
        if self.reopen(committed) {
            return Ok(());
        }
        Err(match &self.backoff {
            Some(backoff) => backoff.reason.clone(),
            None if self.full.is_some() => disk_full(),
            None => shutting_down(),
        })
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
        if reason == disk_full() {
            let is_released = self.medium.release_reserve();
            if is_released {
                self.begin_full();
                self.reserve_due = Some(Instant::now() + self.timing.reserve_retry);
                // The next write has the space that was kept back.
                self.backoff = None;
                return;
            }
            self.health.set(DiskState::Full);
        } else {
            self.health.set(DiskState::Failed(reason.message.clone()));
        }
        let pause = self
            .backoff
            .as_ref()
            .map_or(self.timing.first_pause, |backoff| {
                self.timing.max_pause.min(backoff.pause * 2)
            });
        log::error!("cannot write to the database file, next attempt in {pause:?}: {reason}");
        let until = Instant::now() + pause;
        self.backoff = Some(Backoff {
            reason,
            pause,
            until,
            probe_at: until,
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
                self.open_for_reading(committed);
                false
            }
        }
    }

    /// Opens the file for reading if its disk is read-only.
    fn open_for_reading(&self, committed: &Committed) {
        let Some(path) = self.medium.read_only_path() else {
            return;
        };
        let medium = ReadOnlyMedium::of(path.to_owned());
        // Not with a commit whose outcome is unknown: the disk may forget it.
        let known = committed.state.seq..=committed.state.seq;
        match open::reopen(&medium, &committed.journal, known) {
            Ok((database, _)) => {
                self.database.set_read_only(database);
                committed.invalidate_snapshots();
                log::warn!(
                    "the disk of the database is read-only: photos are shown, and nothing can be changed"
                );
            }
            Err(error) => log::error!("the database file cannot be read either: {error}"),
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
