//! The feed of a board.

use super::Board;
use crate::image::ImageRecord;
use crate::store::client::changefeed_options;
use crate::store::error::StoreError;
use crate::store::feed::{Feed, FeedEvent, FeedState};

/// Unread changes that the database keeps for a viewer of the board, about half a megabyte. On overflow the feed ends.
const QUEUE_SIZE: u32 = 1_000;

/// An event of a [`BoardFeed`].
pub type BoardEvent = FeedEvent<ImageRecord>;

/// A feed of the placements of one board: first all images on the board, then every change. A change made while the
/// feed is opening may be sent although the images contain it already, but is never missed.
pub type BoardFeed = Feed<ImageRecord>;

impl Board {
    /// Opens a feed of the board.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn feed(&self) -> Result<BoardFeed, StoreError> {
        let rows = self.rows(self.store.placements());
        let changes = rows.changes(changefeed_options(QUEUE_SIZE));
        // The changefeed has no initial values: they would be parsed for each viewer. Its changes are queued from here
        // on, and the images are read after that.
        let elements = self.store.inner.connector.changefeed(changes).await?;
        let elements = self.store.inner.last_changes.watch(self.id, elements);
        let board = self.clone();
        // A task of its own, because other feeds wait for what it reads, whether or not this one is polled.
        let reading = self
            .store
            .pool()
            .spawn(async move { board.current_images().await });
        let ended = |_| {
            Err(StoreError::FeedEnded(
                "the server is shutting down".to_owned(),
            ))
        };
        let images = reading.await.unwrap_or_else(ended)?;
        let mut initial = vec![FeedEvent::State(FeedState::Initializing)];
        if !images.is_empty() {
            initial.push(FeedEvent::Initial(images));
        }
        // The changefeed itself starts with the state `ready`.
        Ok(Feed::new(initial, elements))
    }
}
