//! The bin of a board: the deleted images that can still be restored.

use serde::Deserialize;
use serde_json::Value;

use super::undo_clock::UndoReading;
use crate::image::{ImageId, ImageRecord, Timestamp};
use crate::store::board::Board;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::rows::{DELETED_AT, document, is_deleted};

/// An image in the bin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletedImage {
    /// The record that restoring it brings back.
    #[serde(flatten)]
    pub record: ImageRecord,
    /// Time of the delete.
    pub deleted_at: Timestamp,
    /// Display name of the person who deleted it, if known.
    #[serde(default)]
    pub deleted_by: Option<String>,
    #[serde(default)]
    undo_clock: UndoReading,
}

/// An image on a board or in its bin.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredImage {
    /// The record.
    pub record: ImageRecord,
    /// The image is in the bin.
    pub is_deleted: bool,
}

impl Board {
    /// Returns the deleted images of the board that the caller can restore, the last deleted first, at most `limit`.
    /// Invalid rows are omitted and logged.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn bin(&self, limit: usize) -> Result<Vec<DeletedImage>, StoreError> {
        let now = self.store.undo_time().await?;
        let rows = self.rows(self.store.placements()).has_fields(DELETED_AT);
        let rows: Vec<Value> = self.store.pool().query(rows).await?;
        let mut images: Vec<DeletedImage> = rows
            .into_iter()
            .filter(|row| self.may_change_row(row))
            .filter_map(|row| {
                document(row, "placements").unwrap_or_else(|error| {
                    log::warn!("omitted from the bin: {error}");
                    None
                })
            })
            .filter(|image: &DeletedImage| !now.is_due(image.undo_clock))
            .collect();
        images.sort_by_key(|image| std::cmp::Reverse((image.deleted_at, image.record.meta.id)));
        images.truncate(limit);
        Ok(images)
    }
}

impl Store {
    /// Returns the record of an image, on its board or in the bin; `None` if it is in neither.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid.
    pub async fn stored(&self, id: ImageId) -> Result<Option<StoredImage>, StoreError> {
        let row = self.placement_row(id).await?;
        if !is_deleted(&row) {
            let record = document(row, "placements")?;
            return Ok(record.map(|record| StoredImage {
                record,
                is_deleted: false,
            }));
        }
        let image: Option<DeletedImage> = document(row, "placements")?;
        let now = self.undo_time().await?;
        let in_bin = image.filter(|image| !now.is_due(image.undo_clock));
        Ok(in_bin.map(|image| StoredImage {
            record: image.record,
            is_deleted: true,
        }))
    }
}
