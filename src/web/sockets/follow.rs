//! A feed that reopens itself after a failure.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{LocalBoxStream, Stream, StreamExt as _, unfold};
use rand::RngExt as _;
use tokio::time::sleep;

use super::metrics::SessionMetrics;
use super::protocol::events::ViewerFeedState;
use crate::image::ImageId;
use crate::store::{Feed, FeedEvent, FeedState, StoreError};

/// The delay before the first attempt to reopen a feed. It doubles with each further attempt.
const MIN_DELAY: Duration = Duration::from_millis(100);

/// The longest delay between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// An event of a feed that never ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ViewerEvent<T> {
    State(ViewerFeedState),
    /// All images.
    Initial(Arc<[T]>),
    Update(T),
    Delete {
        id: ImageId,
        by: Option<String>,
    },
}

enum Step<T> {
    Open,
    Read(Feed<T>),
    Delay,
}

struct Follower<T, O> {
    step: Step<T>,
    open: O,
    delay: Duration,
    /// True if the viewer has been sent `interrupted` since the feed last worked.
    is_interrupted: bool,
    metrics: SessionMetrics,
}

/// Follows the feed that `open` opens. When it fails, the stream yields `Interrupted` once and reopens the feed with
/// exponential backoff; the new feed starts with `Initializing`. Dropping the stream closes the feed's connection.
pub(crate) fn follow<T, O, F>(
    metrics: SessionMetrics,
    open: O,
) -> LocalBoxStream<'static, ViewerEvent<T>>
where
    T: 'static,
    Feed<T>: Stream<Item = Result<FeedEvent<T>, StoreError>> + Unpin,
    O: Fn() -> F + 'static,
    F: Future<Output = Result<Feed<T>, StoreError>> + 'static,
{
    let follower = Follower {
        step: Step::Open,
        open,
        delay: MIN_DELAY,
        is_interrupted: false,
        metrics,
    };
    unfold(follower, |mut follower| async move {
        let event = follower.next().await;
        Some((event, follower))
    })
    .boxed_local()
}

impl<T, O, F> Follower<T, O>
where
    Feed<T>: Stream<Item = Result<FeedEvent<T>, StoreError>> + Unpin,
    O: Fn() -> F,
    F: Future<Output = Result<Feed<T>, StoreError>>,
{
    async fn next(&mut self) -> ViewerEvent<T> {
        loop {
            let failure = match &mut self.step {
                Step::Delay => {
                    // Jitter spreads the reconnects of all viewers after an outage.
                    sleep(self.delay.mul_f64(rand::rng().random_range(0.5..1.5))).await;
                    self.delay = (self.delay * 2).min(MAX_DELAY);
                    self.step = Step::Open;
                    continue;
                }
                // Boxed, because each viewer keeps room for it while it reads.
                Step::Open => match Box::pin((self.open)()).await {
                    Ok(feed) => {
                        self.step = Step::Read(feed);
                        continue;
                    }
                    Err(error) => error,
                },
                Step::Read(feed) => match feed.next().await {
                    Some(Ok(event)) => return self.translate(event),
                    Some(Err(error)) => error,
                    None => StoreError::FeedEnded("it was closed".to_owned()),
                },
            };
            if self.interrupt(&failure) {
                return ViewerEvent::State(ViewerFeedState::Interrupted);
            }
        }
    }

    fn translate(&mut self, event: FeedEvent<T>) -> ViewerEvent<T> {
        match event {
            FeedEvent::State(FeedState::Initializing) => {
                self.is_interrupted = false;
                ViewerEvent::State(ViewerFeedState::Initializing)
            }
            FeedEvent::State(FeedState::Ready) => {
                self.delay = MIN_DELAY;
                ViewerEvent::State(ViewerFeedState::Ready)
            }
            FeedEvent::Initial(images) => ViewerEvent::Initial(images),
            FeedEvent::Update(image) => ViewerEvent::Update(image),
            FeedEvent::Delete { id, by } => ViewerEvent::Delete { id, by },
        }
    }

    /// Schedules a delay. Returns whether the viewer has yet to be told of the interruption.
    fn interrupt(&mut self, error: &StoreError) -> bool {
        // At debug level, because all viewers lose their feeds at once.
        log::debug!("the feed of a viewer was interrupted: {error}");
        self.metrics.count_interruption(error);
        self.step = Step::Delay;
        !std::mem::replace(&mut self.is_interrupted, true)
    }
}
