//! `changes`: a sequence that goes on as long as the table does.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::Env;
use super::func::Scope;
use super::stream::{BATCH_BYTES, Source, Stream, key_of};
use super::value::{Row, Table, Value};
use crate::engine::changefeed::{FeedQuery, Range, Subscription, Waiting, overflow_element};
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::eval::term::Call;

/// How many changes wait for a slow client unless the query says so (RethinkDB's default).
const QUEUE_SIZE: usize = 100_000;

/// A feed: first what is there, if the query asked for it, then what changes.
#[derive(Debug)]
pub(crate) struct Feed {
    table: Table,
    subscription: Subscription,
    options: Options,
    /// For a feed of one document: its key, whether or not it exists.
    point: Option<Vec<u8>>,
    phase: Phase,
    /// Up to which key the initial values were read, and the number of the last commit that they contain, in the order
    /// of the keys. A change that an initial value contains is not sent again.
    reads: Vec<(Option<Vec<u8>>, u64)>,
    /// Elements that are ready, for steps that take them one at a time.
    ready: VecDeque<Datum>,
}

#[derive(Debug)]
enum Phase {
    /// Nothing was sent yet.
    Start,
    /// The initial values of the rest of this stream are still to come.
    Initial(Box<Stream>),
    /// Changes as they come.
    Live,
}

/// What the optional arguments say.
#[derive(Debug, Clone, Copy)]
struct Options {
    include_initial: bool,
    include_states: bool,
    include_types: bool,
    squash: bool,
    squash_interval: Duration,
    queue_size: usize,
}

/// `changes`.
pub(crate) fn changes(env: &Env, call: &Call, scope: &Scope) -> Result<Value, ReqlError> {
    let options = Options::new(env, call, scope)?;
    let (table, range, steps, point) = match env.eval(&call.args[0], scope)? {
        Value::Row(Row { table, key, .. }) => {
            let key = primary_key(&key)?;
            (table, Range::Keys(vec![key.clone()]), Vec::new(), Some(key))
        }
        other => range_of(other.into_stream()?)?,
    };
    let is_shared = scope.is_empty() && !options.squash;
    let text = is_shared.then(|| call.args[0].to_json()).transpose()?;
    let query = FeedQuery {
        table: table.id,
        range,
        steps,
        include_types: options.include_types,
        wants_values: options.squash,
        text,
    };
    let subscription = env
        .context()?
        .hub
        .subscribe(query, options.queue_size, options.squash);
    // What is committed up to here either was published to the queue too, and is recognised by its number, or is in
    // the snapshot alone; what comes later is in the queue.
    let seq = env.fresh_snapshot()?.seq();
    let reads = if options.include_initial {
        Vec::new()
    } else {
        vec![(None, seq)]
    };
    let feed = Feed {
        table,
        subscription,
        options,
        point,
        phase: Phase::Start,
        reads,
        ready: VecDeque::new(),
    };
    Ok(Value::Stream(Stream::wrap(
        Source::Feed(Box::new(feed)),
        None,
        false,
    )))
}

type Followed = (Table, Range, Vec<super::step::Step>, Option<Vec<u8>>);

/// What of a table a stream reads.
fn range_of(stream: Stream) -> Result<Followed, ReqlError> {
    if stream.steps.iter().any(|step| !step.is_deterministic()) {
        return Err(ReqlError::logic(
            "Cannot call `changes` after a non-deterministic function.",
        ));
    }
    match stream.source {
        Source::Scan(scan) => Ok((
            scan.table,
            Range::Between(scan.lower, scan.upper),
            stream.steps,
            None,
        )),
        Source::Keys(table, keys) => Ok((table, Range::Keys(keys.into()), stream.steps, None)),
        Source::Limit(inner, _) => Err(ReqlError::logic(match inner.source {
            Source::Scan(scan) if scan.is_ordered => {
                "The embedded engine does not implement `changes` after `order_by` and `limit`."
            }
            Source::Index(_) => {
                "The embedded engine does not implement `changes` after `order_by` and `limit`."
            }
            _ => "Cannot get changes on the first elements of an unordered stream.",
        })),
        Source::Index(_) => Err(ReqlError::logic(
            "The embedded engine does not implement `changes` of a secondary index.",
        )),
        Source::ConcatMap(..) => Err(ReqlError::logic(
            "Cannot call `changes` after `concat_map`.",
        )),
        _ => Err(ReqlError::logic(
            "Cannot call `changes` on an eager stream.",
        )),
    }
}

impl Options {
    fn new(env: &Env, call: &Call, scope: &Scope) -> Result<Self, ReqlError> {
        let value = |name: &str| {
            call.optarg(name)
                .map(|value| env.datum(value, scope))
                .transpose()
        };
        let flag = |name: &str| -> Result<bool, ReqlError> {
            Ok(value(name)?.is_some_and(|flag| flag.is_truthy()))
        };
        let (squash, seconds) = match value("squash")? {
            None => (false, 0.0),
            Some(Datum::Bool(squash)) => (squash, 0.0),
            Some(Datum::Number(seconds)) if seconds > 0.0 => (true, seconds),
            Some(Datum::Number(_)) => {
                return Err(ReqlError::logic(
                    "Expected BOOL or a positive NUMBER but found a negative NUMBER.",
                ));
            }
            Some(other) => {
                let found = other.type_name();
                return Err(ReqlError::logic(format!(
                    "Expected BOOL or NUMBER but found {found}."
                )));
            }
        };
        if flag("include_offsets")? {
            return Err(ReqlError::logic("Cannot include offsets for range subs."));
        }
        let queue_size = match value("changefeed_queue_size")? {
            Some(size) => Some(size),
            None => env.global("changefeed_queue_size")?,
        };
        let queue_size = queue_size.map(|size| size.as_integer()).transpose()?;
        let queue_size = queue_size.map(|size| {
            usize::try_from(size)
                .ok()
                .filter(|size| *size > 0)
                .ok_or_else(|| {
                    ReqlError::logic(format!(
                        "Illegal changefeed queue size `{size}`.  (Must be >= 1.)"
                    ))
                })
        });
        Ok(Self {
            include_initial: flag("include_initial")?,
            include_states: flag("include_states")?,
            include_types: flag("include_types")?,
            squash,
            squash_interval: Duration::from_secs_f64(seconds.min(3600.0)),
            queue_size: queue_size.transpose()?.unwrap_or(QUEUE_SIZE),
        })
    }
}

impl Feed {
    /// Whether the feed follows a single document.
    pub(crate) fn is_point(&self) -> bool {
        self.point.is_some()
    }

    /// Whether the feed reports its state (`include_states`).
    pub(crate) fn includes_states(&self) -> bool {
        self.options.include_states
    }

    /// Whether only changes are left, so that the next batch needs nothing from the disk.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// Whether there is something to take.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.ready.is_empty() || self.subscription.has_waiting()
    }

    /// Waits until something may have changed. Cancellation safe.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        self.subscription.changed()
    }

    /// For how long the client wants changes to be gathered.
    pub(crate) fn squash_interval(&self) -> Duration {
        self.options.squash_interval
    }

    /// The next element as a value, `None` when nothing has happened yet.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.ready.is_empty() {
            for element in self.next_encoded(env, BATCH_BYTES)? {
                self.ready.push_back(super::datum_of_json(&element)?);
            }
        }
        Ok(self.ready.pop_front())
    }

    /// The next elements as JSON, up to about `limit` bytes; none when nothing has happened yet.
    ///
    /// # Errors
    /// When the table was dropped, and when the disk fails.
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
            Waiting::Skipped(count) => batch.push(overflow_element(count)),
            Waiting::Ended if batch.is_empty() => {
                return Err(ReqlError::op_failed("Changefeed aborted (unavailable)."));
            }
            Waiting::Ended => {}
            Waiting::Items(items) => {
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

    fn start(&mut self, batch: &mut Vec<Bytes>) -> Result<(), ReqlError> {
        if !self.options.include_initial {
            self.phase = Phase::Live;
            return self.state("ready", batch);
        }
        self.state("initializing", batch)?;
        let stream = match &self.subscription.query().range {
            Range::Between(lower, upper) => {
                Stream::scan_between(self.table.clone(), lower.clone(), upper.clone())
            }
            Range::Keys(keys) => Stream::keys(self.table.clone(), keys.clone()),
        };
        self.phase = Phase::Initial(Box::new(stream));
        Ok(())
    }

    /// Reads some of the initial values from a snapshot of its own, so that a slow client holds none.
    fn read_initial(
        &mut self,
        env: &Env,
        limit: usize,
        batch: &mut Vec<Bytes>,
    ) -> Result<(), ReqlError> {
        let seq = env.fresh_snapshot()?.seq();
        let Phase::Initial(stream) = &mut self.phase else {
            return Ok(());
        };
        let query = self.subscription.query();
        let mut bytes = 0;
        let mut last = None;
        while bytes < limit {
            let Some(document) = stream.next(env)? else {
                self.reads.push((None, seq));
                if self.point.is_some() && last.is_none() {
                    batch.push(initial(Datum::Null, self.options.include_types)?);
                }
                self.phase = Phase::Live;
                return self.state("ready", batch);
            };
            last = Some(key_of(&self.table, &document)?);
            if let Some(seen) = query.view(env, Some(&document))? {
                let element = initial(seen, self.options.include_types)?;
                bytes += element.len();
                batch.push(element);
            }
        }
        stream.pause();
        self.reads.push((last, seq));
        Ok(())
    }

    /// Whether an initial value already contains a change.
    fn has_sent(&self, key: &[u8], seq: u64) -> bool {
        let read = self
            .reads
            .iter()
            .find(|(up_to, _)| up_to.as_deref().is_none_or(|up_to| key <= up_to));
        read.is_some_and(|(_, contained)| seq <= *contained)
    }

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

/// The element for a document that was there before the feed.
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
