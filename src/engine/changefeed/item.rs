//! The elements of a feed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The key of a document, and which copy of it.
pub(super) type FeedKey = (Arc<[u8]>, usize);

/// A change as seen by all feeds of one query.
#[derive(Debug)]
pub(crate) struct Item {
    /// The document's key.
    pub(crate) key: Arc<[u8]>,
    /// Which copy of the document it is, in a feed that has it several times.
    pub(super) copy: usize,
    /// The sequence number of the commit.
    pub(crate) seq: u64,
    committed_at: Instant,
    old: Option<Datum>,
    new: Option<Datum>,
    encoded: Option<Bytes>,
}

impl Item {
    pub(super) fn new(
        key: Arc<[u8]>,
        copy: usize,
        seq: u64,
        old: Option<Datum>,
        new: Option<Datum>,
    ) -> Self {
        Self {
            key,
            copy,
            seq,
            committed_at: Instant::now(),
            old,
            new,
            encoded: None,
        }
    }

    /// Encodes the change and drops its documents, so that a queue holds only the bytes.
    ///
    /// # Errors
    /// A stored binary that cannot be read.
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
    /// A stored binary that cannot be read.
    pub(crate) fn to_json(&self, include_types: bool) -> Result<Bytes, ReqlError> {
        if let Some(encoded) = &self.encoded {
            return Ok(encoded.clone());
        }
        let mut json = Vec::new();
        self.to_datum(include_types).write_json(&mut json)?;
        Ok(json.into())
    }

    /// The change as a value. Must not be called for an encoded item, whose documents are gone.
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

    /// The time since the commit; since that of the first change, if several were merged.
    pub(super) fn age(&self) -> Duration {
        self.committed_at.elapsed()
    }

    /// Identifies the document in the feed.
    pub(super) fn feed_key(&self) -> FeedKey {
        (Arc::clone(&self.key), self.copy)
    }

    /// Combines this change with a later one of the same copy of a document. `None` if they cancel each other out.
    pub(super) fn squash(&self, later: &Self) -> Result<Option<Self>, ReqlError> {
        let is_same = match (&self.old, &later.new) {
            (None, None) => true,
            (Some(old), Some(new)) => old.equals(new)?,
            _ => false,
        };
        let merged = || Self {
            committed_at: self.committed_at,
            ..Self::new(
                Arc::clone(&self.key),
                self.copy,
                later.seq,
                self.old.clone(),
                later.new.clone(),
            )
        };
        Ok((!is_same).then(merged))
    }

    /// The approximate size in memory.
    pub(super) fn bytes(&self) -> usize {
        let values = [&self.old, &self.new]
            .into_iter()
            .flatten()
            .map(Datum::weight)
            .sum::<usize>();
        self.encoded.as_ref().map_or(values, Bytes::len)
    }
}

/// The element that reports lost changes (golden: `a_full_queue_says_how_many_were_skipped`).
pub(crate) fn overflow_element(skipped: usize) -> Bytes {
    format!(r#"{{"error":"Changefeed cache over array size limit, skipped {skipped} elements."}}"#)
        .into()
}
