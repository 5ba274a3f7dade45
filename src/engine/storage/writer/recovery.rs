//! What the writer does about a disk that fails: it opens the file again and goes on as soon as the disk allows it.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::{Done, Trouble, Writer};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::layout::State;
use crate::engine::storage::shared::{Counters, Live, closed};

impl Writer {
    /// Whether writing can be tried now.
    pub(super) fn admit(&mut self) -> Result<(), ReqlError> {
        match &self.trouble {
            Some(trouble) if Instant::now() < trouble.until && !self.closing => {
                return Err(trouble.reason.clone());
            }
            _ => {}
        }
        if !self.medium.is_in_place() && !self.closing {
            return Err(ReqlError::op_failed(
                "The database's file was removed or replaced, so nothing can be stored. Put the data folder back, or \
                 start the server anew.",
            ));
        }
        if self.is_open() || self.reopen() {
            return Ok(());
        }
        Err(self
            .trouble
            .as_ref()
            .map_or_else(closed, |trouble| trouble.reason.clone()))
    }

    /// The group is lost, and nothing of it was written.
    pub(super) fn give_up(&mut self, reason: ReqlError) -> ReqlError {
        self.worry(reason.clone());
        self.reopen();
        reason
    }

    /// A commit failed. The file tells whether it took place all the same.
    pub(super) fn half_way(&mut self, reason: ReqlError, done: Done) -> Result<(), ReqlError> {
        let seq = done.state.seq;
        let only_in_memory = !done.durable;
        self.worry(reason.clone());
        self.limbo = Some(done);
        if self.reopen() {
            return if self.state.seq >= seq {
                Ok(())
            } else {
                Err(reason)
            };
        }
        if only_in_memory {
            self.limbo = None;
            return Err(reason);
        }
        let message = format!(
            "{} It is unknown whether the write took place.",
            reason.message
        );
        Err(ReqlError::new(ErrorKind::OpIndeterminate, message))
    }

    pub(super) fn worry(&mut self, reason: ReqlError) {
        let pause = self
            .trouble
            .as_ref()
            .map_or(self.pace.first_pause, |trouble| {
                self.pace.last_pause.min(trouble.pause * 2)
            });
        log::error!("writing to the database file failed, trying again in {pause:?}: {reason}");
        self.trouble = Some(Trouble {
            reason,
            pause,
            until: Instant::now() + pause,
        });
    }

    pub(super) fn is_open(&self) -> bool {
        let live = self
            .shared
            .live
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        matches!(&*live, Live::Open { .. })
    }

    /// Closes the file and opens it again: redb refuses all work after an error of the disk. Snapshots of before can
    /// read no more then. What was acknowledged and is not on disk is written again.
    pub(super) fn reopen(&mut self) -> bool {
        self.generation += 1;
        let shared = Arc::clone(&self.shared);
        Counters::count(&shared.counters.reopened);
        let mut live = shared.live.write().unwrap_or_else(PoisonError::into_inner);
        let waiting = ReqlError::op_failed("The database is recovering from an error of its disk.");
        // Drops the database, which gives the lock on the file back, whoever still has snapshots of it.
        *live = Live::Failed(waiting);
        let newest = self
            .limbo
            .as_ref()
            .map_or(self.state.seq, |limbo| limbo.state.seq);
        let opened = self.medium.reopen(&self.journal, self.state.seq..=newest);
        match opened {
            Ok((database, disk)) => {
                *live = Live::Open {
                    database,
                    generation: self.generation,
                };
                drop(live);
                shared.forget_snapshot();
                self.adopt(disk);
                true
            }
            Err(reason) => {
                *live = Live::Failed(reason.clone());
                drop(live);
                self.worry(reason);
                false
            }
        }
    }

    /// Compares what is on disk with what was being done.
    pub(super) fn adopt(&mut self, disk: State) {
        if let Some(limbo) = self.limbo.take()
            && disk.seq >= limbo.state.seq
        {
            self.publish(limbo);
        } else if disk.seq >= self.state.seq {
            self.journal.clear();
            self.unsynced_since = None;
        }
    }
}
