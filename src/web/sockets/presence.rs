//! How many socket sessions this server has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// The shortest time between two counts that are told: with a thousand viewers, each coming and going would otherwise
/// cost a thousand messages.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts sessions, and tells the count to all of them at most once a second.
pub(crate) struct Presence {
    shared: Arc<Shared>,
}

struct Shared {
    count: AtomicUsize,
    changed: Notify,
    told: watch::Sender<usize>,
}

/// A session that is there until this is dropped.
pub(crate) struct Present {
    shared: Arc<Shared>,
    told: watch::Receiver<usize>,
}

impl Presence {
    pub(crate) fn new() -> Self {
        let shared = Shared {
            count: AtomicUsize::new(0),
            changed: Notify::new(),
            told: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// One more session.
    pub(crate) fn enter(&self) -> Present {
        let told = self.shared.told.subscribe();
        self.shared.count.fetch_add(1, Ordering::Relaxed);
        self.shared.changed.notify_one();
        Present {
            shared: self.shared.clone(),
            told,
        }
    }

    /// Tells the count whenever it changed, for ever.
    pub(crate) fn tell(&self) -> impl Future<Output = ()> + Send + use<> {
        self.tell_at_most_every(INTERVAL)
    }

    fn tell_at_most_every(&self, interval: Duration) -> impl Future<Output = ()> + Send + use<> {
        let shared = self.shared.clone();
        async move {
            loop {
                shared.changed.notified().await;
                shared
                    .told
                    .send_replace(shared.count.load(Ordering::Relaxed));
                tokio::time::sleep(interval).await;
            }
        }
    }
}

impl Present {
    /// Waits for the next count. Cancellation safe.
    pub(crate) async fn count(&mut self) -> usize {
        if self.told.changed().await.is_err() {
            // The sender lives as long as `shared`.
            std::future::pending::<()>().await;
        }
        *self.told.borrow_and_update()
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.shared.count.fetch_sub(1, Ordering::Relaxed);
        self.shared.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_count_is_told_at_most_once_in_an_interval() {
        let interval = Duration::from_millis(50);
        let presence = Presence::new();
        tokio::spawn(presence.tell_at_most_every(interval));
        let start = tokio::time::Instant::now();
        let mut first = presence.enter();
        assert_eq!(first.count().await, 1);
        let others: Vec<Present> = (0..9).map(|_| presence.enter()).collect();
        assert_eq!(first.count().await, 10);
        drop(others);
        assert_eq!(first.count().await, 1);
        assert!(start.elapsed() >= 2 * interval);
    }
}
