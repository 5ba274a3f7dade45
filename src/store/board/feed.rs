//! The feed of a board.

use super::Board;
use crate::image::ImageRecord;
use crate::store::client::changefeed_options;
use crate::store::error::StoreError;
use crate::store::feed::{Feed, FeedEvent, events};

/// Unread changes that the database keeps for a viewer of the board, about half a megabyte. On overflow the feed ends.
const QUEUE_SIZE: u32 = 1_000;

/// An event of a [`BoardFeed`].
pub type BoardEvent = FeedEvent<ImageRecord>;

/// A feed of the placements of one board: first every image on the board, then every change.
pub type BoardFeed = Feed<ImageRecord>;

impl Board {
    /// Opens a feed of the board.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn feed(&self) -> Result<BoardFeed, StoreError> {
        let options = changefeed_options(QUEUE_SIZE).include_initial(true);
        let changes = self.rows(self.store.placements()).changes(options);
        let elements = self.store.inner.connector.changefeed(changes).await?;
        Ok(Feed::new(events(elements)))
    }
}
