//! Counters of the storage's work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Work done since the storage was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The number of commits, each of one or more operations.
    pub commits: u64,
    /// The number of commits that were synced to the disk.
    pub durable_commits: u64,
    /// The time that all commits took, without the operations in them.
    pub commit_time: Duration,
    /// The part of it for commits that were synced.
    pub durable_commit_time: Duration,
    /// The number of the last commit that is on disk.
    pub durable_seq: u64,
    /// The number of attempts to reopen the database file after a disk error.
    pub reopened: u64,
}

/// The counters behind [`Stats`], written by the writer thread.
pub(super) struct Counters {
    commits: AtomicU64,
    durable_commits: AtomicU64,
    commit_micros: AtomicU64,
    durable_commit_micros: AtomicU64,
    durable_seq: AtomicU64,
    reopened: AtomicU64,
}

impl Counters {
    /// Counters of a database whose last commit on disk is `durable_seq`.
    pub(super) fn new(durable_seq: u64) -> Self {
        Self {
            commits: AtomicU64::new(0),
            durable_commits: AtomicU64::new(0),
            commit_micros: AtomicU64::new(0),
            durable_commit_micros: AtomicU64::new(0),
            durable_seq: AtomicU64::new(durable_seq),
            reopened: AtomicU64::new(0),
        }
    }

    pub(super) fn count_commit(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_durable_commit(&self, seq: u64) {
        self.durable_commits.fetch_add(1, Ordering::Relaxed);
        self.durable_seq.store(seq, Ordering::Release);
    }

    /// Adds the time that a commit took.
    pub(super) fn add_commit_time(&self, time: Duration, is_durable: bool) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.commit_micros.fetch_add(micros, Ordering::Relaxed);
        if is_durable {
            self.durable_commit_micros
                .fetch_add(micros, Ordering::Relaxed);
        }
    }

    pub(super) fn count_reopening(&self) {
        self.reopened.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            commits: self.commits.load(Ordering::Relaxed),
            durable_commits: self.durable_commits.load(Ordering::Relaxed),
            commit_time: Duration::from_micros(self.commit_micros.load(Ordering::Relaxed)),
            durable_commit_time: Duration::from_micros(
                self.durable_commit_micros.load(Ordering::Relaxed),
            ),
            durable_seq: self.durable_seq.load(Ordering::Acquire),
            reopened: self.reopened.load(Ordering::Relaxed),
        }
    }
}
