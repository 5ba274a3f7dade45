//! A feed that never ends: when one breaks off, the next begins.

use std::time::Duration;

use futures::stream::{LocalBoxStream, StreamExt as _, unfold};
use rand::RngExt as _;
use tokio::time::sleep;

use super::protocol::message::ShownState;
use crate::image::ImageId;
use crate::store::{Feed, FeedEvent, FeedState, StoreError};

/// How long to wait before the first attempt at a new feed; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a viewer is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ViewerEvent<T> {
    State(ShownState),
    Update(T),
    Delete(ImageId),
}

/// Where a following stands.
enum Step<T> {
    /// Opening a feed comes next.
    Open,
    /// Reading this one.
    Read(Feed<T>),
    /// Waiting comes next, for the feed ended.
    Pause,
}

struct Following<T, O> {
    step: Step<T>,
    open: O,
    pause: Duration,
    /// Whether the viewer knows that there is no feed now.
    is_interrupted: bool,
}

/// Follows the feed that `open` gives; when it ends, says `interrupted`, waits longer each time, and opens a new one, which
/// begins with `initializing`. Dropping the stream closes the feed's connection.
pub(crate) fn follow<T, O, F>(open: O) -> LocalBoxStream<'static, ViewerEvent<T>>
where
    T: 'static,
    O: Fn() -> F + 'static,
    F: Future<Output = Result<Feed<T>, StoreError>> + 'static,
{
    let following = Following {
        step: Step::Open,
        open,
        pause: FIRST_PAUSE,
        is_interrupted: false,
    };
    unfold(following, |mut following| async move {
        let told = following.next().await;
        Some((told, following))
    })
    .boxed_local()
}

impl<T, O, F> Following<T, O>
where
    O: Fn() -> F,
    F: Future<Output = Result<Feed<T>, StoreError>>,
{
    async fn next(&mut self) -> ViewerEvent<T> {
        loop {
            match &mut self.step {
                Step::Pause => {
                    sleep(self.pause.mul_f64(rand::rng().random_range(0.5..1.5))).await;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    self.step = Step::Open;
                }
                Step::Open => match (self.open)().await {
                    Ok(feed) => self.step = Step::Read(feed),
                    Err(error) => {
                        if self.interrupt(&error) {
                            return ViewerEvent::State(ShownState::Interrupted);
                        }
                    }
                },
                Step::Read(feed) => {
                    let ended = || Err(StoreError::FeedEnded("it was closed".to_owned()));
                    match feed.next().await.unwrap_or_else(ended) {
                        Ok(event) => return self.tell(event),
                        Err(error) => {
                            if self.interrupt(&error) {
                                return ViewerEvent::State(ShownState::Interrupted);
                            }
                        }
                    }
                }
            }
        }
    }

    fn tell(&mut self, event: FeedEvent<T>) -> ViewerEvent<T> {
        match event {
            FeedEvent::State(FeedState::Initializing) => {
                self.is_interrupted = false;
                ViewerEvent::State(ShownState::Initializing)
            }
            FeedEvent::State(FeedState::Ready) => {
                self.pause = FIRST_PAUSE;
                ViewerEvent::State(ShownState::Ready)
            }
            FeedEvent::Update(image) => ViewerEvent::Update(image),
            FeedEvent::Delete(id) => ViewerEvent::Delete(id),
        }
    }

    /// Lets a pause come next. Whether the viewer must be told that the feed is interrupted.
    fn interrupt(&mut self, error: &StoreError) -> bool {
        // A thousand viewers lose their feeds together, so this is not for everyday's log.
        log::debug!("a viewer's feed was interrupted: {error}");
        self.step = Step::Pause;
        !std::mem::replace(&mut self.is_interrupted, true)
    }
}
