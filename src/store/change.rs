//! Moving and describing images.

use reql::cmd::update;
use reql::types::WriteStatus;
use reql::{func, r};
use serde::Serialize;

use super::error::{StoreError, shorten};
use super::remove::NOT_IN_TIME;
use super::{DELETED_AT, Store};
use crate::image::ImageId;

/// What the update of a deleted row says; no client sees it.
pub(super) const ALREADY_DELETED: &str = "already deleted";

/// What is to be changed of an image on the board; the rest stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlacementChange {
    /// The left edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// The top edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// The shown width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w: Option<f64>,
    /// The larger lies in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// The description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
}

/// When a change counts as made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk.
    Hard,
    /// At once: it may be lost if the database crashes within the next second or so.
    Soft,
}

impl From<Durability> for reql::cmd::Durability {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Hard => Self::Hard,
            Durability::Soft => Self::Soft,
        }
    }
}

impl Store {
    /// Changes an image on the board; false if it is not there.
    ///
    /// # Errors
    ///
    /// If the database cannot do it now; it may have done it nevertheless.
    pub async fn update(
        &self,
        id: ImageId,
        change: PlacementChange,
        durability: Durability,
    ) -> Result<bool, StoreError> {
        self.to_the_end(|store| async move { store.update_now(id, change, durability).await })
            .await
    }

    async fn update_now(
        &self,
        id: ImageId,
        change: PlacementChange,
        durability: Durability,
    ) -> Result<bool, StoreError> {
        let options = update::Options::new().durability(durability.into());
        let placement = self.placements().get(id);
        let changed = r.expr(&change);
        let unless_deleted = func!(|row| r.branch(r.args((
            row.has_fields(DELETED_AT),
            r.error(ALREADY_DELETED),
            changed
        ))));
        let changed = placement.update(r.args((unless_deleted, options)));
        if !found(&self.pool().value(changed).await?)? {
            return Ok(false);
        }
        if let Some(alt) = change.alt {
            // The description is the one changeable thing that both tables hold.
            let described = serde_json::json!({ "alt": alt });
            let described = self.images().get(id).update(r.args((described, options)));
            found(&self.pool().value(described).await?)?;
        }
        Ok(true)
    }
}

/// Options for an update that is on disk when it is answered.
pub(super) fn hard_update() -> update::Options {
    update::Options::new().durability(reql::cmd::Durability::Hard)
}

/// Whether a write to one row found it.
pub(super) fn found(status: &WriteStatus) -> Result<bool, StoreError> {
    match &status.first_error {
        Some(message) if message == ALREADY_DELETED || message == NOT_IN_TIME => Ok(false),
        Some(message) => Err(StoreError::Refused(shorten(message))),
        None => Ok(status.skipped == 0),
    }
}
