//! The number of viewers on this server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// The shortest time between two published counts. Without it, each of a thousand viewers that connects would cost a
/// thousand messages.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts the sessions and publishes the count to all of them at most once a second.
pub(crate) struct Presence {
    counter: Arc<Counter>,
}

struct Counter {
    count: AtomicUsize,
    changed: Notify,
    published: watch::Sender<usize>,
}

/// The membership of a session, until it is dropped.
pub(crate) struct PresenceGuard {
    counter: Arc<Counter>,
    published: watch::Receiver<usize>,
}

impl Presence {
    pub(crate) fn new() -> Self {
        let counter = Counter {
            count: AtomicUsize::new(0),
            changed: Notify::new(),
            published: watch::Sender::new(0),
        };
        Self {
            counter: Arc::new(counter),
        }
    }

    /// Adds a session.
    pub(crate) fn join(&self) -> PresenceGuard {
        let published = self.counter.published.subscribe();
        self.counter.count.fetch_add(1, Ordering::Relaxed);
        self.counter.changed.notify_one();
        PresenceGuard {
            counter: self.counter.clone(),
            published,
        }
    }

    /// Publishes the count whenever it changes. Never completes.
    pub(crate) fn publish_counts(&self) -> impl Future<Output = ()> + Send + use<> {
        self.publish_at_most_every(INTERVAL)
    }

    fn publish_at_most_every(&self, interval: Duration) -> impl Future<Output = ()> + Send + use<> {
        let counter = self.counter.clone();
        async move {
            loop {
                counter.changed.notified().await;
                let count = counter.count.load(Ordering::Relaxed);
                counter.published.send_replace(count);
                tokio::time::sleep(interval).await;
            }
        }
    }
}

impl PresenceGuard {
    /// Waits for the next published count. Cancellation safe.
    pub(crate) async fn count(&mut self) -> usize {
        if self.published.changed().await.is_err() {
            // Unreachable: the sender lives as long as `counter`.
            std::future::pending::<()>().await;
        }
        *self.published.borrow_and_update()
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        self.counter.count.fetch_sub(1, Ordering::Relaxed);
        self.counter.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_count_is_published_at_most_once_per_interval() {
        let interval = Duration::from_millis(50);
        let presence = Presence::new();
        tokio::spawn(presence.publish_at_most_every(interval));
        let start = tokio::time::Instant::now();
        let mut first = presence.join();
        assert_eq!(first.count().await, 1);
        let others: Vec<PresenceGuard> = (0..9).map(|_| presence.join()).collect();
        assert_eq!(first.count().await, 10);
        drop(others);
        assert_eq!(first.count().await, 1);
        // A lower bound holds however busy the machine is.
        assert!(start.elapsed() >= 2 * interval);
    }
}
