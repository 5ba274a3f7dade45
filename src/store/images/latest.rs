//! The latest image, and its feed.

use crate::image::ImageMeta;
use crate::store::board::{Board, ListQuery};
use crate::store::client::changefeed_options;
use crate::store::error::StoreError;
use crate::store::feed::{Feed, FeedEvent, FeedState};
use crate::store::rows::without_bytes;

/// Unread changes that the database keeps for a viewer of the latest image. Only the last one matters to that viewer.
const QUEUE_SIZE: u32 = 64;

/// Number of images that are searched at once when the last one waits for approval.
const LATER_PAGE: usize = 100;

/// An event of a [`LatestFeed`].
pub type LatestEvent = FeedEvent<ImageMeta>;

/// A feed of the images of one board: first the latest one, then every change of any.
pub type LatestFeed = Feed<ImageMeta>;

impl Board {
    /// Returns the image that was added last, of those that do not wait for approval; `None` if there are none.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid.
    pub async fn latest(&self) -> Result<Option<ImageMeta>, StoreError> {
        let mut query = ListQuery {
            limit: 1,
            before: None,
            sha256: None,
        };
        loop {
            let page = self.list(query.clone()).await?;
            let mut images = page.images.into_iter().map(|image| image.meta);
            if let Some(latest) = images.find(|image| !image.waiting) {
                return Ok(Some(latest));
            }
            if page.next.is_none() {
                return Ok(None);
            }
            query.before = page.next;
            query.limit = LATER_PAGE;
        }
    }

    /// Opens a feed of the latest image. An image stored while the feed is opening may be sent twice, but is never
    /// missed.
    ///
    /// # Errors
    ///
    /// If the feed cannot be opened.
    pub async fn latest_feed(&self) -> Result<LatestFeed, StoreError> {
        let changes =
            without_bytes(self.rows(self.store.images())).changes(changefeed_options(QUEUE_SIZE));
        // Open the feed before reading the current state; the other order would miss images stored in between.
        let elements = self.store.inner.connector.changefeed(changes).await?;
        let latest = self.latest().await?;
        let mut initial = vec![FeedEvent::State(FeedState::Initializing)];
        initial.extend(latest.map(|latest| FeedEvent::Initial([latest].into())));
        // The changefeed itself starts with the state `ready`.
        Ok(Feed::new(initial, elements))
    }
}
