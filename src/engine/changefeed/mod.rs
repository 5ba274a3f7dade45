//! Changefeeds: each change is worked out and encoded once for each distinct feed query, and the bytes are shared by
//! all feeds that ask the same.

use std::collections::HashMap;
use std::ops::{Bound, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::{Env, Step};
use crate::engine::storage::{Change, Commit, TableId};

mod queue;

pub(crate) use queue::Item;
use queue::Queue;

/// What a feed follows: the same for all feeds that share their encoded changes.
#[derive(Debug, Clone)]
pub(crate) struct FeedQuery {
    pub(crate) table: TableId,
    pub(crate) range: Range,
    /// What is done to each document before it is compared and sent.
    pub(crate) steps: Vec<Step>,
    pub(crate) include_types: bool,
    /// Whether the feed needs the values themselves, because it squashes them or goes on computing with them.
    pub(crate) wants_values: bool,
    /// The query as text: feeds with the same text are the same. `None` for a feed like no other.
    pub(crate) text: Option<String>,
}

/// Which documents of a table.
#[derive(Debug, Clone)]
pub(crate) enum Range {
    Between(Bound<Vec<u8>>, Bound<Vec<u8>>),
    Keys(Vec<Vec<u8>>),
}

impl Range {
    fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::Between(lower, upper) => {
                let range = (
                    lower.as_ref().map(Vec::as_slice),
                    upper.as_ref().map(Vec::as_slice),
                );
                <(Bound<&[u8]>, Bound<&[u8]>) as RangeBounds<[u8]>>::contains(&range, key)
            }
            Self::Keys(keys) => keys.iter().any(|other| other == key),
        }
    }
}

impl FeedQuery {
    fn is_same(&self, other: &Self) -> bool {
        self.text.is_some()
            && self.text == other.text
            && self.include_types == other.include_types
            && self.wants_values == other.wants_values
    }

    /// A document as the feed sees it: `None` where it does not see it at all.
    ///
    /// # Errors
    /// A step that would keep everybody waiting. A document that a step fails on otherwise is none of the feed's, as in
    /// RethinkDB.
    pub(crate) fn view(
        &self,
        env: &Env,
        document: Option<&Datum>,
    ) -> Result<Option<Datum>, ReqlError> {
        let Some(document) = document else {
            return Ok(None);
        };
        let mut seen = document.clone();
        for step in &self.steps {
            match step.apply(env, seen) {
                Ok(Some(changed)) => seen = changed,
                Err(error) if error.kind == ErrorKind::ResourceLimit => return Err(error),
                Ok(None) | Err(_) => return Ok(None),
            }
        }
        Ok(Some(seen))
    }

    /// The change as the feed is told of it, `None` where it sees none.
    fn item(&self, env: &Env, seq: u64, change: &Change) -> Result<Option<Item>, ReqlError> {
        let old = self.view(env, change.old.as_ref())?;
        let new = self.view(env, change.new.as_ref())?;
        let is_same = match (&old, &new) {
            (None, None) => true,
            // Without steps the storage has already found them to differ.
            (Some(old), Some(new)) if !self.steps.is_empty() => old.equals(new)?,
            _ => false,
        };
        if is_same {
            return Ok(None);
        }
        let mut item = Item::new(change.key.as_slice().into(), seq, old, new);
        if !self.wants_values {
            item.encode(self.include_types)?;
        }
        Ok(Some(item))
    }
}

/// All feeds of the engine. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    groups: Arc<Groups>,
}

type Groups = Mutex<HashMap<TableId, Vec<Arc<Group>>>>;

/// The feeds that share one query.
struct Group {
    query: FeedQuery,
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
}

/// One feed's end: what waits for its client.
struct Subscriber {
    queue: Mutex<Queue>,
    changed: Notify,
}

impl Hub {
    /// Follows a query from now on. Changes that were committed before may still come: see [`Item::seq`].
    ///
    /// At most `limit` changes wait for the client.
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
                });
                of_table.push(Arc::clone(&group));
                group
            }
        };
        lock(&group.subscribers).push(Arc::clone(&subscriber));
        Subscription {
            groups: Arc::downgrade(&self.groups),
            group,
            subscriber,
        }
    }

    /// Tells every feed of what a commit changed. The storage calls it for each commit, in their order, before the
    /// writes of the commit are acknowledged: who has written knows that the change waits in every feed.
    pub(crate) fn publish(&self, commit: &Commit) {
        for change in &commit.changes {
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
        for table in &commit.dropped_tables {
            let of_table = lock(&self.groups).remove(table).unwrap_or_default();
            of_table.iter().for_each(|group| group.end());
        }
    }

    /// How many feeds there are, and how many distinct queries they follow.
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
    /// Tells every feed of the group of a change.
    fn publish(&self, seq: u64, change: &Change) {
        match self.query.item(&Env::detached(), seq, change) {
            Ok(None) => {}
            Ok(Some(item)) => {
                let item = Arc::new(item);
                lock(&self.subscribers)
                    .iter()
                    .for_each(|subscriber| subscriber.push(Arc::clone(&item)));
            }
            Err(error) => {
                log::error!("a changefeed cannot go on: {error}");
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

/// A feed that is being followed; dropping it ends it.
pub(crate) struct Subscription {
    groups: Weak<Groups>,
    group: Arc<Group>,
    subscriber: Arc<Subscriber>,
}

/// What waits for a feed's client.
pub(crate) enum Waiting {
    /// Changes, oldest first; maybe none.
    Items(Vec<Arc<Item>>),
    /// So many changes were lost because the client was too slow.
    Skipped(usize),
    /// The table is gone.
    Ended,
}

impl Subscription {
    /// What the feed follows.
    pub(crate) fn query(&self) -> &FeedQuery {
        &self.group.query
    }

    /// Takes what waits, up to about `bytes` of encoded changes.
    pub(crate) fn take(&self, bytes: usize) -> Waiting {
        lock(&self.subscriber.queue).take(bytes)
    }

    /// Whether there is something to take.
    pub(crate) fn has_waiting(&self) -> bool {
        lock(&self.subscriber.queue).has_waiting()
    }

    /// Waits until there may be something to take. Cancellation safe: a wake-up that nobody waited for is kept.
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

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("query", &self.group.query)
            .finish_non_exhaustive()
    }
}

/// An element of a feed that says how many changes are missing.
pub(crate) fn overflow_element(skipped: usize) -> Bytes {
    format!(r#"{{"error":"Changefeed cache over array size limit, skipped {skipped} elements."}}"#)
        .into()
}

/// Locks; what a panic left behind is still whole, since every change to it is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
