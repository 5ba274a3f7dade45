//! The sequence of a feed's elements.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::options::Options;
use super::visible::visible;
use crate::engine::changefeed::{Pending, Range, Subscription, overflow_element};
use crate::engine::datum::json::Node;
use crate::engine::datum::{self, Datum};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::env::{BATCH_BYTES, Env};
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
    /// The key of a feed of one document.
    point: Option<Vec<u8>>,
    phase: Phase,
    /// The reads of initial values, in key order: the last key of each (`None` for the end), and the number of the last
    /// commit in its snapshot. Changes already contained in an initial value are not sent again.
    reads: Vec<(Option<Vec<u8>>, u64)>,
    /// Decoded elements, for terms after `changes` that take them one at a time.
    ready: VecDeque<Datum>,
}

/// The progress of a feed.
#[derive(Debug)]
enum Phase {
    /// Nothing has been sent.
    Start,
    /// The initial values of these documents are being sent.
    Initial(Documents),
    /// Only changes remain.
    Live,
}

/// The documents that a feed covers.
#[derive(Debug)]
enum Documents {
    Between(Box<Scan>),
    Keys(Lookup),
}

impl Feed {
    /// A feed that was subscribed before the snapshot of commit `seq` was taken. `point` is the key if the feed follows
    /// a single document.
    pub(super) fn new(
        table: Table,
        subscription: Subscription,
        steps: Arc<[Step]>,
        options: Options,
        point: Option<Vec<u8>>,
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
            point,
            phase: Phase::Start,
            reads,
            ready: VecDeque::new(),
        }
    }

    /// Returns `true` if the feed follows a single document.
    pub(crate) fn is_point(&self) -> bool {
        self.point.is_some()
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
        if let Phase::Start = self.phase {
            self.start(&mut batch)?;
        }
        if let Phase::Initial(_) = self.phase {
            self.read_initial(env, limit, &mut batch)?;
            return Ok(batch);
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
            }
        }
        Ok(batch)
    }

    /// Leaves [`Phase::Start`].
    fn start(&mut self, batch: &mut Vec<Bytes>) -> Result<(), ReqlError> {
        if !self.options.include_initial {
            self.phase = Phase::Live;
            return self.state("ready", batch);
        }
        self.state("initializing", batch)?;
        let documents = match &self.subscription.query().range {
            Range::Between(lower, upper) => Documents::Between(Box::new(Scan::new(
                self.table.clone(),
                lower.clone(),
                upper.clone(),
            ))),
            Range::Keys(keys) => {
                // `has_sent` compares the key of a change with the last key of each read.
                let mut keys = keys.clone();
                keys.sort_unstable();
                Documents::Keys(Lookup {
                    table: self.table.clone(),
                    keys: keys.into(),
                })
            }
        };
        self.phase = Phase::Initial(documents);
        Ok(())
    }

    /// Reads a batch of initial values. Each batch has its own snapshot, so a slow client holds none.
    fn read_initial(
        &mut self,
        env: &Env,
        limit: usize,
        batch: &mut Vec<Bytes>,
    ) -> Result<(), ReqlError> {
        let seq = env.fresh_snapshot()?.seq();
        let Phase::Initial(documents) = &mut self.phase else {
            return Ok(());
        };
        let mut bytes = 0;
        let mut last = None;
        while bytes < limit {
            let Some(document) = documents.next(env)? else {
                self.reads.push((None, seq));
                // A point feed of a missing document starts with null.
                if self.point.is_some() && last.is_none() {
                    batch.push(initial(Datum::Null, self.options.include_types)?);
                }
                self.phase = Phase::Live;
                return self.state("ready", batch);
            };
            last = Some(self.table.key_of(&document)?);
            if let Some(seen) = visible(env, &self.steps, Some(&document))? {
                let element = initial(seen, self.options.include_types)?;
                bytes += element.len();
                batch.push(element);
            }
        }
        // Documents read ahead are from this snapshot, but the next entry in `reads` is for a later one.
        documents.pause();
        self.reads.push((last, seq));
        Ok(())
    }

    /// Returns `true` if the change with this key and commit number was sent as part of an initial value.
    fn has_sent(&self, key: &[u8], seq: u64) -> bool {
        let read = self
            .reads
            .iter()
            .find(|(up_to, _)| up_to.as_deref().is_none_or(|up_to| key <= up_to));
        read.is_some_and(|(_, contained)| seq <= *contained)
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

impl Documents {
    fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        env.check_interrupted()?;
        match self {
            Self::Between(scan) => scan.next(env),
            Self::Keys(lookup) => lookup.next(env),
        }
    }

    fn pause(&mut self) {
        if let Self::Between(scan) = self {
            scan.pause();
        }
    }
}

/// The element of an initial value.
fn initial(document: Datum, include_types: bool) -> Result<Bytes, ReqlError> {
    let kind = include_types.then(|| ("type", "initial".into()));
    encode(&Datum::object(
        [("new_val", document)].into_iter().chain(kind),
    ))
}

fn encode(element: &Datum) -> Result<Bytes, ReqlError> {
    let mut json = Vec::new();
    element.write_json(&mut json)?;
    Ok(json.into())
}

/// Decodes an element that was encoded by the engine.
fn decode(json: &[u8]) -> Result<Datum, ReqlError> {
    let node = Node::parse(json)
        .map_err(|error| ReqlError::new(ErrorKind::Internal, error.to_string()))?;
    datum::from_node(node)
}
