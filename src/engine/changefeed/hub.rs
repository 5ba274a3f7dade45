//! The registry of all feeds, which distributes committed changes to them.

use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use super::deliveries::{Delivered, Deliveries};
use super::item::Item;
use super::query::FeedQuery;
use super::queue::{Pending, Queue};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::{Change, Commit, TableId};

/// All feeds of the engine. Clones share the same feeds.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    groups: Arc<Groups>,
    /// The number of the last commit of which all changes are queued.
    published: Arc<AtomicU64>,
    deliveries: Arc<Deliveries>,
}

type Groups = Mutex<HashMap<TableId, Vec<Arc<Group>>>>;

/// The feeds of one query.
struct Group {
    query: FeedQuery,
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
    /// The number of the last commit with a change that the feeds see.
    last_change: AtomicU64,
    initial: Mutex<Option<InitialValues>>,
}

/// The initial values of a query, as JSON.
struct InitialValues {
    /// The number of the last commit in the snapshot from which they were read.
    seq: u64,
    values: Arc<[Bytes]>,
}

/// One feed.
struct Subscriber {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Hub {
    /// Subscribes to a query. Changes of earlier commits may still arrive; they are recognised by [`Item::seq`].
    ///
    /// The queue holds at most `limit` changes. When it overflows, it is dropped and the feed reports the number of
    /// lost changes.
    pub(crate) fn subscribe(&self, query: FeedQuery, limit: usize, squash: bool) -> Subscription {
        let subscriber = Arc::new(Subscriber {
            queue: Mutex::new(Queue::new(limit, squash)),
            changed: Notify::new(),
        });
        let mut groups = lock(&self.groups);
        let of_table = groups.entry(query.table).or_default();
        let group = match of_table.iter().find(|group| group.query.is_same(&query)) {
            Some(group) => Arc::clone(group),
            None => {
                let group = Arc::new(Group {
                    query,
                    subscribers: Mutex::default(),
                    last_change: AtomicU64::new(0),
                    initial: Mutex::default(),
                });
                of_table.push(Arc::clone(&group));
                group
            }
        };
        // `groups` stays locked: otherwise the last unsubscription could remove the group before this push.
        lock(&group.subscribers).push(Arc::clone(&subscriber));
        Subscription {
            groups: Arc::downgrade(&self.groups),
            published: Arc::clone(&self.published),
            deliveries: Arc::clone(&self.deliveries),
            group,
            subscriber,
        }
    }

    /// Queues the changes of a commit in every feed that covers them. The storage calls this for each commit, in order,
    /// before it acknowledges the writes, so the change of an acknowledged write is already queued.
    pub(crate) fn publish(&self, commit: &Commit) {
        for change in &commit.changes {
            // Cloned, so that views are evaluated without the lock.
            let of_table = lock(&self.groups)
                .get(&change.table)
                .cloned()
                .unwrap_or_default();
            for group in of_table
                .iter()
                .filter(|group| group.query.range.contains(&change.key))
            {
                group.publish(commit.seq, change);
            }
        }
        self.published.store(commit.seq, Ordering::Release);
        // After the changes, so that a feed sends those of the same commit before it ends.
        for table in &commit.dropped_tables {
            let of_table = lock(&self.groups).remove(table).unwrap_or_default();
            of_table.iter().for_each(|group| group.end());
        }
    }

    /// The totals taken from all feeds.
    pub(crate) fn delivered(&self) -> Delivered {
        self.deliveries.totals()
    }

    /// The number of feeds, and the number of distinct queries among them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let groups = lock(&self.groups);
        let all: Vec<_> = groups.values().flatten().collect();
        (
            all.iter().map(|group| lock(&group.subscribers).len()).sum(),
            all.len(),
        )
    }
}

impl Group {
    /// Evaluates a change once and queues it in every feed of the group.
    fn publish(&self, seq: u64, change: &Change) {
        // A panic would leave the feeds of this query, and all after it, without the change.
        let items = catch_unwind(AssertUnwindSafe(|| self.query.items(seq, change)));
        let items = items.unwrap_or_else(|_| {
            let message = "The evaluation of a change panicked.";
            Err(ReqlError::new(ErrorKind::Internal, message))
        });
        // After an error, too: initial values that were read before do not have the change.
        if !items.as_ref().is_ok_and(Vec::is_empty) {
            self.last_change.store(seq, Ordering::Release);
        }
        match items {
            Ok(items) => {
                for item in items.into_iter().map(Arc::new) {
                    lock(&self.subscribers)
                        .iter()
                        .for_each(|subscriber| subscriber.push(Arc::clone(&item)));
                }
            }
            Err(error) => {
                log::error!(
                    "a changefeed of table {:?} ended: {error}",
                    self.query.table
                );
                self.end();
            }
        }
    }

    fn end(&self) {
        lock(&self.subscribers)
            .iter()
            .for_each(|subscriber| subscriber.end());
    }
}

impl Subscriber {
    fn push(&self, item: Arc<Item>) {
        lock(&self.queue).push(item);
        self.changed.notify_one();
    }

    fn end(&self) {
        lock(&self.queue).end();
        self.changed.notify_one();
    }
}

/// A subscription to a feed. Dropping it ends the feed.
pub(crate) struct Subscription {
    groups: Weak<Groups>,
    published: Arc<AtomicU64>,
    deliveries: Arc<Deliveries>,
    group: Arc<Group>,
    subscriber: Arc<Subscriber>,
}

impl Subscription {
    /// The query of the feed.
    pub(crate) fn query(&self) -> &FeedQuery {
        &self.group.query
    }

    /// The initial values of the query as of commit `seq`: those that a feed of the same query has read if nothing of
    /// them has changed since, otherwise those that `read` returns. Feeds that start at the same time wait for the
    /// first one.
    ///
    /// `read` returns `None` if there are too many values to keep them in memory.
    ///
    /// # Errors
    /// Those of `read`.
    pub(crate) fn initial_values(
        &self,
        seq: u64,
        read: impl FnOnce() -> Result<Option<Arc<[Bytes]>>, ReqlError>,
    ) -> Result<Option<Arc<[Bytes]>>, ReqlError> {
        let mut initial = lock(&self.group.initial);
        if let Some(known) = &*initial
            && self.is_unchanged(known.seq, seq)
        {
            return Ok(Some(Arc::clone(&known.values)));
        }
        let values = read()?;
        if self.group.query.text.is_some() {
            *initial = values.clone().map(|values| InitialValues { seq, values });
        }
        Ok(values)
    }

    /// Returns `true` if the feed sees no change between two commits.
    fn is_unchanged(&self, from: u64, to: u64) -> bool {
        // A commit is visible to readers before its changes are queued.
        from == to
            || from < to
                && self.published.load(Ordering::Acquire) >= to
                && self.group.last_change.load(Ordering::Acquire) <= from
    }

    /// Lets a squashing feed merge the changes after a commit.
    pub(crate) fn squash_after(&self, seq: u64) {
        lock(&self.subscriber.queue).squash_after(seq);
    }

    /// Takes queued changes, up to about `bytes` of them.
    pub(crate) fn take(&self, bytes: usize) -> Pending {
        let pending = lock(&self.subscriber.queue).take(bytes);
        self.deliveries.count(&pending);
        pending
    }

    /// Returns `true` if [`Subscription::take`] would return anything.
    pub(crate) fn has_pending(&self) -> bool {
        lock(&self.subscriber.queue).has_pending()
    }

    /// Returns `true` if the changes should be sent before the squash interval is over.
    pub(crate) fn is_urgent(&self) -> bool {
        lock(&self.subscriber.queue).is_urgent()
    }

    /// Waits until [`Subscription::take`] may return something. Cancellation safe: a notification without a waiter is
    /// kept for the next one.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let subscriber = Arc::clone(&self.subscriber);
        async move { subscriber.changed.notified().await }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(groups) = self.groups.upgrade() else {
            return;
        };
        let mut groups = lock(&groups);
        let mut subscribers = lock(&self.group.subscribers);
        subscribers.retain(|other| !Arc::ptr_eq(other, &self.subscriber));
        if subscribers.is_empty()
            && let Some(of_table) = groups.get_mut(&self.group.query.table)
        {
            of_table.retain(|other| !Arc::ptr_eq(other, &self.group));
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("query", &self.group.query)
            .finish_non_exhaustive()
    }
}

/// Locks a mutex. A poisoned one is usable: each change is a single call, so a panic leaves nothing half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::query::Range;
    use super::*;
    use crate::engine::datum::Datum;
    use crate::engine::storage::Catalog;

    const TABLE: TableId = TableId(Uuid::nil());

    /// A query that evaluates a view for each change of the document `a`.
    fn query(view: fn()) -> FeedQuery {
        FeedQuery {
            table: TABLE,
            range: Range::Keys(vec![b"a".to_vec()]),
            view: Some(Arc::new(move |old, new| {
                view();
                Ok((old.cloned(), new.cloned()))
            })),
            copies: None,
            include_types: false,
            keeps_values: false,
            text: None,
        }
    }

    #[test]
    fn a_panic_in_a_view_ends_its_feeds_and_no_others() {
        let hub = Hub::default();
        let broken = hub.subscribe(query(|| panic!("on purpose")), 10, false);
        let whole = hub.subscribe(query(|| ()), 10, false);
        let change = Change {
            table: TABLE,
            key: b"a".to_vec(),
            old: None,
            new: Some(Datum::Number(1.0)),
        };
        hub.publish(&Commit {
            seq: 1,
            changes: vec![change],
            dropped_tables: Vec::new(),
            catalog: Arc::new(Catalog::default()),
            catalog_changed: false,
        });
        assert!(matches!(broken.take(1), Pending::Ended));
        assert!(matches!(whole.take(1), Pending::Items(items) if items.len() == 1));
        assert_eq!(hub.published.load(Ordering::Acquire), 1);
    }
}
