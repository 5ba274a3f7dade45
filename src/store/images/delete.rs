//! Deleting images, which can be undone within the undo window, and purging them, which cannot.
//!
//! A delete sets `deletedAt` in the placement, which removes the image from the board, and then in the image, which removes
//! it from the page of the latest image. A restore removes the marks in the opposite order, so that the file of every image
//! on the board can be read. A purge removes the image and then the placement, which identifies a purge that was
//! interrupted.
//!
//! The mark of the placement is authoritative. [`Store::reconcile`] copies it to the image at the end of each delete and
//! restore, and in the sweep for those that were interrupted.

use std::time::Duration;

use reql::{Command, func, r};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::image::{ImageId, Timestamp};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::rows::DELETED_AT;
use crate::store::write::{CONDITION_NOT_MET, RowWrite, hard_replace, hard_update, write_row};

/// A text above every [`Timestamp`]: those start with a digit.
const ABOVE_ALL_TIMES: &str = "never";

/// Maximum number of attempts to make an image agree with a placement that others change meanwhile.
const MAX_RECONCILIATIONS: usize = 8;

/// A placement that is marked as deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeletedPlacement {
    pub(super) id: ImageId,
    pub(super) deleted_at: Timestamp,
}

impl Store {
    /// Removes an image from the board; returns `false` if it is not there. It can be restored within the undo window.
    /// Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The image may have been deleted nevertheless; the sweep completes the operation.
    pub async fn delete(&self, id: ImageId) -> Result<bool, StoreError> {
        self.run_to_completion(|store| async move { delete(&store, id).await })
            .await
    }

    /// Puts a deleted image back on the board, at its previous placement. Also returns `true` if it is on the board, and
    /// `false` if it does not exist or its undo window has ended. Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The image may have been restored nevertheless.
    pub async fn restore(&self, id: ImageId) -> Result<bool, StoreError> {
        self.run_to_completion(|store| async move { restore(&store, id).await })
            .await
    }

    /// Returns the placements that are marked as deleted.
    pub(super) async fn deleted_placements(&self) -> Result<Vec<DeletedPlacement>, StoreError> {
        let deleted = self.placements().has_fields(DELETED_AT);
        let fields = deleted.pluck(r.expr("id")).with_arg(r.expr(DELETED_AT));
        let rows: Vec<Value> = self.pool().query(fields).await?;
        // Rows of other applications may have the field too.
        let parsed = rows.into_iter().map(serde_json::from_value);
        Ok(parsed.filter_map(Result::ok).collect())
    }

    /// Copies the mark of a placement to its image.
    ///
    /// Safe to run concurrently with deletes and restores: each of them calls this after its writes, and it repeats until
    /// the placement has not changed since it was read, so that the last one leaves both in agreement.
    pub(super) async fn reconcile(&self, id: ImageId) -> Result<(), StoreError> {
        let mut mark = self.placement_mark(id).await?;
        for _ in 0..MAX_RECONCILIATIONS {
            let Some(wanted) = mark else { return Ok(()) };
            let image = self.images().get(id);
            let write = match &wanted {
                Value::Null => unmark(image, &json!("")),
                at => image.update(r.args((json!({ DELETED_AT: at }), hard_update()))),
            };
            write_row(self.pool(), write).await?;
            mark = self.placement_mark(id).await?;
            if mark.as_ref() == Some(&wanted) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns the time at which a placement was deleted, null if it is not; `None` if there is no placement.
    async fn placement_mark(&self, id: ImageId) -> Result<Option<Value>, StoreError> {
        let mut row = self.placement_row(id).await?;
        Ok(row.is_object().then(|| row[DELETED_AT].take()))
    }

    /// Removes an image that was deleted at or before `until`, and its placement. Returns `false` if it has been restored or
    /// deleted again since.
    pub(crate) async fn purge(&self, id: ImageId, until: Timestamp) -> Result<bool, StoreError> {
        let until = json!(until);
        for row in [self.images().get(id), self.placements().get(id)] {
            let purge = remove_if_deleted(row, &until);
            if write_row(self.pool(), purge).await? == RowWrite::ConditionNotMet {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

async fn delete(store: &Store, id: ImageId) -> Result<bool, StoreError> {
    let at = json!(Timestamp::now());
    // The pool repeats a query whose answer was lost, so a mark with this very time counts as set by this delete.
    let mark = func!(|row| r.branch(r.args((
        row.get_field(DELETED_AT).default(r.expr(&at)).eq(&at),
        r.expr(json!({ DELETED_AT: at })),
        r.error(CONDITION_NOT_MET),
    ))));
    let placement = store.placements().get(id);
    let mark = placement.update(r.args((mark, hard_update())));
    if write_row(store.pool(), mark).await? != RowWrite::Done {
        return Ok(false);
    }
    store.inner.deleted.notify_one();
    store.reconcile(id).await?;
    Ok(true)
}

async fn restore(store: &Store, id: ImageId) -> Result<bool, StoreError> {
    let placement = store.placement_row(id).await?;
    if placement.is_null() {
        return Ok(false);
    }
    let since = json!(time_before_now(store.inner.undo_window));
    let image = unmark(store.images().get(id), &since);
    if write_row(store.pool(), image).await? != RowWrite::Done {
        return Ok(false);
    }
    let placement = unmark(store.placements().get(id), &since);
    let restored = write_row(store.pool(), placement).await?;
    store.reconcile(id).await?;
    Ok(restored == RowWrite::Done)
}

/// The time `duration` ago.
pub(super) fn time_before_now(duration: Duration) -> Timestamp {
    let duration = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(duration).max(0))
}

/// A write that removes the mark of a row. Its condition is that the row is not marked, or was marked after `since`.
fn unmark(row: Command, since: &Value) -> Command {
    let unmarked = func!(|row| r.branch(r.args((
        row.clone().get_field(DELETED_AT).default(r.expr("")).eq(""),
        row.clone(),
        r.branch(r.args((
            row.clone().get_field(DELETED_AT).gt(r.expr(since)),
            row.without(r.expr(DELETED_AT)),
            r.error(CONDITION_NOT_MET),
        ))),
    ))));
    row.replace(r.args((unmarked, hard_replace())))
}

/// A write that removes a row. Its condition is that the row does not exist, or was marked at or before `until`.
fn remove_if_deleted(row: Command, until: &Value) -> Command {
    // Replacing a row with null removes it.
    let removed = func!(|row| r.branch(
        r.args((
            row.clone().eq(()),
            r.expr(()),
            r.branch(
                r.args((
                    row.get_field(DELETED_AT)
                        .default(r.expr(ABOVE_ALL_TIMES))
                        .le(r.expr(until)),
                    r.expr(()),
                    r.error(CONDITION_NOT_MET),
                ))
            ),
        ))
    ));
    row.replace(r.args((removed, hard_replace())))
}
