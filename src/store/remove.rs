//! Deleting images, which can be undone for a while, and purging them, which cannot.
//!
//! A delete sets `deletedAt` in the placement, whereby the image leaves the board, and then in the image, whereby it leaves
//! the page of the latest one. A restore takes both away in the other order: so whoever sees a placement can fetch the
//! bytes. A purge removes the image and then the placement, by which it is found again should it be cut off in between.
//!
//! There are no transactions over two tables. The placement has the last word: [`Store::reconcile`] makes the image agree
//! with it, at the end of each delete and restore, and in the sweep for those that were cut off.

use std::time::Duration;

use reql::cmd::replace;
use reql::{Command, func, r};
use serde::Deserialize;
use serde_json::{Value, json};

use super::change::{ALREADY_DELETED, found, hard_update};
use super::{DELETED_AT, Store, StoreError};
use crate::image::{ImageId, Timestamp};

/// What the restore of a row says whose time is over, and the purge of one whose time is not; no client sees it.
pub(super) const NOT_IN_TIME: &str = "not in time";

/// Larger than every time: they begin with a digit.
const NEVER: &str = "never";

/// How often an image is made to agree with its placement if that changes meanwhile.
const RECONCILIATIONS: usize = 8;

/// A placement that is marked as deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marked {
    pub(super) id: ImageId,
    pub(super) deleted_at: Timestamp,
}

impl Store {
    /// Takes an image off the board; false if it is not there. It can be restored until the undo window ends. Once begun it
    /// goes on even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database cannot do it now; it may have done it nevertheless. What was begun is finished later, by the sweep.
    pub async fn delete(&self, id: ImageId) -> Result<bool, StoreError> {
        self.to_the_end(|store| async move { store.delete_now(id).await })
            .await
    }

    async fn delete_now(&self, id: ImageId) -> Result<bool, StoreError> {
        let at = json!(Timestamp::now());
        // A repeated query, whose first answer was lost, finds its own time.
        let mark = func!(|row| r.branch(r.args((
            row.get_field(DELETED_AT).default(r.expr(&at)).eq(&at),
            r.expr(json!({ DELETED_AT: at })),
            r.error(ALREADY_DELETED),
        ))));
        let placement = self.placements().get(id);
        let marked = placement.update(r.args((mark, hard_update())));
        if !found(&self.pool().value(marked).await?)? {
            return Ok(false);
        }
        self.inner.deleted.notify_one();
        self.reconcile(id).await?;
        Ok(true)
    }

    /// Puts an image back on the board, where it was; true also if it is there. False if there is no such image, or its
    /// undo window has ended. Once begun it goes on even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database cannot do it now; it may have done it nevertheless.
    pub async fn restore(&self, id: ImageId) -> Result<bool, StoreError> {
        self.to_the_end(|store| async move { store.restore_now(id).await })
            .await
    }

    async fn restore_now(&self, id: ImageId) -> Result<bool, StoreError> {
        let placement = self.placement_row(id).await?;
        if placement.is_null() {
            return Ok(false);
        }
        let since = json!(before_now(self.inner.undo_window));
        let image = unmark(self.images().get(id), &since);
        let is_whole = found(&self.pool().value(image).await?)?;
        if !is_whole {
            return Ok(false);
        }
        let placement = unmark(self.placements().get(id), &since);
        let restored = found(&self.pool().value(placement).await?)?;
        self.reconcile(id).await?;
        Ok(restored)
    }

    /// The placements that are marked as deleted.
    pub(super) async fn marked(&self) -> Result<Vec<Marked>, StoreError> {
        let marked = self.placements().has_fields(DELETED_AT);
        let columns = marked.pluck(r.expr("id")).with_arg(r.expr(DELETED_AT));
        let rows: Vec<Value> = self.pool().query(columns).await?;
        let ours = rows.into_iter().map(serde_json::from_value);
        Ok(ours.filter_map(Result::ok).collect())
    }

    /// Makes the mark of an image that of its placement. Whoever changed the placement last looks at it after writing to
    /// the image, so in the end they agree, however many do this at once.
    pub(super) async fn reconcile(&self, id: ImageId) -> Result<(), StoreError> {
        let mut mark = self.placement_mark(id).await?;
        for _ in 0..RECONCILIATIONS {
            let Some(wanted) = mark else { return Ok(()) };
            let image = self.images().get(id);
            let agreeing = match &wanted {
                Value::Null => unmark(image, &json!("")),
                at => image.update(r.args((json!({ DELETED_AT: at }), hard_update()))),
            };
            found(&self.pool().value(agreeing).await?)?;
            mark = self.placement_mark(id).await?;
            if mark.as_ref() == Some(&wanted) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The time at which a placement was marked as deleted, null if it is not; nothing if there is none.
    async fn placement_mark(&self, id: ImageId) -> Result<Option<Value>, StoreError> {
        let mut row = self.placement_row(id).await?;
        Ok(row.is_object().then(|| row[DELETED_AT].take()))
    }

    /// Removes an image that was deleted before `until`, and its placement; false if it was restored or deleted anew.
    pub(super) async fn purge(&self, id: ImageId, until: Timestamp) -> Result<bool, StoreError> {
        let until = json!(until);
        for row in [self.images().get(id), self.placements().get(id)] {
            let removal = func!(|row| r.branch(
                r.args((
                    row.clone().eq(()),
                    r.expr(()),
                    r.branch(
                        r.args((
                            row.get_field(DELETED_AT)
                                .default(r.expr(NEVER))
                                .le(r.expr(&until)),
                            r.expr(()),
                            r.error(NOT_IN_TIME),
                        ))
                    ),
                ))
            ));
            let status = self
                .pool()
                .value(row.replace(r.args((removal, hard()))))
                .await?;
            if status_says_not_in_time(&status) {
                return Ok(false);
            }
            found(&status)?;
        }
        Ok(true)
    }
}

/// The time that lies so long back.
pub(super) fn before_now(duration: Duration) -> Timestamp {
    let duration = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(Timestamp::now().as_millis().saturating_sub(duration).max(0))
}

/// Takes the mark away from a row that was marked after `since`.
fn unmark(row: Command, since: &Value) -> Command {
    let unmarked = func!(|row| r.branch(r.args((
        row.clone().get_field(DELETED_AT).default(r.expr("")).eq(""),
        row.clone(),
        r.branch(r.args((
            row.clone().get_field(DELETED_AT).gt(r.expr(since)),
            row.without(r.expr(DELETED_AT)),
            r.error(NOT_IN_TIME),
        ))),
    ))));
    row.replace(r.args((unmarked, hard())))
}

fn hard() -> replace::Options {
    replace::Options::new().durability(reql::cmd::Durability::Hard)
}

fn status_says_not_in_time(status: &reql::types::WriteStatus) -> bool {
    status.first_error.as_deref() == Some(NOT_IN_TIME)
}
