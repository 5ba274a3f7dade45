//! The feed of all boards, from which a server learns who may do what.

use futures::stream::{BoxStream, Stream};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::record::{AdminLinks, BoardRecord};
use crate::image::BoardId;
use crate::store::client::{Element, changefeed_options};
use crate::store::error::{StoreError, shorten};
use crate::store::handle::Store;
use crate::store::rows::document;
use crate::store::tables::ADMIN;

/// Unread changes that the database keeps for a server.
const QUEUE_SIZE: u32 = 10_000;

/// An event of a [`BoardsFeed`].
#[derive(Debug, Clone, PartialEq)]
pub enum BoardsEvent {
    /// All boards have been sent.
    Ready,
    /// A board, initially or after a change.
    Board(BoardRecord),
    /// The links that administer all boards, initially or after a change.
    Admin(AdminLinks),
    /// A board has been removed.
    Removed(BoardId),
}

/// A feed of the table `boards`: first every board, then every change. It ends with its first error.
pub type BoardsFeed = BoxStream<'static, Result<BoardsEvent, StoreError>>;

impl Store {
    /// Opens a feed of all boards.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn boards_feed(&self) -> Result<BoardsFeed, StoreError> {
        let options = changefeed_options(QUEUE_SIZE).include_initial(true);
        let elements = self
            .inner
            .connector
            .changefeed(self.boards().changes(options));
        Ok(events(elements.await?).boxed())
    }
}

fn events(
    elements: impl Stream<Item = Result<Element, StoreError>>,
) -> impl Stream<Item = Result<BoardsEvent, StoreError>> {
    elements.try_filter_map(async |element| event(element))
}

fn event(element: Element) -> Result<Option<BoardsEvent>, StoreError> {
    if let Some(error) = &element.error {
        return Err(StoreError::FeedEnded(shorten(error)));
    }
    if element.is_ready() {
        return Ok(Some(BoardsEvent::Ready));
    }
    let Element {
        old_val, new_val, ..
    } = element;
    if new_val.is_null() {
        let removed = old_val["id"].as_str().and_then(|id| id.parse().ok());
        return Ok(removed.map(BoardsEvent::Removed));
    }
    Ok(parsed(new_val).unwrap_or_else(|error| {
        // An invalid row must not end the feed: it would lock everybody out.
        log::warn!("omitted a board: {error}");
        None
    }))
}

fn parsed(row: Value) -> Result<Option<BoardsEvent>, StoreError> {
    if row["id"] == ADMIN {
        return Ok(document(row, "boards")?.map(BoardsEvent::Admin));
    }
    Ok(document(row, "boards")?.map(BoardsEvent::Board))
}
