//! The fields and documents of the tables `images` and `placements`.

use reql::cmd::get_all;
use reql::{Command, r};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::StoreError;
use super::tables::BOARD_INDEX;
use crate::image::{BoardId, ImageId};

/// The board of an image. Absent for the main board.
pub(super) const BOARD: &str = "board";

/// The browser that added an image, if it has a cookie.
pub(super) const OWNER: &str = "owner";

/// Marks an image that waits until a host approves it.
pub(super) const WAITING: &str = "waiting";

/// The field that marks a deleted image: the time of the delete. Absent or null otherwise.
pub(super) const DELETED_AT: &str = "deletedAt";

/// The display name of the person who deleted the image, next to [`DELETED_AT`], if that person has one.
pub(super) const DELETED_BY: &str = "deletedBy";

/// The display name of the person who restored the image from the bin, if that person has one.
pub(super) const RESTORED_BY: &str = "restoredBy";

/// The reading of the undo clock at the delete, in milliseconds, next to [`DELETED_AT`].
pub(super) const UNDO_CLOCK: &str = "undoClock";

/// Returns `true` if a row is marked as deleted.
pub(super) fn is_deleted(row: &Value) -> bool {
    row.get(DELETED_AT).is_some_and(|at| !at.is_null())
}

/// The board of a row; `None` if another application wrote the row.
pub(super) fn board_in(row: &Value) -> Option<BoardId> {
    match row.get(BOARD) {
        None => Some(BoardId::MAIN),
        Some(board) => board.as_str()?.parse().ok(),
    }
}

/// The rows of `images` or `placements` that are on a board, by the secondary index.
pub(super) fn board_rows(table: Command, board: BoardId) -> Command {
    let options = get_all::Options::new().index(BOARD_INDEX);
    table.get_all(r.args((board.as_str(), options)))
}

/// The board of a row of `images` or `placements`. Rows of the main board do not name it.
pub(super) fn board_of(row: Command) -> Command {
    row.get_field(BOARD).default(r.expr(json!(BoardId::MAIN)))
}

/// Removes the fields that hold bytes. Applies to the table `images`, one of its rows, or a feed of it.
pub(super) fn without_bytes(images: Command) -> Command {
    images.without(r.expr("file")).with_arg(r.expr("thumb"))
}

/// Deserializes a row of `table`; `None` if the row is null.
///
/// # Errors
///
/// [`StoreError::Corrupt`], naming the table and the key, if the row has other fields than this application writes.
pub(super) fn document<T: DeserializeOwned>(
    row: Value,
    table: &str,
) -> Result<Option<T>, StoreError> {
    if row.is_null() {
        return Ok(None);
    }
    let id = row["id"].as_str().unwrap_or_default().to_owned();
    serde_json::from_value(row)
        .map(Some)
        .map_err(|error| StoreError::corrupt(&format!("{table} {id:?}"), &error))
}

/// The key of a row; `None` if another application wrote the row.
pub(super) fn id_of(row: &Value) -> Option<ImageId> {
    row["id"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageRecord;

    #[test]
    fn the_error_for_an_invalid_row_contains_its_key_but_not_its_fields() {
        let row = json!({"id": "x", "fileName": "secret"});
        let error = document::<ImageRecord>(row, "placements").unwrap_err();
        assert!(error.to_string().contains(r#"placements "x""#), "{error}");
        assert!(!error.to_string().contains("secret"));
        assert_eq!(document::<ImageRecord>(Value::Null, "placements"), Ok(None));
    }
}
