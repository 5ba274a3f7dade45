//! What waits for one feed's client: bounded, and squashed where the client asked for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::Waiting;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The most bytes of changes that wait for one client, whatever their number. The bytes are shared between
/// feeds, but a slow one keeps them alive.
const QUEUE_BYTES: usize = 64 * 1024 * 1024;

/// One change, as every feed of the query is told of it.
#[derive(Debug)]
pub(crate) struct Item {
    /// The document's key.
    pub(crate) key: Arc<[u8]>,
    /// The number of the commit that made the change.
    pub(crate) seq: u64,
    old: Option<Datum>,
    new: Option<Datum>,
    encoded: Option<Bytes>,
}

impl Item {
    pub(super) fn new(key: Arc<[u8]>, seq: u64, old: Option<Datum>, new: Option<Datum>) -> Self {
        Self {
            key,
            seq,
            old,
            new,
            encoded: None,
        }
    }

    /// Encodes the change for good and lets go of its values.
    ///
    /// # Errors
    /// When a stored binary cannot be read.
    pub(super) fn encode(&mut self, include_types: bool) -> Result<(), ReqlError> {
        let mut json = Vec::new();
        self.to_datum(include_types).write_json(&mut json)?;
        self.encoded = Some(json.into());
        (self.old, self.new) = (None, None);
        Ok(())
    }

    /// The change as JSON.
    ///
    /// # Errors
    /// When a stored binary cannot be read.
    pub(crate) fn to_json(&self, include_types: bool) -> Result<Bytes, ReqlError> {
        if let Some(encoded) = &self.encoded {
            return Ok(encoded.clone());
        }
        let mut json = Vec::new();
        self.to_datum(include_types).write_json(&mut json)?;
        Ok(json.into())
    }

    /// The change as a value. Only feeds that want values may ask.
    pub(crate) fn to_datum(&self, include_types: bool) -> Datum {
        let kind = match (&self.old, &self.new) {
            (None, _) => "add",
            (_, None) => "remove",
            _ => "change",
        };
        let value = |side: &Option<Datum>| side.clone().unwrap_or(Datum::Null);
        let fields = [("new_val", value(&self.new)), ("old_val", value(&self.old))];
        Datum::object(
            fields
                .into_iter()
                .chain(include_types.then(|| ("type", kind.into()))),
        )
    }

    /// This change and a later one of the same document as one, `None` where nothing is left of them.
    fn squash(&self, later: &Self) -> Result<Option<Self>, ReqlError> {
        let is_same = match (&self.old, &later.new) {
            (None, None) => true,
            (Some(old), Some(new)) => old.equals(new)?,
            _ => false,
        };
        let merged = || {
            Self::new(
                Arc::clone(&self.key),
                later.seq,
                self.old.clone(),
                later.new.clone(),
            )
        };
        Ok((!is_same).then(merged))
    }

    fn bytes(&self) -> usize {
        let values = [&self.old, &self.new]
            .into_iter()
            .flatten()
            .map(Datum::weight)
            .sum::<usize>();
        self.encoded.as_ref().map_or(values, Bytes::len)
    }
}

/// The changes that wait for one client.
pub(super) struct Queue {
    /// A squashed change that came to nothing leaves a gap.
    items: VecDeque<Option<Arc<Item>>>,
    live: usize,
    bytes: usize,
    limit: usize,
    skipped: usize,
    is_ended: bool,
    /// For squashing: where the change of a document lies, counted from the first that ever was.
    places: Option<HashMap<Arc<[u8]>, usize>>,
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
            places: squash.then(HashMap::new),
            taken: 0,
        }
    }

    /// Adds a change. Over the limit the whole queue is dropped and counted, as RethinkDB does
    /// (golden: `a_full_queue_says_how_many_were_skipped`).
    pub(super) fn push(&mut self, item: Arc<Item>) {
        if self.is_ended || self.squash(&item) {
            return;
        }
        if let Some(places) = &mut self.places {
            places.insert(Arc::clone(&item.key), self.taken + self.items.len());
        }
        self.bytes += item.bytes();
        self.live += 1;
        self.items.push_back(Some(item));
        if self.live > self.limit || (self.bytes > QUEUE_BYTES && self.live > 1) {
            self.skipped += self.live;
            self.clear();
        }
    }

    /// Merges the change with one of the same document that still waits.
    fn squash(&mut self, item: &Arc<Item>) -> bool {
        let Some(places) = &mut self.places else {
            return false;
        };
        let Some(place) = places.get(&item.key) else {
            return false;
        };
        let Some(slot) = self.items.get_mut(place - self.taken) else {
            return false;
        };
        let Some(earlier) = slot else { return false };
        match earlier.squash(item) {
            Ok(Some(merged)) => {
                self.bytes = self.bytes - earlier.bytes() + merged.bytes();
                *slot = Some(Arc::new(merged));
            }
            Ok(None) => {
                self.bytes -= earlier.bytes();
                *slot = None;
                self.live -= 1;
                places.remove(&item.key);
            }
            // Values that cannot be compared are sent one after the other.
            Err(_) => return false,
        }
        true
    }

    /// Whether there is something to take, if only the end.
    pub(super) fn has_waiting(&self) -> bool {
        self.live > 0 || self.skipped > 0 || self.is_ended
    }

    /// The table is gone: nothing more comes.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
    }

    /// Takes what waits, oldest first, up to about `limit` bytes of it.
    pub(super) fn take(&mut self, limit: usize) -> Waiting {
        if self.skipped > 0 {
            return Waiting::Skipped(std::mem::take(&mut self.skipped));
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < limit
            && let Some(slot) = self.items.pop_front()
        {
            self.taken += 1;
            let Some(item) = slot else { continue };
            if let Some(places) = &mut self.places {
                places.remove(&item.key);
            }
            bytes += item.bytes();
            self.bytes -= item.bytes();
            self.live -= 1;
            taken.push(item);
        }
        if taken.is_empty() && self.is_ended {
            return Waiting::Ended;
        }
        if self.items.is_empty() {
            // An idle feed keeps no room for the busy times.
            self.items.shrink_to(4);
        }
        Waiting::Items(taken)
    }

    fn clear(&mut self) {
        self.taken += self.items.len();
        self.items.clear();
        (self.live, self.bytes) = (0, 0);
        if let Some(places) = &mut self.places {
            places.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key: u8, old: Option<f64>, new: Option<f64>) -> Arc<Item> {
        Arc::new(Item::new(
            [key].as_slice().into(),
            0,
            old.map(Datum::Number),
            new.map(Datum::Number),
        ))
    }

    fn taken(queue: &mut Queue) -> Vec<String> {
        match queue.take(usize::MAX) {
            Waiting::Items(items) => items
                .iter()
                .map(|item| item.to_datum(false).to_json().unwrap())
                .collect(),
            Waiting::Skipped(count) => vec![format!("skipped {count}")],
            Waiting::Ended => vec!["ended".into()],
        }
    }

    #[test]
    fn a_full_queue_is_dropped_whole_and_counted() {
        let mut queue = Queue::new(2, false);
        (0..4).for_each(|key| queue.push(item(key, None, Some(1.0))));
        assert_eq!(taken(&mut queue), ["skipped 3"]);
        assert_eq!(taken(&mut queue), [r#"{"new_val":1,"old_val":null}"#]);
    }

    #[test]
    fn squashing_keeps_the_first_and_the_last_and_drops_what_comes_to_nothing() {
        let mut queue = Queue::new(10, true);
        queue.push(item(1, None, Some(1.0)));
        queue.push(item(2, Some(5.0), Some(6.0)));
        queue.push(item(1, Some(1.0), Some(2.0)));
        queue.push(item(2, Some(6.0), Some(5.0)));
        assert_eq!(taken(&mut queue), [r#"{"new_val":2,"old_val":null}"#]);
        queue.push(item(2, Some(5.0), None));
        assert_eq!(taken(&mut queue), [r#"{"new_val":null,"old_val":5}"#]);
    }

    #[test]
    fn what_waits_is_sent_before_the_end() {
        let mut queue = Queue::new(10, false);
        queue.push(item(1, None, Some(1.0)));
        queue.end();
        assert_eq!(taken(&mut queue).len(), 1);
        assert_eq!(taken(&mut queue), ["ended"]);
    }
}
