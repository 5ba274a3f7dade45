//! Moving, resizing, describing and captioning images.

use reql::cmd::update;
use reql::{func, r};
use serde::Serialize;

use super::Board;
use crate::image::ImageId;
use crate::store::error::StoreError;
use crate::store::rows::WAITING;
use crate::store::write::{CONDITION_NOT_MET, RowWrite, write_row};

/// Changes to an image on the board. Fields that are `None` keep their values.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PlacementChange {
    /// Left edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Top edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
    /// Displayed width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w: Option<f64>,
    /// Stacking order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<f64>,
    /// Alternative text; an empty one removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<String>,
    /// Caption; an empty one removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Display name of the person who moves or resizes the image; empty if that person has none.
    #[serde(rename = "movedBy", skip_serializing_if = "Option::is_none")]
    pub moved_by: Option<String>,
}

impl PlacementChange {
    /// Returns `true` if the change moves or resizes the image.
    pub fn is_move(&self) -> bool {
        self.x.is_some() || self.y.is_some() || self.w.is_some()
    }
}

/// When the database acknowledges a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Once it is on disk.
    Hard,
    /// At once. The change is lost if the database crashes within the next second or so.
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

impl Board {
    /// Changes an image; returns `false` if it is not on the board, or its text may not be changed any more. Completes
    /// even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The change may have been made nevertheless.
    pub async fn update(
        &self,
        id: ImageId,
        change: PlacementChange,
        durability: Durability,
    ) -> Result<bool, StoreError> {
        let board = self.clone();
        self.store
            .run_to_completion(|_| async move { update(&board, id, change, durability).await })
            .await
    }
}

async fn update(
    board: &Board,
    id: ImageId,
    change: PlacementChange,
    durability: Durability,
) -> Result<bool, StoreError> {
    let options = update::Options::new().durability(durability.into());
    let must_wait = board.is_moderated && (change.alt.is_some() || change.caption.is_some());
    let update = func!(|row| {
        let is_waiting = row.clone().get_field(WAITING).default(r.expr(false));
        let is_permitted = is_waiting.or(r.expr(!must_wait));
        let changed = r.branch(r.args((is_permitted, r.expr(&change), r.error(CONDITION_NOT_MET))));
        board.if_shown(row, changed)
    });
    let store = &board.store;
    let placement = store.placements().get(id);
    let placement = placement.update(r.args((update, options)));
    if write_row(store.pool(), placement).await? != RowWrite::Done {
        return Ok(false);
    }
    if let Some(alt) = change.alt {
        // The alternative text is the only mutable field that both tables hold.
        let update = serde_json::json!({ "alt": alt });
        let image = store.images().get(id).update(r.args((update, options)));
        write_row(store.pool(), image).await?;
    }
    Ok(true)
}
