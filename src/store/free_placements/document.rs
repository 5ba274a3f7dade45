//! The document that holds the layout, and its compare-and-swap.

use reql::Command;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::layout::Layout;
use crate::image::BoardId;
use crate::store::client::Pool;
use crate::store::error::StoreError;
use crate::store::replace::{new_revision, replace_revision};
use crate::store::rows::document;
use crate::store::write::{RowWrite, write_row};

/// A state of the layout.
#[derive(Debug, Clone, Default)]
pub(super) struct Version {
    pub(super) layout: Layout,
    /// Identifies the write of this state; empty before the first one.
    revision: String,
}

/// A document of the table `layouts`. Its key is the id of the board.
#[derive(Serialize, Deserialize)]
struct Row {
    id: BoardId,
    revision: String,
    #[serde(flatten)]
    layout: Layout,
}

/// Reads and writes the document of a board.
pub(super) struct LayoutDocument {
    pool: Pool,
    table: Command,
    board: BoardId,
}

impl LayoutDocument {
    pub(super) fn new(pool: Pool, table: Command, board: BoardId) -> Self {
        Self { pool, table, board }
    }

    /// Reads the present state.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. An invalid document is treated as missing: a new layout starts next to the
    /// images.
    pub(super) async fn read(&self) -> Result<Version, StoreError> {
        let row: Value = self
            .pool
            .value(self.table.clone().get(self.board.as_str()))
            .await?;
        let revision = row["revision"].as_str().unwrap_or_default().to_owned();
        let layout = document::<Row>(row, "layouts").unwrap_or_else(|error| {
            log::warn!("starting a new layout: {error}");
            None
        });
        Ok(Version {
            layout: layout.map(|row| row.layout).unwrap_or_default(),
            revision,
        })
    }

    /// Replaces `before` by `layout`. Returns `None` if another server has replaced it already.
    ///
    /// # Errors
    ///
    /// If the database is unavailable. The layout may have been written nevertheless, so it must be read again.
    pub(super) async fn write(
        &self,
        before: &Version,
        layout: Layout,
    ) -> Result<Option<Version>, StoreError> {
        let row = Row {
            id: self.board,
            revision: new_revision(),
            layout,
        };
        let stored = self.table.clone().get(self.board.as_str());
        let replace = replace_revision(stored, &before.revision, &row.revision, &row);
        match write_row(&self.pool, replace).await? {
            RowWrite::Done => Ok(Some(Version {
                layout: row.layout,
                revision: row.revision,
            })),
            RowWrite::NoRow | RowWrite::ConditionNotMet => Ok(None),
        }
    }
}
