//! Moving many images as one change.

use std::collections::BTreeMap;

use reql::{func, r};

use super::{Board, PlacementChange};
use crate::image::ImageId;
use crate::store::error::StoreError;
use crate::store::keys::get_all;
use crate::store::write::{hard_update, write_rows};

impl Board {
    /// Changes the placements of many images with one write. Returns the number of images that are on the board; the
    /// others are skipped. Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The change may have been made nevertheless.
    pub async fn arrange(
        &self,
        changes: Vec<(ImageId, PlacementChange)>,
    ) -> Result<u64, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { arrange(&board, changes).await })
            .await
    }
}

async fn arrange(
    board: &Board,
    changes: Vec<(ImageId, PlacementChange)>,
) -> Result<u64, StoreError> {
    let changes: BTreeMap<ImageId, PlacementChange> = changes.into_iter().collect();
    let change = func!(|row| {
        let change = r.expr(&changes).get_field(row.clone().get_field("id"));
        board.if_shown(row, change)
    });
    let store = &board.store;
    let rows = get_all(store.placements(), changes.keys());
    write_rows(store.pool(), rows.update(r.args((change, hard_update())))).await
}
