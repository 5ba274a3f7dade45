//! Reading the areas of the images on a board.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryFutureExt as _};
use reql::{Command, r};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::occupied::Occupied;
use crate::image::BoardId;
use crate::store::client::{Connector, Element, Pool, changefeed_options};
use crate::store::error::StoreError;
use crate::store::rows::{DELETED_AT, board_rows};

/// Unread changes that the database keeps for the feed. It is read without pause, so a burst of this size cannot occur.
const QUEUE_SIZE: u32 = 10_000;

/// Time that a reservation waits until the feed has delivered the board. Ten thousand images take about 0.3 s.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The changes on a board.
pub(super) type Changes = BoxStream<'static, Result<Element, StoreError>>;

/// The rows of a board in the table `placements`.
pub(super) struct BoardPlacements {
    connector: Arc<Connector>,
    pool: Pool,
    rows: Command,
}

impl BoardPlacements {
    pub(super) fn new(
        connector: Arc<Connector>,
        pool: Pool,
        placements: &Command,
        board: BoardId,
    ) -> Self {
        Self {
            connector,
            pool,
            rows: board_rows(placements.clone(), board),
        }
    }

    /// Opens a feed of the board and reads its initial values. Returns `None` if that fails or takes too long.
    pub(super) async fn follow(&self) -> Option<(Changes, Occupied)> {
        let deadline = Instant::now() + LOAD_TIMEOUT;
        let changes =
            areas(self.rows.clone()).changes(changefeed_options(QUEUE_SIZE).include_initial(true));
        let opened = self.connector.changefeed(changes).map_err(|error| {
            log::debug!("the placements cannot be followed: {error}");
        });
        let mut feed = timeout_at(deadline, opened).await.ok()?.ok()?;
        let mut occupied = Occupied::default();
        loop {
            let element = timeout_at(deadline, feed.next()).await.ok()??.ok()?;
            if element.is_ready() {
                return Some((feed, occupied));
            }
            if element.error.is_some() {
                return None;
            }
            occupied.apply(&element.old_val, element.new_val);
        }
    }

    /// Reads the areas of all images.
    pub(super) async fn read(&self) -> Result<Occupied, StoreError> {
        let rows: Vec<Value> = self.pool.query(areas(self.rows.clone())).await?;
        let mut occupied = Occupied::default();
        for row in rows {
            occupied.apply(&Value::Null, row);
        }
        Ok(occupied)
    }
}

/// The fields of `placements` that determine the area of each image, the size of its file, and its time.
fn areas(table: Command) -> Command {
    let fields = [
        "x",
        "y",
        "w",
        "width",
        "height",
        "size",
        "createdAt",
        DELETED_AT,
    ];
    let rows = table.pluck(r.expr("id"));
    fields
        .into_iter()
        .fold(rows, |rows, field| rows.with_arg(r.expr(field)))
}
