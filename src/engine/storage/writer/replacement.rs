//! The replacement of the database file by a compact copy, as the writer sees it.

use std::time::{Duration, Instant};

use redb::Database;

use super::Writer;
use super::queue::Copied;
use crate::engine::storage::copy::{Changed, CopyError, catch_up};

impl Writer {
    /// Starts to copy the file if it may take up more space than it needs.
    pub(super) fn start_copy(&mut self) {
        let is_due = |due| Instant::now() >= due;
        if !self.compactor.due().is_some_and(is_due) {
            return;
        }
        if !self.recovery.is_healthy() {
            return self.compactor.postpone();
        }
        match self.snapshots.latest() {
            Ok(snapshot) => {
                let generation = self.database.generation();
                let medium = self.recovery.medium();
                self.compactor
                    .start(snapshot, generation, medium, &self.queue);
            }
            Err(_) => self.compactor.postpone(),
        }
    }

    /// Goes on with a copy: replaces the file if little has been written since, or copies that first.
    pub(super) fn finish_copy(&mut self, copied: Copied) {
        let generation = self.database.generation();
        let finished = self.compactor.finished(generation);
        let done = match (copied, finished) {
            (Copied::Done(copy), Some(finished)) => Some((copy, finished)),
            (Copied::NotNeeded, _) => return,
            (Copied::Failed(error), Some(_)) => {
                log::warn!("the database file could not be compacted: {error}");
                None
            }
            (Copied::Done(_) | Copied::Failed(_), _) => None,
        };
        let replaced = done.map_or(Ok(()), |(copy, finished)| {
            if finished.0.is_small() {
                return self.replace_file(copy, &finished);
            }
            let snapshot = self.snapshots.latest()?;
            self.compactor
                .resume(snapshot, generation, copy, finished, &self.queue);
            Ok(())
        });
        if let Err(error) = replaced {
            log::warn!("the database file could not be compacted: {error}");
        }
        if !self.compactor.is_running() {
            self.recovery.medium().discard_copy();
        }
    }

    /// Copies what has been written last, and replaces the file with the copy.
    fn replace_file(
        &mut self,
        copy: Database,
        (changed, took): &(Changed, Duration),
    ) -> Result<(), CopyError> {
        let start = Instant::now();
        let medium = self.recovery.medium();
        let before = medium.allocated_bytes().unwrap_or_default();
        catch_up(&*self.snapshots.latest()?, changed, &copy)?;
        medium
            .install_copy()
            .map_err(|error| CopyError::Redb(redb::Error::Io(error)))?;
        let after = medium.allocated_bytes().unwrap_or_default();
        self.database.replace(copy);
        // The copy holds the soft writes, too, and is on disk.
        self.committed.forget_unsynced();
        self.counters.count_durable_commit(self.committed.state.seq);
        self.snapshots.invalidate();
        log::info!(
            "compacted the database file from {before} to {after} bytes in {took:?}, writes waited for {:?}",
            start.elapsed()
        );
        Ok(())
    }
}
