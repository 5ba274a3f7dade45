//! Moving many images as one change.

use std::collections::BTreeMap;

use reql::{func, r};

use super::PlacementChange;
use crate::image::ImageId;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys::get_all;
use crate::store::rows::DELETED_AT;
use crate::store::write::{CONDITION_NOT_MET, hard_update, write_rows};

impl Store {
    /// Changes the placements of many images with one write. Returns the number of images that are on the board; the others
    /// are skipped. Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The change may have been made nevertheless.
    pub async fn arrange(
        &self,
        changes: Vec<(ImageId, PlacementChange)>,
    ) -> Result<u64, StoreError> {
        self.run_to_completion(|store| async move { arrange(&store, changes).await })
            .await
    }
}

async fn arrange(
    store: &Store,
    changes: Vec<(ImageId, PlacementChange)>,
) -> Result<u64, StoreError> {
    let changes: BTreeMap<ImageId, PlacementChange> = changes.into_iter().collect();
    let change = func!(|row| r.branch(r.args((
        row.clone().has_fields(DELETED_AT),
        r.error(CONDITION_NOT_MET),
        r.expr(&changes).get_field(row.get_field("id")),
    ))));
    let rows = get_all(store.placements(), changes.keys());
    write_rows(store.pool(), rows.update(r.args((change, hard_update())))).await
}
