//! Feeds: changefeeds translated into events about images.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::Element;
use super::error::{StoreError, shorten};
use super::rows::{DELETED_BY, document, id_of, is_deleted};
use crate::image::ImageId;

/// Phase of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedState {
    /// The following events describe the current state.
    Initializing,
    /// The following events are changes.
    Ready,
}

/// An event of a feed.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedEvent<T> {
    /// The feed has entered this phase.
    State(FeedState),
    /// All images at the start of the feed, if there are any. Feeds that start at the same time share them.
    Initial(Arc<[T]>),
    /// State of an image after a change.
    Update(T),
    /// An image has been deleted.
    Delete {
        /// Its id.
        id: ImageId,
        /// The display name of the person who deleted it, if known.
        by: Option<String>,
    },
}

/// A stream of events that ends after its first error, so that nothing else of a broken feed is read. Dropping it closes
/// its connection. Omits changes of rows that stay deleted, and rows of other applications.
///
/// Polling is cancellation safe. Nothing is buffered here: unread changes wait in the database, and if its queue
/// overflows, the feed ends with [`StoreError::FeedEnded`].
pub struct Feed<T> {
    /// The events before those of the changefeed.
    initial: std::vec::IntoIter<FeedEvent<T>>,
    elements: BoxStream<'static, Result<Element, StoreError>>,
    has_failed: bool,
}

impl<T> Feed<T> {
    /// Creates a feed of `initial` and of the elements of a changefeed.
    pub(super) fn new(
        initial: Vec<FeedEvent<T>>,
        elements: impl Stream<Item = Result<Element, StoreError>> + Send + 'static,
    ) -> Self {
        Self {
            initial: initial.into_iter(),
            elements: elements.boxed(),
            has_failed: false,
        }
    }
}

// By hand: each of the combinators that would do the same keeps room for an event, in every viewer's feed.
impl<T: DeserializeOwned + Unpin> Stream for Feed<T> {
    type Item = Result<FeedEvent<T>, StoreError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(event) = this.initial.next() {
            return Poll::Ready(Some(Ok(event)));
        }
        while !this.has_failed {
            let Some(element) = ready!(this.elements.poll_next_unpin(context)) else {
                break;
            };
            let event = element.and_then(event).transpose();
            this.has_failed = matches!(event, Some(Err(_)));
            if event.is_some() {
                return Poll::Ready(event);
            }
        }
        Poll::Ready(None)
    }
}

/// Translates an element of a changefeed. `None` if the viewers need not know of it.
fn event<T: DeserializeOwned>(element: Element) -> Result<Option<FeedEvent<T>>, StoreError> {
    if let Some(error) = element.error {
        return Err(StoreError::FeedEnded(shorten(&error)));
    }
    match element.state.as_deref() {
        Some("initializing") => return Ok(Some(FeedEvent::State(FeedState::Initializing))),
        Some("ready") => return Ok(Some(FeedEvent::State(FeedState::Ready))),
        _ => {}
    }
    if is_visible(&element.new_val) {
        // An invalid row must not end the feeds of all viewers.
        let image = document(element.new_val, "changefeed").unwrap_or_else(|error| {
            log::warn!("omitted from a feed: {error}");
            None
        });
        return Ok(image.map(FeedEvent::Update));
    }
    if is_visible(&element.old_val) {
        let by = element.new_val.get(DELETED_BY).and_then(Value::as_str);
        let by = by.map(str::to_owned);
        return Ok(id_of(&element.old_val).map(|id| FeedEvent::Delete { id, by }));
    }
    Ok(None)
}

fn is_visible(row: &Value) -> bool {
    row.is_object() && !is_deleted(row)
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use serde_json::json;

    use super::*;
    use crate::image::ImageRecord;

    const ID: &str = "0194bd2c-7a00-7000-8000-000000000001";

    type Event = FeedEvent<ImageRecord>;

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

    fn translate(element: Value) -> Result<Option<Event>, StoreError> {
        event(serde_json::from_value(element).unwrap())
    }

    fn update() -> Result<Option<Event>, StoreError> {
        Ok(Some(Event::Update(serde_json::from_value(row()).unwrap())))
    }

    fn delete(by: Option<&str>) -> Result<Option<Event>, StoreError> {
        Ok(Some(Event::Delete {
            id: ID.parse().unwrap(),
            by: by.map(str::to_owned),
        }))
    }

    #[test]
    fn a_state_is_an_event() {
        for (name, state) in [
            ("initializing", FeedState::Initializing),
            ("ready", FeedState::Ready),
        ] {
            let event = translate(json!({"state": name, "type": "state"}));
            assert_eq!(event, Ok(Some(Event::State(state))));
        }
    }

    #[test]
    fn a_new_value_is_an_update_and_a_missing_one_a_delete() {
        let initial = json!({"new_val": row(), "type": "initial"});
        assert_eq!(translate(initial), update());
        let insert = json!({"old_val": null, "new_val": row()});
        assert_eq!(translate(insert), update());
        let change = json!({"old_val": row(), "new_val": row()});
        assert_eq!(translate(change), update());
        let removal = json!({"old_val": row(), "new_val": null});
        assert_eq!(translate(removal), delete(None));
        let uninitial = json!({"old_val": row(), "type": "uninitial"});
        assert_eq!(translate(uninitial), delete(None));
    }

    #[test]
    fn a_soft_delete_is_one_delete_event() {
        let mark = json!({"old_val": row(), "new_val": deleted()});
        assert_eq!(translate(mark), delete(None));
        let mut named = deleted();
        named["deletedBy"] = json!("Åsa");
        let mark = json!({"old_val": row(), "new_val": named});
        assert_eq!(translate(mark), delete(Some("Åsa")));
        let purge = json!({"old_val": deleted(), "new_val": null});
        assert_eq!(translate(purge), Ok(None));
        let initial = json!({"new_val": deleted(), "type": "initial"});
        assert_eq!(translate(initial), Ok(None));
        let restore = json!({"old_val": deleted(), "new_val": row()});
        assert_eq!(translate(restore), update());
    }

    #[test]
    fn a_queue_overflow_is_an_error() {
        let overflow = "Changefeed cache over array size limit, skipped 18 elements.";
        assert_eq!(
            translate(json!({"error": overflow, "type": "error"})),
            Err(StoreError::FeedEnded(overflow.into()))
        );
    }

    #[test]
    fn rows_of_other_applications_and_unknown_states_are_omitted() {
        let insert = json!({"old_val": null, "new_val": {"id": 1}});
        assert_eq!(translate(insert), Ok(None));
        let removal = json!({"old_val": {"id": 1}, "new_val": null});
        assert_eq!(translate(removal), Ok(None));
        assert_eq!(translate(json!({"state": "unknown"})), Ok(None));
    }

    #[tokio::test]
    async fn a_feed_starts_with_what_is_there_and_ends_after_its_first_error() {
        let element = |value| Ok(serde_json::from_value(value).unwrap());
        let lost = || Err(StoreError::FeedEnded("lost".into()));
        let elements = [
            element(json!({"state": "ready"})),
            element(json!({"new_val": {"id": 1}})),
            Err(StoreError::FeedEnded("lost".into())),
            element(json!({"state": "ready"})),
        ];
        let initial = vec![Event::State(FeedState::Initializing)];
        let feed: Feed<ImageRecord> = Feed::new(initial, stream::iter(elements));
        let state = |state| Ok(Event::State(state));
        let expected = [
            state(FeedState::Initializing),
            state(FeedState::Ready),
            lost(),
        ];
        assert_eq!(feed.collect::<Vec<_>>().await, expected);
    }
}
