//! Deleting images, which can be undone within the undo window, and purging them, which cannot.
//!
//! A delete sets `deletedAt` in the placement, which removes the image from the board, and then in the image, which
//! removes it from the page of the latest image. A restore removes the marks in the opposite order, so that the file of
//! every image on the board can be read. A purge removes the image and then the placement, which identifies a purge
//! that was interrupted.
//!
//! The mark of the placement is authoritative. [`Store::reconcile`] copies it to the image at the end of each delete
//! and restore, and in the sweep for those that were interrupted.

use std::collections::HashMap;

use reql::{Command, func, r};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::undo_clock::UndoReading;
use crate::image::{ImageId, Timestamp};
use crate::store::board::Board;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys::get_all;
use crate::store::limits::BoardFull;
use crate::store::rows::{DELETED_AT, DELETED_BY, RESTORED_BY, UNDO_CLOCK, WAITING, is_deleted};
use crate::store::write::{
    CONDITION_NOT_MET, RowWrite, hard_replace, hard_update, write_row, write_rows,
};

/// Number of images that one write marks. Small, because RethinkDB writes their files anew.
const MAX_MARKED: usize = 16;

/// Maximum number of attempts to make an image agree with a placement that others change meanwhile.
const MAX_RECONCILIATIONS: usize = 8;

/// A placement that is marked as deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletedPlacement {
    pub(super) id: ImageId,
    pub(super) deleted_at: Timestamp,
    #[serde(default)]
    pub(super) undo_clock: UndoReading,
}

/// Outcome of [`Board::restore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// The image is on the board, now or already before.
    Done,
    /// There is no such image, or its undo window has ended.
    Gone,
    /// The board has no room for it. It stays in the bin.
    Full(BoardFull),
}

impl Board {
    /// Removes images from the board, with one write. Returns the number of those that were there. They can be restored
    /// within the undo window. Completes even if the caller is dropped.
    ///
    /// `by` is the display name of the person who deletes them.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. Images may have been deleted nevertheless; the sweep completes the operation.
    pub async fn delete(&self, ids: Vec<ImageId>, by: Option<String>) -> Result<u64, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { delete(&board, &ids, by).await })
            .await
    }

    /// Puts a deleted image back on the board, at its previous placement. Completes even if the caller is dropped.
    ///
    /// `by` is the display name of the person who restores it.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The image may have been restored nevertheless.
    pub async fn restore(&self, id: ImageId, by: Option<String>) -> Result<Restored, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { restore(&board, id, by).await })
            .await
    }
}

impl Store {
    /// Returns the placements that are marked as deleted.
    pub(super) async fn deleted_placements(&self) -> Result<Vec<DeletedPlacement>, StoreError> {
        let deleted = self.placements().has_fields(DELETED_AT);
        let fields = deleted.pluck(r.expr("id")).with_arg(r.expr(DELETED_AT));
        let fields = fields.with_arg(r.expr(UNDO_CLOCK));
        let rows: Vec<Value> = self.pool().query(fields).await?;
        // Rows of other applications may have the field too.
        let parsed = rows.into_iter().map(serde_json::from_value);
        Ok(parsed.filter_map(Result::ok).collect())
    }

    /// Copies the marks of placements to their images.
    ///
    /// Safe to run concurrently with deletes and restores: each of them calls this after its writes, and it repeats
    /// until no placement has changed since it was read, so that the last one leaves both in agreement.
    pub(super) async fn reconcile(&self, ids: &[ImageId]) -> Result<(), StoreError> {
        let mut written: HashMap<ImageId, Option<Timestamp>> = HashMap::new();
        for _ in 0..MAX_RECONCILIATIONS {
            let mut changed: HashMap<Option<Timestamp>, Vec<ImageId>> = HashMap::new();
            for (id, mark) in self.placement_marks(ids).await? {
                if written.insert(id, mark) != Some(mark) {
                    changed.entry(mark).or_default().push(id);
                }
            }
            if changed.is_empty() {
                return Ok(());
            }
            for (mark, ids) in changed {
                for ids in ids.chunks(MAX_MARKED) {
                    self.mark_images(ids, mark).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the mark of placements into their images.
    async fn mark_images(
        &self,
        ids: &[ImageId],
        mark: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let images = get_all(self.images(), ids);
        let write = match mark {
            None => unmark(images, json!({})),
            Some(at) => images.update(r.args((json!({ DELETED_AT: at }), hard_update()))),
        };
        write_rows(self.pool(), write).await.map(drop)
    }

    /// Returns the time at which each placement was deleted, `None` if it is not. Leaves out images without a
    /// placement.
    async fn placement_marks(
        &self,
        ids: &[ImageId],
    ) -> Result<Vec<(ImageId, Option<Timestamp>)>, StoreError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Mark {
            id: ImageId,
            #[serde(default)]
            deleted_at: Option<Timestamp>,
        }
        let rows = get_all(self.placements(), ids);
        let marks = rows.pluck(r.expr("id")).with_arg(r.expr(DELETED_AT));
        let rows: Vec<Value> = self.pool().query(marks).await?;
        // Other applications may have written something else into the field.
        let marks = rows.into_iter().map(serde_json::from_value);
        let mark = |Mark { id, deleted_at }| (id, deleted_at);
        Ok(marks.filter_map(Result::ok).map(mark).collect())
    }

    /// Removes an image that was deleted at `at`, and its placement. Returns `false` if it has been restored or deleted
    /// again since.
    pub(crate) async fn purge(&self, id: ImageId, at: Timestamp) -> Result<bool, StoreError> {
        for row in [self.images().get(id), self.placements().get(id)] {
            let purge = remove_if_deleted(row, at);
            if write_row(self.pool(), purge).await? == RowWrite::ConditionNotMet {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn delete(board: &Board, ids: &[ImageId], by: Option<String>) -> Result<u64, StoreError> {
    let store = &board.store;
    let at = json!(Timestamp::now());
    let clock = store.undo_time().await?.ms();
    let fields = json!({ DELETED_AT: at, DELETED_BY: by, UNDO_CLOCK: clock });
    // The pool repeats a query whose answer was lost, so a mark with this very time counts as set by this delete.
    let mark = func!(|row| r.branch(
        r.args((
            board
                .may_change(row.clone())
                .and(row.get_field(DELETED_AT).default(r.expr(&at)).eq(&at)),
            r.expr(fields),
            r.error(CONDITION_NOT_MET),
        ))
    ));
    let placements = get_all(store.placements(), ids);
    let mark = placements.update(r.args((mark, hard_update())));
    let deleted = write_rows(store.pool(), mark).await;
    // A write that fails may have marked some of them; the sweep then completes the operation.
    store.inner.deleted.notify_one();
    let deleted = deleted?;
    if deleted > 0 {
        store.reconcile(ids).await?;
    }
    Ok(deleted)
}

async fn restore(board: &Board, id: ImageId, by: Option<String>) -> Result<Restored, StoreError> {
    let store = &board.store;
    let row = store.placement_row(id).await?;
    if row.is_null() || !board.may_change_row(&row) {
        return Ok(Restored::Gone);
    }
    if !is_deleted(&row) {
        // The image may still be marked, if a restore was interrupted.
        store.reconcile(&[id]).await?;
        return Ok(Restored::Done);
    }
    if store.undo_time().await?.is_due(row[UNDO_CLOCK].as_i64()) {
        return Ok(Restored::Gone);
    }
    let bytes = row["size"].as_u64().unwrap_or_default();
    let free_placements = &store.inner.free_placements;
    let limits = store.board_limits;
    if let Err(full) = free_placements.admit(board.id, id, bytes, limits).await? {
        return Ok(Restored::Full(full));
    }
    let restored = unmark_both(store, id, board.is_moderated, by).await;
    if restored != Ok(Restored::Done) {
        free_placements.withdraw(board.id, id);
    }
    restored
}

/// Removes the marks of a deleted image; with `must_wait` it then waits for approval. It is gone if the sweep has
/// removed it meanwhile.
async fn unmark_both(
    store: &Store,
    id: ImageId,
    must_wait: bool,
    by: Option<String>,
) -> Result<Restored, StoreError> {
    let mut fields = Map::new();
    if must_wait {
        fields.insert(WAITING.to_owned(), json!(true));
    }
    let image = unmark(store.images().get(id), json!(fields));
    if write_row(store.pool(), image).await? != RowWrite::Done {
        return Ok(Restored::Gone);
    }
    if let Some(by) = by {
        fields.insert(RESTORED_BY.to_owned(), json!(by));
    }
    let placement = unmark(store.placements().get(id), json!(fields));
    let restored = write_row(store.pool(), placement).await?;
    store.reconcile(&[id]).await?;
    Ok(match restored {
        RowWrite::Done => Restored::Done,
        RowWrite::NoRow | RowWrite::ConditionNotMet => Restored::Gone,
    })
}

/// A write that removes the mark of rows and sets fields. Its condition is that the row exists.
fn unmark(rows: Command, fields: Value) -> Command {
    let unmarked = func!(|row| r.branch(
        r.args((
            row.clone().eq(()),
            r.error(CONDITION_NOT_MET),
            row.without(r.expr(DELETED_AT))
                .with_arg(r.expr(DELETED_BY))
                .with_arg(r.expr(UNDO_CLOCK))
                .with_arg(r.expr(RESTORED_BY))
                .merge(r.expr(fields)),
        ))
    ));
    rows.replace(r.args((unmarked, hard_replace())))
}

/// A write that removes a row. Its condition is that the row does not exist, or was marked at `at`.
fn remove_if_deleted(row: Command, at: Timestamp) -> Command {
    // Replacing a row with null removes it.
    let removed = func!(|row| r.branch(r.args((
        row.clone().eq(()),
        r.expr(()),
        r.branch(r.args((
            row.get_field(DELETED_AT).default(r.expr(())).eq(json!(at)),
            r.expr(()),
            r.error(CONDITION_NOT_MET),
        ))),
    ))));
    row.replace(r.args((removed, hard_replace())))
}
