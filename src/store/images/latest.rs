//! The latest image, and its feed.

use futures::{StreamExt as _, stream};
use reql::r;
use serde_json::Value;

use crate::image::ImageMeta;
use crate::store::board::ListQuery;
use crate::store::client::changefeed_options;
use crate::store::error::StoreError;
use crate::store::feed::{Feed, FeedEvent, FeedState, events};
use crate::store::handle::Store;
use crate::store::rows::{document, is_deleted, without_bytes};

/// Unread changes that the database keeps for a viewer of the latest image. Only the last one matters to that viewer.
const QUEUE_SIZE: u32 = 64;

/// An event of a [`LatestFeed`].
pub type LatestEvent = FeedEvent<ImageMeta>;

/// A feed of `images`: first the latest image, then every change of any image.
pub type LatestFeed = Feed<ImageMeta>;

impl Store {
    /// Returns the image that was stored last, `None` if the board is empty.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid.
    pub async fn latest(&self) -> Result<Option<ImageMeta>, StoreError> {
        // On a table, without arguments, `max` looks up the largest key.
        let newest = without_bytes(r.max(self.images()));
        let row: Value = match self.pool().value(newest).await {
            // "`max` found no entries in the specified index.", which `default` does not catch.
            Err(StoreError::Refused(message)) if message.contains("found no entries") => {
                return Ok(None);
            }
            row => row?,
        };
        if !is_deleted(&row) {
            return document(row, "images");
        }
        let query = ListQuery {
            limit: 1,
            before: None,
            sha256: None,
        };
        let mut page = self.list(query).await?;
        Ok(page.images.pop().map(|image| image.meta))
    }

    /// Opens a feed of the latest image. An image stored while the feed is opening may be sent twice, but is never missed.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn latest_feed(&self) -> Result<LatestFeed, StoreError> {
        let changes = without_bytes(self.images()).changes(changefeed_options(QUEUE_SIZE));
        // Open the feed before reading the current state; the other order would miss images stored in between.
        let elements = self.inner.connector.changefeed(changes).await?;
        let latest = self.latest().await?;
        let initial = [
            Some(FeedEvent::State(FeedState::Initializing)),
            latest.map(FeedEvent::Update),
        ];
        // The changefeed itself starts with the state `ready`.
        let initial = stream::iter(initial.into_iter().flatten().map(Ok));
        Ok(Feed::new(initial.chain(events(elements))))
    }
}
