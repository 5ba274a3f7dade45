//! The images on a board, for feeds that start.

use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::Board;
use super::list::listed;
use crate::image::ImageRecord;
use crate::store::current_reads::CurrentImages;
use crate::store::error::StoreError;

/// Time limit for reading a board.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

impl Board {
    /// Returns the images on the board as they are now or later, unordered. Invalid rows are omitted and logged.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub(in crate::store) async fn current_images(&self) -> Result<CurrentImages, StoreError> {
        let reads = &self.store.inner.current_reads;
        reads.read(self.id, |before| self.read_images(before)).await
    }

    /// Reads the board. Returns `before` if it has not changed, so that what was made of it remains shared.
    async fn read_images(
        &self,
        before: Option<CurrentImages>,
    ) -> Result<CurrentImages, StoreError> {
        let rows = self.rows(self.store.placements());
        let rows: Vec<Row> = self.store.pool().query_within(rows, READ_TIMEOUT).await?;
        let images: CurrentImages = rows.into_iter().filter_map(|Row(image)| image).collect();
        Ok(before.filter(|before| *before == images).unwrap_or(images))
    }
}

/// A row of the board; none if it is deleted or invalid.
struct Row(Option<ImageRecord>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|row| Self(listed(row)))
    }
}
