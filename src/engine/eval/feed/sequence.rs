//! The sequence of a feed's elements.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::initial_values::{Documents, Reading, encode, initial};
use super::options::Options;
use crate::engine::changefeed::{Pending, Range, Subscription, overflow_element};
use crate::engine::datum::json::Node;
use crate::engine::datum::{self, Datum};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::env::{BATCH_BYTES, Env};
use crate::engine::eval::index::IndexScan;
use crate::engine::eval::scan::{Lookup, Scan};
use crate::engine::eval::selection::Table;
use crate::engine::eval::step::Step;

/// The elements of a feed: the initial values if requested, then the changes.
#[derive(Debug)]
pub(crate) struct Feed {
    table: Table,
    subscription: Subscription,
    steps: Arc<[Step]>,
    options: Options,
    /// `true` for a feed of one document.
    is_point: bool,
    phase: Phase,
    /// The reads of initial values, in key order: the last key of each (`None` for the end), and the number of the last
    /// commit in its snapshot. Changes already contained in an initial value are not sent again.
    reads: Vec<(Option<Vec<u8>>, u64)>,
    /// The documents of an index that are read later than they are listed.
    listed: Option<Listed>,
    /// Decoded elements, for terms after `changes` that take them one at a time.
    ready: VecDeque<Datum>,
}

/// The progress of a feed.
#[derive(Debug)]
enum Phase {
    /// Nothing has been sent. The initial values are those that the index finds, or those of the query's range.
    Start(Option<Box<IndexScan>>),
    /// The initial values of these documents are being sent.
    Initial(Documents),
    /// Only changes remain.
    Live,
}

/// Documents that a feed lists in one snapshot and reads in later ones. In the meantime others may come into the feed,
/// which are not read.
#[derive(Debug)]
struct Listed {
    /// Sorted.
    keys: Vec<Vec<u8>>,
    seq: u64,
}

impl Feed {
    /// A feed that was subscribed before the snapshot of commit `seq` was taken. `indexed` finds its initial values if
    /// it follows an index.
    pub(super) fn new(
        table: Table,
        subscription: Subscription,
        steps: Arc<[Step]>,
        options: Options,
        is_point: bool,
        indexed: Option<Box<IndexScan>>,
        seq: u64,
    ) -> Self {
        // With initial values, each read of them adds its own entry.
        let reads = if options.include_initial {
            Vec::new()
        } else {
            vec![(None, seq)]
        };
        Self {
            table,
            subscription,
            steps,
            options,
            is_point,
            phase: Phase::Start(indexed),
            reads,
            listed: None,
            ready: VecDeque::new(),
        }
    }

    /// Returns `true` if the feed follows a single document.
    pub(crate) fn is_point(&self) -> bool {
        self.is_point
    }

    /// Returns `true` if the feed reports its state (`include_states`).
    pub(crate) fn includes_states(&self) -> bool {
        self.options.include_states
    }

    /// Returns `true` if only changes remain. The next batch then needs no disk.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// Returns `true` if there are elements to send.
    pub(crate) fn has_pending(&self) -> bool {
        !self.ready.is_empty() || self.subscription.has_pending()
    }

    /// Returns `true` if the elements should be sent before the squash interval is over, because the queue fills up.
    pub(crate) fn is_urgent(&self) -> bool {
        self.subscription.is_urgent()
    }

    /// Waits until there may be new elements. Cancellation safe.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.subscription.changed()
    }

    /// The time for which changes are gathered before they are sent.
    pub(crate) fn squash_interval(&self) -> Duration {
        self.options.squash_interval
    }

    /// The next element; `None` if there is none yet.
    ///
    /// # Errors
    /// As [`Feed::next_encoded`].
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.ready.is_empty() {
            for element in self.next_encoded(env, BATCH_BYTES)? {
                self.ready.push_back(decode(&element)?);
            }
        }
        Ok(self.ready.pop_front())
    }

    /// The next elements as JSON, up to about `limit` bytes; empty if there are none yet.
    ///
    /// # Errors
    /// A dropped table, or a failing disk.
    pub(crate) fn next_encoded(
        &mut self,
        env: &Env,
        limit: usize,
    ) -> Result<Vec<Bytes>, ReqlError> {
        let mut batch = Vec::new();
        if !self.is_live() {
            self.next_initial(env, limit, &mut batch)?;
            if !batch.is_empty() || !self.is_live() {
                return Ok(batch);
            }
        }
        match self.subscription.take(limit) {
            Pending::Skipped(count) => batch.push(overflow_element(count)),
            Pending::Ended if batch.is_empty() => {
                return Err(ReqlError::op_failed("Changefeed aborted (unavailable)."));
            }
            // The states in `batch` are sent first; the next call reports the end.
            Pending::Ended => {}
            Pending::Items(items) => {
                for item in items
                    .iter()
                    .filter(|item| !self.has_sent(&item.key, item.seq))
                {
                    batch.push(item.to_json(self.options.include_types)?);
                }
                let last_read = self.reads.last().map(|(_, seq)| *seq);
                if items.last().map(|item| item.seq) > last_read {
                    self.listed = None;
                }
            }
        }
        Ok(batch)
    }

    /// Reads the next initial values, if the client asked for them. Each batch has its own snapshot, so a slow client
    /// holds none.
    fn next_initial(
        &mut self,
        env: &Env,
        limit: usize,
        batch: &mut Vec<Bytes>,
    ) -> Result<(), ReqlError> {
        let seq = env.fresh_snapshot()?.seq();
        let is_complete = match &mut self.phase {
            Phase::Live => return Ok(()),
            Phase::Start(_) if !self.options.include_initial => true,
            Phase::Start(indexed) => {
                let indexed = indexed.take();
                self.state("initializing", batch)?;
                self.read_first(env, (seq, limit), indexed, batch)?
            }
            Phase::Initial(documents) => {
                let reading = Reading {
                    table: &self.table,
                    steps: &self.steps,
                    copies: self.subscription.query().copies.as_ref(),
                    include_types: self.options.include_types,
                };
                let read = documents.read(env, &reading, limit)?;
                batch.extend(read.values);
                let is_complete = read.last.is_none();
                self.reads.push((read.last, seq));
                is_complete
            }
        };
        if is_complete {
            self.phase = Phase::Live;
            let last_read = self.reads.last().map_or(seq, |(_, seq)| *seq);
            self.subscription.squash_after(last_read);
            self.state("ready", batch)?;
        }
        Ok(())
    }

    /// Reads the first initial values, up to about `limit` bytes, from the snapshot of commit `seq`. Returns `true` if
    /// these are all; feeds of one query share them then.
    fn read_first(
        &mut self,
        env: &Env,
        (seq, limit): (u64, usize),
        indexed: Option<Box<IndexScan>>,
        batch: &mut Vec<Bytes>,
    ) -> Result<bool, ReqlError> {
        let mut unfinished = None;
        let reading = Reading {
            table: &self.table,
            steps: &self.steps,
            copies: self.subscription.query().copies.as_ref(),
            include_types: self.options.include_types,
        };
        let read = || {
            let mut documents = self.documents(env, indexed)?;
            let read = documents.read(env, &reading, limit)?;
            if read.last.is_none() {
                return Ok(Some(read.values.into()));
            }
            unfinished = Some((documents, read));
            Ok(None)
        };
        if let Some(values) = self.subscription.initial_values(seq, read)? {
            // A point feed of a missing document starts with null.
            if self.is_point && values.is_empty() {
                batch.push(initial(Datum::Null, self.options.include_types)?);
            }
            batch.extend(values.iter().cloned());
            self.reads.push((None, seq));
            return Ok(true);
        }
        if let Some((documents, read)) = unfinished {
            if let Documents::Listed(lookup) = &documents {
                let keys = lookup.keys.iter().cloned().collect();
                self.listed = Some(Listed { keys, seq });
            }
            batch.extend(read.values);
            self.reads.push((read.last, seq));
            self.phase = Phase::Initial(documents);
        }
        Ok(false)
    }

    /// The documents that the feed covers: those that `indexed` finds, or those of the query's range.
    fn documents(
        &self,
        env: &Env,
        indexed: Option<Box<IndexScan>>,
    ) -> Result<Documents, ReqlError> {
        let table = self.table.clone();
        if let Some(scan) = indexed {
            return Ok(Documents::Listed(Lookup::new(
                table,
                scan.primary_keys(env)?,
            )));
        }
        Ok(match &self.subscription.query().range {
            Range::Between(lower, upper) => {
                let scan = Scan::new(table, lower.clone(), upper.clone());
                Documents::Between(Box::new(scan))
            }
            Range::Keys(keys) => {
                // `has_sent` compares the key of a change with the last key of each read.
                let mut keys = keys.clone();
                keys.sort_unstable();
                Documents::Keys(Lookup::new(table, keys))
            }
        })
    }

    /// Returns `true` if the change with this key and commit number was sent as part of an initial value.
    fn has_sent(&self, key: &[u8], seq: u64) -> bool {
        let read = self
            .reads
            .iter()
            .find(|(up_to, _)| up_to.as_deref().is_none_or(|up_to| key <= up_to));
        let is_covered = read.is_some_and(|(_, contained)| seq <= *contained);
        is_covered
            && self
                .listed
                .as_ref()
                .is_none_or(|listed| listed.had(key, seq))
    }

    /// Reports a state if the client asked for it.
    fn state(&self, state: &str, batch: &mut Vec<Bytes>) -> Result<(), ReqlError> {
        if self.options.include_states {
            let kind = self.options.include_types.then(|| ("type", "state".into()));
            batch.push(encode(&Datum::object(
                [("state", state.into())].into_iter().chain(kind),
            ))?);
        }
        Ok(())
    }
}

impl Listed {
    /// Returns `true` if the document was read after this commit, or was not in the feed at the time of the listing,
    /// which was after this commit.
    fn had(&self, key: &[u8], seq: u64) -> bool {
        let is_listed = |other: &Vec<u8>| other.as_slice().cmp(key);
        seq <= self.seq || self.keys.binary_search_by(is_listed).is_ok()
    }
}

/// Decodes an element that was encoded by the engine.
fn decode(json: &[u8]) -> Result<Datum, ReqlError> {
    let node = Node::parse(json)
        .map_err(|error| ReqlError::new(ErrorKind::Internal, error.to_string()))?;
    datum::from_node(node)
}
