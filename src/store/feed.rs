//! Following the tables: one changefeed on one session of its own for each viewer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_stream::stream;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _};
use reql::Command;
use reql::cmd::changes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::connection::no_answer;
use super::error::{StoreError, shorten};
use super::{Store, is_deleted, read, without_bytes};
use crate::image::{ImageId, ImageMeta, ImageRecord};

/// How long the first element of a feed, which comes at once, may take.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// How many changes the database keeps for a viewer of the board who does not read. Then it drops them all, and the feed
/// begins anew. A thousand are about half a megabyte.
const BOARD_QUEUE: u32 = 1_000;

/// The same for a viewer of the latest image, to whom only the last of them matters.
const LATEST_QUEUE: u32 = 64;

/// How far a feed has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedState {
    /// What follows is how things stand.
    Initializing,
    /// What follows are changes.
    Ready,
}

/// What a feed tells.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent<T> {
    /// The feed has come so far.
    State(FeedState),
    /// How this image is, initially or since a change.
    Update(T),
    /// This image is gone.
    Delete(ImageId),
}

/// What the feed of the board tells.
pub type BoardEvent = FeedEvent<ImageRecord>;

/// What the feed of the latest image tells.
pub type LatestEvent = FeedEvent<ImageMeta>;

/// Follows a table: an endless stream of events. The first error is its end. Dropping it closes its connection.
///
/// Reading it is cancellation safe. It buffers nothing: changes that nobody reads wait in the database, and when its
/// queue is full, the feed ends with [`StoreError::FeedEnded`].
pub struct Feed<T>(BoxStream<'static, Result<FeedEvent<T>, StoreError>>);

/// Follows `placements`: first every image on the board, then every change.
pub type BoardFeed = Feed<ImageRecord>;

/// Follows `images`: first the one saved last, then every change of any of them.
pub type LatestFeed = Feed<ImageMeta>;

impl<T> Stream for Feed<T> {
    type Item = Result<FeedEvent<T>, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl Store {
    /// Follows the board.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn board_feed(&self) -> Result<BoardFeed, StoreError> {
        let options = feed_options(BOARD_QUEUE).include_initial(true);
        let elements = self.follow(self.placements().changes(options)).await?;
        Ok(Feed(until_error(elements.filter_map(event)).boxed()))
    }

    /// Follows the latest image. An image that is saved while the feed is opened may be told of twice, never not at all.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn latest_feed(&self) -> Result<LatestFeed, StoreError> {
        let images = without_bytes(self.images());
        // Once it is open nothing is missed, so only then is the present state read.
        let elements = self
            .follow(images.changes(feed_options(LATEST_QUEUE)))
            .await?;
        let latest = self.latest().await?;
        let initial = [
            Some(FeedEvent::State(FeedState::Initializing)),
            latest.map(FeedEvent::Update),
        ];
        // The state `ready` is the feed's own first element.
        let initial = stream::iter(initial.into_iter().flatten().map(Ok));
        let changes = elements.filter_map(event);
        Ok(Feed(until_error(initial.chain(changes)).boxed()))
    }

    /// Opens a changefeed on a new session. The first element has arrived when this returns.
    pub(super) async fn follow(
        &self,
        changes: Command,
    ) -> Result<BoxStream<'static, Result<Element, StoreError>>, StoreError> {
        let (session, gone) = self.inner.connector.connect_in_turn().await?.into_parts();
        let mut elements = stream! {
            let mut elements = changes.run::<_, Element>(&session);
            loop {
                tokio::select! {
                    element = elements.next() => match element {
                        Some(Ok(element)) => yield Ok(element),
                        Some(Err(error)) => yield Err(StoreError::from(error).into_end_of_feed()),
                        None => yield Err(StoreError::FeedEnded("it was closed".to_owned())),
                    },
                    () = gone.cancelled() => {
                        yield Err(StoreError::FeedEnded("the database is gone".to_owned()));
                    }
                }
            }
        }
        .boxed();
        let first = timeout(OPEN_LIMIT, elements.next()).await;
        let first = first.map_err(|_| no_answer(OPEN_LIMIT))?;
        let first = first.expect("the stream is endless")?;
        Ok(stream::iter([Ok(first)]).chain(elements).boxed())
    }
}

pub(super) fn feed_options(queue: u32) -> changes::Options {
    changes::Options::new()
        .include_states(true)
        .include_types(true)
        .changefeed_queue_size(queue)
}

/// Ends a stream behind its first error, so that nothing of a broken feed is read.
fn until_error<T>(
    stream: impl Stream<Item = Result<T, StoreError>>,
) -> impl Stream<Item = Result<T, StoreError>> {
    stream.scan(false, |failed, item| {
        let over = std::mem::replace(failed, item.is_err());
        std::future::ready((!over).then_some(item))
    })
}

/// One element of a changefeed. The driver's own type has no `error`, so that it would take an overflow for a change
/// without values.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Element {
    #[serde(default)]
    pub(super) old_val: Value,
    #[serde(default)]
    pub(super) new_val: Value,
    pub(super) state: Option<String>,
    pub(super) error: Option<String>,
}

#[cfg(test)]
impl Element {
    /// Whether a row is there no more.
    pub(super) fn is_removal(&self) -> bool {
        self.old_val.is_object() && self.new_val.is_null()
    }
}

/// What an element means to a viewer; nothing, if it is about a row that was deleted already or is not ours.
async fn event<T: DeserializeOwned>(
    element: Result<Element, StoreError>,
) -> Option<Result<FeedEvent<T>, StoreError>> {
    let element = match element {
        Ok(element) => element,
        Err(error) => return Some(Err(error)),
    };
    if let Some(error) = element.error {
        return Some(Err(StoreError::FeedEnded(shorten(&error))));
    }
    match element.state.as_deref() {
        Some("initializing") => return Some(Ok(FeedEvent::State(FeedState::Initializing))),
        Some("ready") => return Some(Ok(FeedEvent::State(FeedState::Ready))),
        _ => {}
    }
    if is_shown(&element.new_val) {
        let image = read::document(element.new_val, "changefeed");
        return image
            .unwrap_or_else(ignore)
            .map(|image| Ok(FeedEvent::Update(image)));
    }
    if is_shown(&element.old_val) {
        let id = element.old_val["id"].as_str()?.parse().ok()?;
        return Some(Ok(FeedEvent::Delete(id)));
    }
    None
}

fn is_shown(row: &Value) -> bool {
    row.is_object() && !is_deleted(row)
}

/// A row that someone else wrote must not end the feeds of everyone.
fn ignore<T>(error: StoreError) -> Option<T> {
    log::warn!("left out of a feed: {error}");
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "0194bd2c-7a00-7000-8000-000000000001";

    fn row() -> Value {
        json!({
            "id": ID, "fileName": "a.png", "type": "image/png", "size": 1, "width": 1, "height": 1,
            "sha256": "00", "createdAt": "2025-01-31T12:00:00.000Z", "x": 1, "y": 2, "w": 3, "z": 4
        })
    }

    fn deleted() -> Value {
        let mut row = row();
        row["deletedAt"] = json!("2025-02-01T12:00:00.000Z");
        row
    }

    async fn read(element: Value) -> Option<Result<BoardEvent, StoreError>> {
        event(Ok(serde_json::from_value(element).unwrap())).await
    }

    fn update() -> Option<Result<BoardEvent, StoreError>> {
        Some(Ok(FeedEvent::Update(
            serde_json::from_value(row()).unwrap(),
        )))
    }

    fn delete() -> Option<Result<BoardEvent, StoreError>> {
        Some(Ok(FeedEvent::Delete(ID.parse().unwrap())))
    }

    #[tokio::test]
    async fn states_are_told() {
        for (state, event) in [
            ("initializing", FeedState::Initializing),
            ("ready", FeedState::Ready),
        ] {
            let element = json!({"state": state, "type": "state"});
            assert_eq!(read(element).await, Some(Ok(FeedEvent::State(event))));
        }
    }

    #[tokio::test]
    async fn a_new_value_is_an_update_and_a_missing_one_a_delete() {
        assert_eq!(
            read(json!({"new_val": row(), "type": "initial"})).await,
            update()
        );
        assert_eq!(
            read(json!({"old_val": null, "new_val": row()})).await,
            update()
        );
        assert_eq!(
            read(json!({"old_val": row(), "new_val": row()})).await,
            update()
        );
        assert_eq!(
            read(json!({"old_val": row(), "new_val": null})).await,
            delete()
        );
        assert_eq!(
            read(json!({"old_val": row(), "type": "uninitial"})).await,
            delete()
        );
    }

    #[tokio::test]
    async fn a_deleted_row_is_told_once() {
        assert_eq!(
            read(json!({"old_val": row(), "new_val": deleted()})).await,
            delete()
        );
        assert_eq!(
            read(json!({"old_val": deleted(), "new_val": null})).await,
            None
        );
        assert_eq!(
            read(json!({"new_val": deleted(), "type": "initial"})).await,
            None
        );
        assert_eq!(
            read(json!({"old_val": deleted(), "new_val": row()})).await,
            update()
        );
    }

    #[tokio::test]
    async fn an_overflow_is_an_error() {
        let overflow = "Changefeed cache over array size limit, skipped 18 elements.";
        assert_eq!(
            read(json!({"error": overflow, "type": "error"})).await,
            Some(Err(StoreError::FeedEnded(overflow.into())))
        );
    }

    #[tokio::test]
    async fn a_foreign_row_is_left_out() {
        assert_eq!(
            read(json!({"old_val": null, "new_val": {"id": 1}})).await,
            None
        );
        assert_eq!(
            read(json!({"old_val": {"id": 1}, "new_val": null})).await,
            None
        );
        assert_eq!(read(json!({"state": "dreaming"})).await, None);
    }

    #[tokio::test]
    async fn nothing_follows_an_error() {
        let gone = || Err(StoreError::FeedEnded("gone".into()));
        let items = stream::iter([Ok(1), gone(), Ok(2), gone()]);
        assert_eq!(
            until_error(items).collect::<Vec<_>>().await,
            [Ok(1), gone()]
        );
    }
}
