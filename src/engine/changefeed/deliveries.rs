//! Counts the changes that feeds take from their queues.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::queue::Pending;

/// The totals taken from the queues of all feeds since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The number of changes.
    pub(crate) changes: u64,
    /// The times from their commits until they were taken, added up.
    pub(crate) delay: Duration,
    /// The number of changes that were lost because a client was too slow.
    pub(crate) skipped: u64,
}

/// The counters behind [`Delivered`].
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    changes: AtomicU64,
    delay_micros: AtomicU64,
    skipped: AtomicU64,
}

impl Deliveries {
    pub(super) fn count(&self, pending: &Pending) {
        match pending {
            Pending::Items(items) => {
                let delay: Duration = items.iter().map(|item| item.age()).sum();
                let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
                self.changes
                    .fetch_add(items.len() as u64, Ordering::Relaxed);
                self.delay_micros.fetch_add(micros, Ordering::Relaxed);
            }
            Pending::Skipped(count) => {
                self.skipped.fetch_add(*count as u64, Ordering::Relaxed);
            }
            Pending::Ended => {}
        }
    }

    pub(super) fn totals(&self) -> Delivered {
        Delivered {
            changes: self.changes.load(Ordering::Relaxed),
            delay: Duration::from_micros(self.delay_micros.load(Ordering::Relaxed)),
            skipped: self.skipped.load(Ordering::Relaxed),
        }
    }
}
