//! Approving images that wait, and clearing a board.

use std::collections::BTreeSet;

use reql::{func, r};
use serde_json::{Value, json};

use crate::image::ImageId;
use crate::store::board::Board;
use crate::store::error::StoreError;
use crate::store::keys::get_all;
use crate::store::rows::{DELETED_AT, WAITING, id_of};
use crate::store::write::{hard_update, write_rows};

/// Number of images that one write changes. Small, because RethinkDB writes their files anew.
const MAX_APPROVED: usize = 16;

/// Number of images that one write deletes.
const MAX_DELETED: usize = 2_000;

impl Board {
    /// Approves images that wait, or all of the board if `ids` is `None`. Returns the number of those that were there.
    /// Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. Some may have been approved nevertheless.
    pub async fn approve(&self, ids: Option<Vec<ImageId>>) -> Result<u64, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { approve(&board, ids).await })
            .await
    }

    /// Deletes all images of the board that are not deleted yet. Returns their number. They can be restored within the
    /// undo window. Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. Some may have been deleted nevertheless.
    pub async fn clear(&self, by: Option<String>) -> Result<u64, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { clear(&board, by).await })
            .await
    }
}

async fn clear(board: &Board, by: Option<String>) -> Result<u64, StoreError> {
    let rows = board.rows(board.store.placements());
    let shown = rows.filter(func!(|row| row.has_fields(DELETED_AT).eq(false)));
    let rows: Vec<Value> = board.store.pool().query(shown.pluck(r.expr("id"))).await?;
    let ids: Vec<ImageId> = rows.iter().filter_map(id_of).collect();
    let mut deleted = 0;
    for ids in ids.chunks(MAX_DELETED) {
        deleted += board.delete(ids.to_vec(), by.clone()).await?;
    }
    Ok(deleted)
}

async fn approve(board: &Board, ids: Option<Vec<ImageId>>) -> Result<u64, StoreError> {
    let store = &board.store;
    let waiting = board
        .rows(store.placements())
        .filter(r.expr(json!({ WAITING: true })));
    let rows: Vec<Value> = store.pool().query(waiting.pluck(r.expr("id"))).await?;
    let wanted: Option<BTreeSet<ImageId>> = ids.map(|ids| ids.into_iter().collect());
    let is_wanted = |id: &ImageId| wanted.as_ref().is_none_or(|wanted| wanted.contains(id));
    let ids: Vec<ImageId> = rows.iter().filter_map(id_of).filter(is_wanted).collect();
    for ids in ids.chunks(MAX_APPROVED) {
        // First the placements: the file of every image that guests are told of can be read then.
        for table in [store.placements(), store.images()] {
            let change = r.args((json!({ WAITING: false }), hard_update()));
            write_rows(store.pool(), get_all(table, ids).update(change)).await?;
        }
    }
    Ok(ids.len() as u64)
}
