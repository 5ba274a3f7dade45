//! Reserving placements for uploads before they arrive.

use tokio::sync::broadcast;

use super::Board;
use crate::image::{ImageId, RequestedPlacement};
use crate::store::error::StoreError;
use crate::store::free_placements::{Area, Size, Wanted};
use crate::store::handle::Store;

impl Board {
    /// Reserves a free placement for an image of `width` × `height` pixels that will be inserted with this id: the
    /// nearest one to the requested position, or the next one of the layout. Inserting the image without a position
    /// then uses it.
    ///
    /// The reservation ends when the image is inserted, with [`Board::release_placement`], or after an hour.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn reserve_placement(
        &self,
        id: ImageId,
        (width, height): (u32, u32),
        requested: RequestedPlacement,
    ) -> Result<Area, StoreError> {
        let wanted = match (requested.x, requested.y) {
            (Some(x), Some(y)) => Wanted::Near(x, y),
            _ => Wanted::Next,
        };
        let size = Size::of(width, height, requested.w);
        let free_placements = &self.store.inner.free_placements;
        free_placements.reserve(self.id, id, size, wanted).await
    }

    /// Ends the reservation for an image that will not be inserted.
    pub fn release_placement(&self, id: ImageId) {
        self.store.inner.free_placements.release(self.id, id);
    }
}

impl Store {
    /// Subscribes to changes of reserved placements. Completing a row moves the reservations in it.
    pub fn reservation_moves(&self) -> broadcast::Receiver<(ImageId, Area)> {
        self.inner.free_placements.moves()
    }
}
