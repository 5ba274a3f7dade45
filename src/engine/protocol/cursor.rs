//! A cursor: one query of a client and the rest of its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::evaluator::Evaluator;
use super::wire::{Frame, Notes, Start};
use crate::engine::error::ReqlError;
use crate::engine::eval::{self, Env, Feed, Globals, Scope, Stream, Value};

/// The most CONTINUE requests that may wait for one query.
const MAX_PENDING_CONTINUES: usize = 16;

/// The time for which a feed still gathers changes when its queue fills up, so that the rest of the same write is sent
/// along with the changes that filled it.
const LAST_CHANGES: Duration = Duration::from_millis(5);

/// A query of one client, identified by its token until its last response.
pub(crate) struct Cursor {
    token: i64,
    rest: Mutex<Option<Rest>>,
    stopped: CancellationToken,
    /// Set to abort a running evaluation.
    interrupted: Arc<AtomicBool>,
    pending_continues: AtomicUsize,
}

/// The rest of a stream, and the global optional arguments to evaluate it with.
struct Rest {
    stream: Stream,
    globals: Globals,
}

/// A response to a query.
pub(crate) struct Response {
    pub(crate) frame: Frame,
    /// `true` if no other response of the query follows.
    pub(crate) is_last: bool,
}

impl From<Frame> for Response {
    /// The last response of a query.
    fn from(frame: Frame) -> Self {
        Self {
            frame,
            is_last: true,
        }
    }
}

impl Cursor {
    /// A query that has not been evaluated yet.
    pub(crate) fn new(token: i64) -> Self {
        Self {
            token,
            rest: Mutex::new(None),
            stopped: CancellationToken::new(),
            interrupted: Arc::default(),
            pending_continues: AtomicUsize::new(0),
        }
    }

    /// The client's identifier of the query.
    pub(crate) fn token(&self) -> i64 {
        self.token
    }

    /// Ends the query: aborts a running evaluation and wakes a pending [`Cursor::wait_until_ready`].
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        self.stopped.cancel();
    }

    /// Waits until the query is no longer evaluated, then drops the rest of its stream.
    pub(crate) async fn finish(&self) {
        *self.rest.lock().await = None;
    }

    /// Evaluates the query. Returns the first response.
    pub(crate) async fn start(&self, evaluator: &Evaluator, start: Start) -> Response {
        // Locked during the evaluation, so that `finish` waits for it.
        let mut rest = self.rest.lock().await;
        let evaluated = if start.is_immediate() {
            // A crowd of viewers opens its feeds at once: no handing over to another thread for each.
            self.evaluate(evaluator, start, &mut rest)
        } else {
            evaluator
                .run(|| self.evaluate(evaluator, start, &mut rest))
                .await
        };
        self.respond(evaluated, &mut rest)
    }

    fn evaluate(
        &self,
        evaluator: &Evaluator,
        start: Start,
        rest: &mut Option<Rest>,
    ) -> Result<Response, ReqlError> {
        let term = start.term?;
        let globals = eval::globals(&start.optargs)?;
        let env = self.env(evaluator, &globals);
        match env.eval(&term, &Scope::default())? {
            value @ (Value::Table(_) | Value::Stream(_)) => {
                let stream = value.into_stream()?;
                if stream.is_array {
                    return Ok(Frame::atom(self.token, &stream.collect(&env)?.into())?.into());
                }
                let rest = rest.insert(Rest { stream, globals });
                self.next_batch(&env, rest).map(|(_, response)| response)
            }
            other => Ok(Frame::atom(self.token, &other.into_datum(&env)?)?.into()),
        }
    }

    /// Registers a CONTINUE request until the guard is dropped. `None` if too many are pending.
    pub(crate) fn register_continue(self: &Arc<Self>) -> Option<PendingContinue> {
        // Created before the check, so that dropping it undoes the count of a rejected request.
        let pending = PendingContinue(Arc::clone(self));
        let before = self.pending_continues.fetch_add(1, Ordering::Relaxed);
        (before < MAX_PENDING_CONTINUES).then_some(pending)
    }

    /// Waits until a feed has elements or is stopped. Returns immediately for any other stream. Cancellation safe.
    pub(crate) async fn wait_until_ready(&self) {
        tokio::select! {
            () = self.wait_for_changes() => {}
            () = self.stopped.cancelled() => {}
        }
    }

    async fn wait_for_changes(&self) {
        // Set once there are changes: squashing feeds gather further ones until then.
        let mut end = None;
        loop {
            // Unlocked before the wait, so that `finish` is not blocked by an idle feed.
            let (changed, is_urgent) = {
                let mut rest = self.rest.lock().await;
                let feed = rest.as_mut().and_then(|rest| rest.stream.feed());
                let Some(feed) = feed.filter(|feed| feed.is_live()) else {
                    return;
                };
                if feed.has_pending() {
                    let interval = feed.squash_interval();
                    if interval.is_zero() {
                        return;
                    }
                    end.get_or_insert_with(|| Instant::now() + interval);
                }
                (feed.changed(), feed.is_urgent())
            };
            match end {
                None => changed.await,
                Some(end) if is_urgent => {
                    return tokio::time::sleep_until(end.min(Instant::now() + LAST_CHANGES)).await;
                }
                Some(end) => {
                    if tokio::time::timeout_at(end, changed).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    /// Returns the next response of the stream, or `None` for a feed without new elements.
    pub(crate) async fn resume(&self, evaluator: &Evaluator) -> Option<Response> {
        let mut rest = self.rest.lock().await;
        // The query has ended since this CONTINUE arrived.
        let Some(left) = rest.as_mut() else {
            return Some(self.empty());
        };
        let env = self.env(evaluator, &left.globals);
        let is_live = left.stream.feed().is_some_and(|feed| feed.is_live());
        let batch = if is_live {
            // The changes are in memory, so this does not block and needs no evaluation slot.
            self.next_batch(&env, left)
        } else {
            evaluator.run(move || self.next_batch(&env, left)).await
        };
        let is_empty = matches!(&batch, Ok((0, response)) if !response.is_last);
        if is_empty && !self.stopped.is_cancelled() {
            return None;
        }
        Some(self.respond(batch.map(|(_, response)| response), &mut rest))
    }

    /// The number of the next elements, and the response that holds them.
    fn next_batch(&self, env: &Env, rest: &mut Rest) -> Result<(usize, Response), ReqlError> {
        let (batch, more) = rest.stream.next_batch(env)?;
        let notes = rest.stream.feed().map(|feed| notes_of(feed));
        let frame = Frame::sequence(self.token, &batch, more, notes.unwrap_or_default());
        let response = Response {
            frame,
            is_last: !more,
        };
        Ok((batch.len(), response))
    }

    /// Turns a result into a response. A stopped query always responds with an empty sequence, as in RethinkDB (golden:
    /// `stop_while_continue_waits_answers_both`).
    fn respond(&self, result: Result<Response, ReqlError>, rest: &mut Option<Rest>) -> Response {
        let response = match result {
            _ if self.stopped.is_cancelled() => self.empty(),
            Ok(response) => response,
            Err(error) => Frame::error(self.token, &error).into(),
        };
        if response.is_last {
            *rest = None;
        }
        response
    }

    /// The empty sequence that ends a stream.
    pub(crate) fn empty(&self) -> Response {
        Frame::sequence(self.token, &[], false, Notes::default()).into()
    }

    fn env(&self, evaluator: &Evaluator, globals: &Globals) -> Env {
        Env::new(
            Arc::clone(evaluator.context()),
            Arc::clone(globals),
            Arc::clone(&self.interrupted),
        )
    }
}

/// A pending CONTINUE request of a query.
pub(crate) struct PendingContinue(Arc<Cursor>);

impl Drop for PendingContinue {
    fn drop(&mut self) {
        self.0.pending_continues.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The notes in every response of a feed.
fn notes_of(feed: &Feed) -> Notes {
    Notes {
        table_feed: !feed.is_point(),
        point_feed: feed.is_point(),
        include_states: feed.includes_states(),
    }
}
