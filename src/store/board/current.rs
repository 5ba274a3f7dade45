//! The images on a board, read once for all feeds that start at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::Board;
use super::list::listed;
use crate::image::{BoardId, ImageRecord};
use crate::store::error::StoreError;

/// The images on a board. Shared by feeds that start at the same time.
pub type CurrentImages = Arc<[ImageRecord]>;

/// The least time from the start of one read to that of the next while feeds are waiting. A viewer that comes alone does not
/// wait; of thousands that come back together, those of a tenth of a second share what is read.
const READ_INTERVAL: Duration = Duration::from_millis(100);

/// Time limit for reading a board.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The boards that are being read.
#[derive(Default)]
pub(in crate::store) struct CurrentReads(Mutex<HashMap<BoardId, Arc<Read>>>);

/// The reads of one board while feeds are waiting for them.
#[derive(Default)]
struct Read {
    /// Locked while the board is read; those who wait for the lock share the outcome.
    last: tokio::sync::Mutex<Option<Outcome>>,
}

struct Outcome {
    started: Instant,
    images: Result<CurrentImages, StoreError>,
}

/// The participation of one feed. The last one that is dropped forgets the images.
struct Participant<'a> {
    reads: &'a CurrentReads,
    board: BoardId,
    read: Arc<Read>,
}

impl Board {
    /// Returns the images on the board as they are now or later, unordered. Invalid rows are omitted and logged.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub(in crate::store) async fn current_images(&self) -> Result<CurrentImages, StoreError> {
        let asked = Instant::now();
        let participant = self.store.inner.current_reads.join(self.id);
        let mut last = participant.read.last.lock().await;
        if let Some(outcome) = &*last {
            if outcome.started >= asked {
                return outcome.images.clone();
            }
            sleep_until(outcome.started + READ_INTERVAL).await;
        }
        let started = Instant::now();
        let before = last.take().and_then(|outcome| outcome.images.ok());
        let images = self.read_images(before).await;
        *last = Some(Outcome {
            started,
            images: images.clone(),
        });
        images
    }

    /// Reads the board. Returns `before` if it has not changed, so that what was made of it remains shared.
    async fn read_images(
        &self,
        before: Option<CurrentImages>,
    ) -> Result<CurrentImages, StoreError> {
        let rows = self.rows(self.store.placements());
        let rows: Vec<Row> = self.store.pool().query_within(rows, READ_TIMEOUT).await?;
        let images: CurrentImages = rows.into_iter().filter_map(|Row(image)| image).collect();
        Ok(before.filter(|before| *before == images).unwrap_or(images))
    }
}

impl CurrentReads {
    fn join(&self, board: BoardId) -> Participant<'_> {
        Participant {
            reads: self,
            board,
            read: Arc::clone(self.boards().entry(board).or_default()),
        }
    }

    /// Returns `true` if no board is being read.
    #[cfg(test)]
    pub(in crate::store) fn is_idle(&self) -> bool {
        self.boards().is_empty()
    }

    fn boards(&self) -> MutexGuard<'_, HashMap<BoardId, Arc<Read>>> {
        // Each change is a single call, so a panic leaves nothing half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Participant<'_> {
    fn drop(&mut self) {
        let mut boards = self.reads.boards();
        // The map's and this one. Others join only with the lock.
        if Arc::strong_count(&self.read) == 2 {
            boards.remove(&self.board);
        }
    }
}

/// A row of the board; none if it is deleted or invalid.
struct Row(Option<ImageRecord>);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|row| Self(listed(row)))
    }
}
