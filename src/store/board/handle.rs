//! The handle of one board, which the operations on its images are methods of.

use reql::{Command, r};
use serde_json::Value;

use crate::image::{BoardId, OwnerId};
use crate::store::handle::Store;
use crate::store::rows::{DELETED_AT, OWNER, board_in, board_of, board_rows};
use crate::store::write::CONDITION_NOT_MET;

/// The images on one board. Cheap to clone.
///
/// No operation reads or changes an image of another board.
#[derive(Debug, Clone)]
pub struct Board {
    pub(in crate::store) store: Store,
    pub(in crate::store) id: BoardId,
    /// Only images of this owner can be changed. `None` permits all, `Some(None)` none.
    only_of: Option<Option<OwnerId>>,
    /// Changes by guests must be approved by a host before others see them: added and restored photos, and texts.
    pub(in crate::store) is_moderated: bool,
}

impl Store {
    /// Returns the board with this id. Does not check if it exists: one without images is empty.
    pub fn board(&self, id: BoardId) -> Board {
        Board {
            store: self.clone(),
            id,
            only_of: None,
            is_moderated: false,
        }
    }
}

impl Board {
    /// The id of the board.
    pub fn id(&self) -> BoardId {
        self.id
    }

    /// Restricts changes to the images of `owner`. Images without an owner cannot be changed then. If `owner` is
    /// `None`, no image can.
    pub fn only_of(mut self, owner: Option<OwnerId>) -> Self {
        self.only_of = Some(owner);
        self
    }

    /// Lets restored images wait for approval, and texts be changed only while their image waits.
    pub fn moderated(mut self) -> Self {
        self.is_moderated = true;
        self
    }

    /// The rows of `table` that are on this board.
    pub(in crate::store) fn rows(&self, table: Command) -> Command {
        board_rows(table, self.id)
    }

    /// The condition that the image of a row of `placements` is on this board and can be changed.
    pub(in crate::store) fn may_change(&self, row: Command) -> Command {
        let is_here = board_of(row.clone()).eq(self.id.as_str());
        match &self.only_of {
            None => is_here,
            Some(None) => r.expr(false),
            Some(Some(owner)) => {
                let other = row.get_field(OWNER).default(r.expr(()));
                is_here.and(other.eq(owner))
            }
        }
    }

    /// [`Board::may_change`] for a row that has been read.
    pub(in crate::store) fn may_change_row(&self, row: &Value) -> bool {
        let is_own = |owner: &Option<OwnerId>| {
            let owner = owner.as_ref().map(ToString::to_string);
            owner.is_some() && row[OWNER].as_str() == owner.as_deref()
        };
        board_in(row) == Some(self.id) && self.only_of.as_ref().is_none_or(is_own)
    }

    /// Makes an update of a row conditional: one of another board or in the bin stays as it is, with
    /// [`CONDITION_NOT_MET`].
    pub(in crate::store) fn if_shown(&self, row: Command, change: Command) -> Command {
        let is_shown = self
            .may_change(row.clone())
            .and(row.has_fields(DELETED_AT).eq(false));
        r.branch(r.args((is_shown, change, r.error(CONDITION_NOT_MET))))
    }
}
