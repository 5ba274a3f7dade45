//! Reading and inserting one row of `placements`.

use serde_json::Value;

use crate::image::{ImageId, ImageRecord};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::rows::{document, is_deleted};
use crate::store::write::{Inserted, insert_row, insert_with_retry};

impl Store {
    /// Returns the record of an image; `None` if it is not on the board.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid.
    pub async fn record(&self, id: ImageId) -> Result<Option<ImageRecord>, StoreError> {
        let row = self.placement_row(id).await?;
        if is_deleted(&row) {
            return Ok(None);
        }
        document(row, "placements")
    }

    /// Returns the row of `placements`, null if there is none.
    pub(crate) async fn placement_row(&self, id: ImageId) -> Result<Value, StoreError> {
        self.pool().value(self.placements().get(id)).await
    }

    /// Puts an image on the board. Never overwrites a row, so a late retry cannot undo a move.
    pub(crate) async fn insert_placement(
        &self,
        record: &ImageRecord,
    ) -> Result<Inserted, StoreError> {
        insert_with_retry(self.pool(), || insert_row(self.placements(), record)).await
    }
}
