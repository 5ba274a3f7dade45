//! Reads of a board, shared by the feeds that start at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::error::StoreError;
use crate::image::{BoardId, ImageRecord};

/// The images on a board. Shared by feeds that start at the same time.
pub type CurrentImages = Arc<[ImageRecord]>;

/// The least time from the start of one read to that of the next while feeds are waiting. A viewer that comes alone
/// does not wait. Of thousands that come back together, those of the same tenth of a second share one read.
const READ_INTERVAL: Duration = Duration::from_millis(100);

/// The boards that are being read.
#[derive(Default)]
pub(super) struct CurrentReads(Mutex<HashMap<BoardId, Arc<Read>>>);

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

impl CurrentReads {
    /// Returns the images that `read` finds on a board, as they are now or later. Calls at the same time share the
    /// outcome of one `read`, which gets what the last one found.
    ///
    /// # Errors
    ///
    /// That of `read`.
    pub(super) async fn read<F>(
        &self,
        board: BoardId,
        read: impl FnOnce(Option<CurrentImages>) -> F,
    ) -> Result<CurrentImages, StoreError>
    where
        F: Future<Output = Result<CurrentImages, StoreError>>,
    {
        let asked = Instant::now();
        let participant = self.join(board);
        let mut last = participant.read.last.lock().await;
        if let Some(outcome) = &*last {
            if outcome.started >= asked {
                return outcome.images.clone();
            }
            sleep_until(outcome.started + READ_INTERVAL).await;
        }
        let started = Instant::now();
        let before = last.take().and_then(|outcome| outcome.images.ok());
        let images = read(before).await;
        *last = Some(Outcome {
            started,
            images: images.clone(),
        });
        images
    }

    fn join(&self, board: BoardId) -> Participant<'_> {
        Participant {
            reads: self,
            board,
            read: Arc::clone(self.boards().entry(board).or_default()),
        }
    }

    /// Returns `true` if no board is being read.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
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
