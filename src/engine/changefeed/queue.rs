//! The bounded queue of changes that wait for one client, squashed on request.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::item::{FeedKey, Item};

/// The most bytes of changes queued for one client. Feeds share the bytes, but a slow client keeps them in memory.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// The result of [`Queue::take`].
pub(crate) enum Pending {
    /// Changes, oldest first; possibly none.
    Items(Vec<Arc<Item>>),
    /// The number of changes lost because the client was too slow.
    Skipped(usize),
    /// The feed has ended: its table was dropped, or its view failed.
    Ended,
}

/// The changes queued for one client.
pub(super) struct Queue {
    /// Squashed changes that cancelled each other out leave a gap (`None`).
    items: VecDeque<Option<Arc<Item>>>,
    /// The number of items that are not gaps.
    live: usize,
    bytes: usize,
    /// The most items. One more overflows the queue.
    limit: usize,
    skipped: usize,
    is_ended: bool,
    /// The position of each document's queued change, if the feed squashes. Positions count from the start of the feed,
    /// so taking items does not invalidate them.
    positions: Option<HashMap<FeedKey, usize>>,
    /// The commit after which changes are merged: that of the last initial value. A change before it may be part of an
    /// initial value, and must not take a later one with it.
    squash_after: u64,
    /// The number of items and gaps removed so far: the position of the first item.
    taken: usize,
}

impl Queue {
    pub(super) fn new(limit: usize, squash: bool) -> Self {
        Self {
            items: VecDeque::new(),
            live: 0,
            bytes: 0,
            limit,
            skipped: 0,
            is_ended: false,
            positions: squash.then(HashMap::new),
            squash_after: u64::MAX,
            taken: 0,
        }
    }

    /// Adds a change. If the queue overflows, all of it is dropped and counted, as in RethinkDB (golden:
    /// `a_full_queue_says_how_many_were_skipped`).
    pub(super) fn push(&mut self, item: Arc<Item>) {
        if self.is_ended || self.squash(&item) {
            return;
        }
        if let Some(positions) = &mut self.positions {
            positions.insert(item.feed_key(), self.taken + self.items.len());
        }
        self.bytes += item.bytes();
        self.live += 1;
        self.items.push_back(Some(item));
        // A single change is kept whatever its size: otherwise it could never be sent.
        if self.live > self.limit || (self.bytes > QUEUE_BYTES && self.live > 1) {
            self.skipped += self.live;
            self.clear();
        }
    }

    /// Lets a squashing feed merge the changes after a commit. Until then none are merged.
    pub(super) fn squash_after(&mut self, seq: u64) {
        self.squash_after = seq;
    }

    /// Merges the change into a queued one of the same document. Returns `false` if there is none.
    fn squash(&mut self, item: &Arc<Item>) -> bool {
        let Some(positions) = &mut self.positions else {
            return false;
        };
        let Some(position) = positions.get(&item.feed_key()) else {
            return false;
        };
        let Some(slot) = self.items.get_mut(position - self.taken) else {
            return false;
        };
        let Some(earlier) = slot
            .as_ref()
            .filter(|earlier| earlier.seq > self.squash_after)
        else {
            return false;
        };
        match earlier.squash(item) {
            Ok(Some(merged)) => {
                self.bytes = self.bytes - earlier.bytes() + merged.bytes();
                *slot = Some(Arc::new(merged));
            }
            Ok(None) => {
                self.bytes -= earlier.bytes();
                *slot = None;
                self.live -= 1;
                positions.remove(&item.feed_key());
                if self.live == 0 {
                    // Nobody would take the gaps.
                    self.clear();
                }
            }
            // Documents that cannot be compared are sent as two changes.
            Err(_) => return false,
        }
        true
    }

    /// Returns `true` if [`Queue::take`] would return anything, including the end of the feed.
    pub(super) fn has_pending(&self) -> bool {
        self.live > 0 || self.skipped > 0 || self.is_ended
    }

    /// Returns `true` if a squashing feed should be sent before its interval is over: the queue is more than half full,
    /// has overflowed, or has ended (`sub_t` in RethinkDB's `changefeed.cc`).
    pub(super) fn is_urgent(&self) -> bool {
        self.live > self.limit / 2 || self.skipped > 0 || self.is_ended
    }

    /// Ends the feed once the queued changes have been taken.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
    }

    /// Takes changes, oldest first, up to about `limit` bytes.
    pub(super) fn take(&mut self, limit: usize) -> Pending {
        // The lost changes are older than those in the queue.
        if self.skipped > 0 {
            return Pending::Skipped(std::mem::take(&mut self.skipped));
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < limit
            && let Some(slot) = self.items.pop_front()
        {
            self.taken += 1;
            let Some(item) = slot else { continue };
            if let Some(positions) = &mut self.positions
                && positions.get(&item.feed_key()) == Some(&(self.taken - 1))
            {
                positions.remove(&item.feed_key());
            }
            bytes += item.bytes();
            self.bytes -= item.bytes();
            self.live -= 1;
            taken.push(item);
        }
        if taken.is_empty() && self.is_ended {
            return Pending::Ended;
        }
        if self.items.is_empty() {
            // Frees the memory of a burst while the feed is idle.
            self.items.shrink_to(4);
        }
        Pending::Items(taken)
    }

    fn clear(&mut self) {
        self.taken += self.items.len();
        self.items.clear();
        (self.live, self.bytes) = (0, 0);
        if let Some(positions) = &mut self.positions {
            positions.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::datum::Datum;

    fn item(key: u8, old: Option<f64>, new: Option<f64>) -> Arc<Item> {
        item_of(1, key, old, new)
    }

    fn item_of(seq: u64, key: u8, old: Option<f64>, new: Option<f64>) -> Arc<Item> {
        Arc::new(Item::new(
            [key].as_slice().into(),
            0,
            seq,
            old.map(Datum::Number),
            new.map(Datum::Number),
        ))
    }

    fn taken(queue: &mut Queue) -> Vec<String> {
        match queue.take(usize::MAX) {
            Pending::Items(items) => items
                .iter()
                .map(|item| item.to_datum(false).to_json().unwrap())
                .collect(),
            Pending::Skipped(count) => vec![format!("skipped {count}")],
            Pending::Ended => vec!["ended".into()],
        }
    }

    #[test]
    fn a_full_queue_is_dropped_and_counted() {
        let mut queue = Queue::new(2, false);
        (0..4).for_each(|key| queue.push(item(key, None, Some(1.0))));
        assert_eq!(taken(&mut queue), ["skipped 3"]);
        assert_eq!(taken(&mut queue), [r#"{"new_val":1,"old_val":null}"#]);
    }

    #[test]
    fn squashing_keeps_the_first_old_and_the_last_new_document() {
        let mut queue = Queue::new(10, true);
        queue.squash_after(0);
        queue.push(item(1, None, Some(1.0)));
        queue.push(item(2, Some(5.0), Some(6.0)));
        queue.push(item(1, Some(1.0), Some(2.0)));
        queue.push(item(2, Some(6.0), Some(5.0)));
        assert_eq!(taken(&mut queue), [r#"{"new_val":2,"old_val":null}"#]);
        queue.push(item(2, Some(5.0), None));
        assert_eq!(taken(&mut queue), [r#"{"new_val":null,"old_val":5}"#]);
    }

    #[test]
    fn changes_that_cancel_each_other_out_leave_nothing() {
        let mut queue = Queue::new(10, true);
        queue.squash_after(0);
        for _ in 0..100 {
            queue.push(item(1, None, Some(1.0)));
            queue.push(item(1, Some(1.0), None));
        }
        assert!(queue.items.is_empty() && !queue.has_pending());
        queue.push(item(1, None, Some(2.0)));
        assert_eq!(taken(&mut queue), [r#"{"new_val":2,"old_val":null}"#]);
    }

    #[test]
    fn a_change_that_an_initial_value_may_contain_is_not_merged_with_a_later_one() {
        let mut queue = Queue::new(10, true);
        queue.push(item_of(1, 7, None, Some(1.0)));
        queue.push(item_of(2, 7, Some(1.0), Some(2.0)));
        // The initial value was 1 or 2; a merged change would be none.
        queue.squash_after(2);
        queue.push(item_of(3, 7, Some(2.0), None));
        queue.push(item_of(4, 7, None, Some(4.0)));
        let expected = [
            r#"{"new_val":1,"old_val":null}"#,
            r#"{"new_val":2,"old_val":1}"#,
            r#"{"new_val":4,"old_val":2}"#,
        ];
        assert_eq!(taken(&mut queue), expected);
    }

    #[test]
    fn a_queue_is_urgent_once_it_is_more_than_half_full() {
        let mut queue = Queue::new(3, true);
        queue.squash_after(0);
        queue.push(item(1, None, Some(1.0)));
        queue.push(item(1, Some(1.0), Some(2.0)));
        assert!(!queue.is_urgent());
        queue.push(item(2, None, Some(1.0)));
        assert!(queue.is_urgent());
    }

    #[test]
    fn queued_changes_come_before_the_end() {
        let mut queue = Queue::new(10, false);
        queue.push(item(1, None, Some(1.0)));
        queue.end();
        assert_eq!(taken(&mut queue).len(), 1);
        assert_eq!(taken(&mut queue), ["ended"]);
    }
}
