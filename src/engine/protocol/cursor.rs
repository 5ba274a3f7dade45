//! A query and what is left of its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::engine::error::ReqlError;
use crate::engine::eval::{self, Env, Feed, Globals, Scope, Stream, Value};
use crate::engine::protocol::session::Shared;
use crate::engine::protocol::wire::{Frame, Notes, Start};

/// A query of one client, known by its token as long as it is not done.
pub(crate) struct Cursor {
    token: i64,
    rest: Mutex<Option<Rest>>,
    stopped: CancellationToken,
    /// Makes an evaluation that is under way fail soon.
    interrupted: Arc<AtomicBool>,
    waiting: Arc<AtomicUsize>,
}

/// What is left of a stream, and the optional arguments that its steps are evaluated with.
struct Rest {
    stream: Stream,
    globals: Globals,
}

/// A frame for the client, and whether the query is done with it.
pub(crate) struct Answer {
    pub(crate) frame: Frame,
    pub(crate) is_last: bool,
}

impl From<Frame> for Answer {
    /// The last answer of a query.
    fn from(frame: Frame) -> Self {
        Self {
            frame,
            is_last: true,
        }
    }
}

impl Cursor {
    /// A query that has not been evaluated.
    pub(crate) fn new(token: i64) -> Self {
        Self {
            token,
            rest: Mutex::new(None),
            stopped: CancellationToken::new(),
            interrupted: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// The client's name for the query.
    pub(crate) fn token(&self) -> i64 {
        self.token
    }

    /// How many requests wait for more of the stream.
    pub(crate) fn waiting(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.waiting)
    }

    /// Ends the query: whoever works on it stops soon.
    pub(crate) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        self.stopped.cancel();
    }

    /// Waits for whoever still works on the query, and lets go of the stream.
    pub(crate) async fn finish(&self) {
        *self.rest.lock().await = None;
    }

    /// Evaluates the query and gives the first answer.
    pub(crate) async fn start(&self, shared: &Shared, start: Start) -> Answer {
        let mut rest = self.rest.lock().await;
        // The semaphore is never closed.
        let _evaluating = shared.evaluations.acquire().await;
        let evaluated = tokio::task::block_in_place(|| self.evaluate(shared, start, &mut rest));
        self.finish_answer(evaluated, &mut rest)
    }

    fn evaluate(
        &self,
        shared: &Shared,
        start: Start,
        rest: &mut Option<Rest>,
    ) -> Result<Answer, ReqlError> {
        let term = start.term?;
        let globals = eval::globals(&start.optargs)?;
        let env = self.env(shared, &globals);
        match env.eval(&term, &Scope::default())? {
            value @ (Value::Table(_) | Value::Stream(_)) => {
                let stream = value.into_stream()?;
                if stream.is_array {
                    return Ok(Frame::atom(self.token, &stream.collect(&env)?.into())?.into());
                }
                let rest = rest.insert(Rest { stream, globals });
                self.next_batch(&env, rest).map(|(_, answer)| answer)
            }
            other => Ok(Frame::atom(self.token, &other.into_datum(&env)?)?.into()),
        }
    }

    /// Waits until a feed has something to tell, or is stopped. Anything else has it already.
    pub(crate) async fn wait_for_change(&self) {
        let waited = async {
            loop {
                let (changed, gather) = {
                    let mut rest = self.rest.lock().await;
                    let feed = rest.as_mut().and_then(|rest| rest.stream.feed());
                    let Some(feed) = feed.filter(|feed| feed.is_live()) else {
                        return;
                    };
                    let changed = (!feed.has_waiting()).then(|| feed.changed());
                    (changed, feed.squash_interval())
                };
                match changed {
                    Some(changed) => changed.await,
                    None => return tokio::time::sleep(gather).await,
                }
            }
        };
        tokio::select! {
            () = waited => {}
            () = self.stopped.cancelled() => {}
        }
    }

    /// Gives the next answer of the stream; `None` for a feed of which there is nothing to tell yet.
    pub(crate) async fn go_on(&self, shared: &Shared) -> Option<Answer> {
        let mut rest = self.rest.lock().await;
        let Some(left) = rest.as_mut() else {
            return Some(self.empty());
        };
        let env = self.env(shared, &left.globals);
        let is_live = left.stream.feed().is_some_and(|feed| feed.is_live());
        let batch = match is_live {
            // Nothing has to be read from the disk.
            true => self.next_batch(&env, left),
            false => {
                let _evaluating = shared.evaluations.acquire().await;
                tokio::task::block_in_place(|| self.next_batch(&env, left))
            }
        };
        let has_nothing = matches!(&batch, Ok((0, answer)) if !answer.is_last);
        if has_nothing && !self.stopped.is_cancelled() {
            return None;
        }
        Some(self.finish_answer(batch.map(|(_, answer)| answer), &mut rest))
    }

    /// The next elements: how many, and the answer that holds them.
    fn next_batch(&self, env: &Env, rest: &mut Rest) -> Result<(usize, Answer), ReqlError> {
        let (batch, more) = rest.stream.next_batch(env)?;
        let notes = rest
            .stream
            .feed()
            .map(|feed| notes_of(feed))
            .unwrap_or_default();
        let frame = Frame::sequence(self.token, &batch, more, notes);
        Ok((
            batch.len(),
            Answer {
                frame,
                is_last: !more,
            },
        ))
    }

    /// A query that was stopped answers with an empty sequence, whatever became of it, as RethinkDB does.
    fn finish_answer(&self, answer: Result<Answer, ReqlError>, rest: &mut Option<Rest>) -> Answer {
        let answer = match answer {
            _ if self.stopped.is_cancelled() => self.empty(),
            Ok(answer) => answer,
            Err(error) => Frame::error(self.token, &error).into(),
        };
        if answer.is_last {
            *rest = None;
        }
        answer
    }

    fn empty(&self) -> Answer {
        Frame::sequence(self.token, &[], false, Notes::default()).into()
    }

    fn env(&self, shared: &Shared, globals: &Globals) -> Env {
        Env::new(
            Arc::clone(&shared.context),
            Arc::clone(globals),
            Arc::clone(&self.interrupted),
        )
    }
}

/// The notes that every answer of a feed carries.
fn notes_of(feed: &Feed) -> Notes {
    Notes {
        table_feed: !feed.is_point(),
        point_feed: feed.is_point(),
        include_states: feed.includes_states(),
    }
}
