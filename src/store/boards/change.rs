//! Making, changing and deleting boards and their links.

use reql::r;
use serde::Serialize;
use serde_json::Value;

use super::link::Link;
use super::record::{AdminLinks, BoardRecord};
use crate::image::{BoardId, Timestamp};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::images::{UndoReading, begin_window};
use crate::store::replace::replace_row;
use crate::store::rows::{DELETED_AT, UNDO_CLOCK, document};
use crate::store::tables::ADMIN;
use crate::store::write::{RowWrite, insert_row, insert_with_retry, write_row};

/// The largest number of links to a board.
pub const MAX_LINKS: usize = 200;

/// Attempts to change a row while others change it.
const MAX_ATTEMPTS: usize = 50;

/// Changes to a board. Fields that are `None` keep their values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardChange {
    /// Title.
    pub title: Option<String>,
    /// See [`BoardSettings::locked`](super::BoardSettings::locked).
    pub locked: Option<bool>,
    /// See [`BoardSettings::moderated`](super::BoardSettings::moderated).
    pub moderated: Option<bool>,
}

impl Store {
    /// Stores a new board.
    ///
    /// # Errors
    ///
    /// If the database stays unavailable for several attempts.
    pub async fn create_board(&self, board: &BoardRecord) -> Result<(), StoreError> {
        insert_with_retry(self.pool(), || insert_row(self.boards(), board))
            .await
            .map(drop)
    }

    /// Changes a board. Returns its new record, or `None` if there is no such board.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn change_board(
        &self,
        id: BoardId,
        change: BoardChange,
    ) -> Result<Option<BoardRecord>, StoreError> {
        self.replace_board(id, |board| {
            let BoardChange {
                title,
                locked,
                moderated,
            } = change.clone();
            board.title = title.unwrap_or_else(|| board.title.clone());
            let settings = &mut board.settings;
            settings.locked = locked.unwrap_or(settings.locked);
            settings.moderated = moderated.unwrap_or(settings.moderated);
        })
        .await
    }

    /// Adds a link to a board, unless it has too many. Returns its new record, or `None` if there is no such board.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn add_link(
        &self,
        id: BoardId,
        link: &Link,
    ) -> Result<Option<BoardRecord>, StoreError> {
        self.replace_board(id, |board| {
            let is_new = board.links.iter().all(|other| other.id != link.id);
            if is_new && board.links.len() < MAX_LINKS {
                board.links.push(link.clone());
            }
        })
        .await
    }

    /// Adds a link to a board, and keeps only the latest `keep` links of the same name.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn add_start_link(
        &self,
        id: BoardId,
        link: &Link,
        keep: usize,
    ) -> Result<(), StoreError> {
        let changed = self.replace_board(id, |board| {
            board.links.retain(|other| other.id != link.id);
            board.links.push(link.clone());
            let same = board.links.iter().filter(|other| other.name == link.name);
            let mut excess = same.count().saturating_sub(keep);
            board.links.retain(|other| {
                let is_excess = excess > 0 && other.name == link.name;
                excess -= usize::from(is_excess);
                !is_excess
            });
        });
        changed.await.map(drop)
    }

    /// Removes a link from a board. Returns its new record, or `None` if there is no such board.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn remove_link(
        &self,
        id: BoardId,
        link: &str,
    ) -> Result<Option<BoardRecord>, StoreError> {
        self.replace_board(id, |board| board.links.retain(|other| other.id != link))
            .await
    }

    /// Marks a board as deleted. Returns its new record, or `None` if there is no such board.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn delete_board(&self, id: BoardId) -> Result<Option<BoardRecord>, StoreError> {
        let at = Timestamp::now();
        self.replace_board(id, |board| board.deleted_at = Some(at))
            .await
    }

    /// Removes the rows of boards whose undo window has ended, and their layouts. Their images are purged like all
    /// others. Returns `true` if there are deleted boards whose undo window has not ended.
    pub(crate) async fn purge_boards(&self) -> Result<bool, StoreError> {
        let rows = self.boards().has_fields(DELETED_AT);
        let rows = rows.pluck(r.expr("id")).with_arg(r.expr(UNDO_CLOCK));
        let rows: Vec<Value> = self.pool().query(rows).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        let now = self.undo_time().await?;
        let mut has_others = false;
        for row in &rows {
            let Some(id) = row["id"].as_str() else {
                continue;
            };
            let at_delete: UndoReading = row[UNDO_CLOCK].as_i64();
            if now.until_due(at_delete).is_none() {
                begin_window(self, self.boards().get(id), now).await?;
            }
            if !now.is_due(at_delete) {
                has_others = true;
                continue;
            }
            // Images that were stored while the board was being deleted, or not deleted with it because the server
            // stopped.
            let left = id.parse::<BoardId>().ok().map(|id| self.board(id));
            if let Some(board) = left
                && board.clear(None).await? > 0
            {
                has_others = true;
                continue;
            }
            for table in [self.layouts(), self.boards()] {
                let removal = table.get(id).delete(());
                self.pool().value::<Value>(removal).await?;
            }
            log::info!("removed board {id}");
        }
        Ok(has_others)
    }

    /// Adds a link that administers all boards. Only the latest `keep` are kept.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn add_admin_link(&self, link: Link, keep: usize) -> Result<(), StoreError> {
        #[derive(Serialize)]
        struct Row {
            id: &'static str,
            #[serde(flatten)]
            admin: AdminLinks,
        }
        self.change_row(ADMIN, |row| {
            let admin: Option<AdminLinks> = document(row, "boards")?;
            let mut admin = admin.unwrap_or_default();
            admin.links.retain(|other| other.id != link.id);
            admin.links.push(link.clone());
            let excess = admin.links.len().saturating_sub(keep);
            admin.links.drain(..excess);
            Ok(Some(Row { id: ADMIN, admin }))
        })
        .await
        .map(drop)
    }

    /// Changes the record of a board. Returns the new one, or `None` if there is no such board.
    async fn replace_board(
        &self,
        id: BoardId,
        change: impl Fn(&mut BoardRecord),
    ) -> Result<Option<BoardRecord>, StoreError> {
        self.change_row(id.as_str(), |row| {
            let board: Option<BoardRecord> = document(row, "boards")?;
            let board = board.or_else(|| id.is_main().then(BoardRecord::main));
            Ok(board
                .filter(|board| board.deleted_at.is_none())
                .map(|mut board| {
                    change(&mut board);
                    board
                }))
        })
        .await
    }

    /// Replaces a row of `boards` by a function of it, null if there is none. Repeats that if another server has
    /// replaced it meanwhile. Returns the new row, or `None` if the function does.
    async fn change_row<T: Serialize>(
        &self,
        key: &str,
        replacement: impl Fn(Value) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        for _ in 0..MAX_ATTEMPTS {
            let before: Value = self.pool().value(self.boards().get(key)).await?;
            let Some(after) = replacement(before.clone())? else {
                return Ok(None);
            };
            let row = replace_row(self.boards().get(key), &before, &after);
            if write_row(self.pool(), row).await? == RowWrite::Done {
                return Ok(Some(after));
            }
        }
        let reason = "other servers change the board all the time";
        Err(StoreError::Unavailable(reason.to_owned()))
    }
}
