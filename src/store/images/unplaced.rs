//! Images without a placement, which interrupted uploads leave behind.

use std::collections::HashSet;

use reql::{Command, r};
use serde_json::Value;

use crate::image::{ImageId, ImageMeta, ImageRecord, RequestedPlacement};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys::{between, first_id};
use crate::store::rows::{document, id_of, is_deleted};
use crate::store::write::Inserted;

/// Number of images up to which a range is compared with its placements by count; larger ranges are halved first.
const MAX_COUNTED: u64 = 256;

/// Number of images whose ids are compared at once. Small, because the database reads the file of an image to return
/// its id.
const MAX_COMPARED: u64 = 16;

/// First millisecond that a UUIDv7 cannot represent.
const END_OF_TIME_MS: u64 = 1 << 48;

impl Store {
    /// Returns the images that have no placement.
    ///
    /// Counting reads no files. Ranges of ids are therefore counted in both tables, and only where there are more
    /// images than placements are ids read, in small ranges.
    pub(super) async fn unplaced_images(&self) -> Result<HashSet<ImageId>, StoreError> {
        let mut unplaced = HashSet::new();
        let mut ranges = vec![(0, END_OF_TIME_MS)];
        while let Some((from, to)) = ranges.pop() {
            let (lower, upper) = (first_id(from), first_id(to));
            let images = between(self.images(), &lower, &upper);
            let placements = between(self.placements(), &lower, &upper);
            let can_halve = to - from > 1;
            let count = self.count(&images).await?;
            if count > MAX_COUNTED && can_halve {
                ranges.extend(halves(from, to));
            } else if count == 0 || count <= self.count(&placements).await? {
                continue;
            } else if count > MAX_COMPARED && can_halve {
                ranges.extend(halves(from, to));
            } else {
                let images = self.ids(images).await?;
                unplaced.extend(images.difference(&self.ids(placements).await?));
            }
        }
        Ok(unplaced)
    }

    /// Puts an image on the board that has no placement. Returns `false` if it has one by now, or is gone.
    pub(super) async fn place_image(&self, id: ImageId) -> Result<bool, StoreError> {
        let row = self.image_row(id).await?;
        if is_deleted(&row) {
            return Ok(false);
        }
        let Some(meta) = document::<ImageMeta>(row, "images")? else {
            return Ok(false);
        };
        let free_placements = &self.inner.free_placements;
        let requested = RequestedPlacement::default();
        let placement = free_placements.reserve_requested(&meta, requested).await?;
        // `thumbnails` determines whether there is a thumbnail.
        let record = ImageRecord::new(meta, placement, None);
        let is_placed = self.insert_placement(&record).await? != Inserted::Before;
        if is_placed {
            free_placements.confirm(&record.meta, placement);
        } else {
            free_placements.release(record.meta.board, id);
        }
        Ok(is_placed)
    }

    async fn count(&self, rows: &Command) -> Result<u64, StoreError> {
        self.pool().value(r.count(rows.clone())).await
    }

    async fn ids(&self, rows: Command) -> Result<HashSet<ImageId>, StoreError> {
        let rows: Vec<Value> = self.pool().query(rows.pluck(r.expr("id"))).await?;
        Ok(rows.iter().filter_map(id_of).collect())
    }
}

fn halves(from: u64, to: u64) -> [(u64, u64); 2] {
    let middle = from + (to - from) / 2;
    [(from, middle), (middle, to)]
}
