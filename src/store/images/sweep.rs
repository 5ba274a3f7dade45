//! The sweep: purges images whose undo window has ended, and completes operations that a crash interrupted.
//!
//! A crash between the two writes of an upload leaves an image without a placement; during a delete it leaves a
//! placement that is marked as deleted and an image that is not. A placement that is not marked and has no image
//! belongs to a restore of a backup in progress and is left alone. The sweep never removes the file of an image that no
//! user deleted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::delete::DeletedPlacement;
use super::undo_clock::{UndoClock, begin_window, step};
use crate::image::ImageId;
use crate::store::error::StoreError;
use crate::store::handle::{Inner, Store};
use crate::store::keys::get_all;

/// Interval between two complete sweeps.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Minimum pause between two rounds, so that deletes in quick succession are purged together.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Maximum pause after a delete, before an interrupted one is completed, and the pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Time for which an image must have been seen without a placement before the sweep places it. Until then it may belong
/// to an upload through another server, or to a backup that is being restored.
const PLACE_AFTER: Duration = Duration::from_secs(3600);

/// Number of images whose undo window one write lets begin.
const MAX_BEGUN: usize = 2_000;

/// Starts the sweep: once at start-up, then every hour and whenever a deleted image becomes due, until `shutdown`.
pub(crate) fn spawn(store: &Store, shutdown: CancellationToken) {
    let deleted = store.inner.deleted.clone();
    // A strong handle would keep the store, and thereby this task, alive.
    let rounds = run(Arc::downgrade(&store.inner), deleted);
    tokio::spawn(async move { shutdown.run_until_cancelled(rounds).await });
}

async fn run(store: Weak<Inner>, deleted: Arc<Notify>) {
    let mut sweep = Sweep::default();
    while let Some(inner) = store.upgrade() {
        let store = Store::of(inner);
        let pause = sweep.round(&store).await.unwrap_or_else(|error| {
            log::warn!("the sweep failed and is retried in a minute: {error}");
            RETRY_PAUSE
        });
        let undo_window = store.inner.undo_window;
        drop(store);
        sleep(MIN_PAUSE).await;
        if timeout(pause, deleted.notified()).await.is_ok() {
            // Collects further deletes. Those through other servers are found by their sweeps, or by the hourly one.
            sleep(pause.min(undo_window).min(RETRY_PAUSE)).await;
        }
    }
}

/// State of the sweep between two rounds.
#[derive(Default)]
pub(crate) struct Sweep {
    /// Images without a placement, and when each was first noticed.
    unplaced: HashMap<ImageId, Instant>,
    /// Deletes that are known to be complete in both tables.
    reconciled: HashSet<DeletedPlacement>,
    clock: UndoClock,
    /// There are deleted boards whose undo window has not ended.
    has_deleted_boards: bool,
    /// Time of the last comparison of both tables.
    compared_at: Option<Instant>,
}

impl Sweep {
    /// Does everything that is due. Returns the time until the next round.
    async fn round(&mut self, store: &Store) -> Result<Duration, StoreError> {
        let next_purge = self.purge(store).await?;
        if self.compared_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.reconciled.clear();
            self.place(store, PLACE_AFTER).await?;
            self.has_deleted_boards = store.purge_boards().await?;
            self.compared_at = Some(Instant::now());
        }
        Ok(next_purge.map_or(INTERVAL, |next| next.min(INTERVAL)))
    }

    /// Purges images whose undo window has ended, and completes interrupted deletes. Returns the time until the next
    /// image is due.
    pub(crate) async fn purge(&mut self, store: &Store) -> Result<Option<Duration>, StoreError> {
        let deleted = store.deleted_placements().await?;
        let deleted: HashSet<DeletedPlacement> = deleted.into_iter().collect();
        self.reconciled.retain(|delete| deleted.contains(delete));
        if deleted.is_empty() && !self.has_deleted_boards {
            return Ok(None);
        }
        let now = self.clock.advance(store).await?;
        // The clock must be advanced in time.
        let pause = step(store.inner.undo_window) / 2;
        let mut next = self.has_deleted_boards.then_some(pause);
        let mut unknown = Vec::new();
        for delete in deleted {
            let DeletedPlacement { id, deleted_at, .. } = delete;
            if !self.reconciled.contains(&delete) {
                if passable(id, store.reconcile(&[id]).await)?.is_none() {
                    continue;
                }
                self.reconciled.insert(delete);
            }
            let rest = now.until_due(delete.undo_clock);
            if rest.is_none() {
                unknown.push(id);
            }
            if rest.is_none_or(|rest| !rest.is_zero()) {
                let rest = rest.unwrap_or(pause).min(pause);
                next = Some(next.map_or(rest, |next| rest.min(next)));
            } else {
                // Also if it could not be purged: one table may lack the mark, which a restore that failed has removed.
                self.reconciled.remove(&delete);
                if passable(id, store.purge(id, deleted_at).await)? == Some(true) {
                    log::info!("purged image {id}");
                }
            }
        }
        for ids in unknown.chunks(MAX_BEGUN) {
            begin_window(store, get_all(store.placements(), ids), now).await?;
        }
        Ok(next)
    }

    /// Places the images that have been seen without a placement for `place_after`.
    pub(crate) async fn place(
        &mut self,
        store: &Store,
        place_after: Duration,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let unplaced = store.unplaced_images().await?;
        self.unplaced.retain(|id, _| unplaced.contains(id));
        for id in unplaced {
            let since = *self.unplaced.entry(id).or_insert(now);
            if now.duration_since(since) >= place_after && store.place_image(id).await? {
                log::info!("placed image {id}, whose upload was interrupted");
            }
        }
        Ok(())
    }
}

/// The outcome of an operation on one image; `None` if the image is damaged, which must not keep the sweep from the
/// others.
fn passable<T>(id: ImageId, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Err(StoreError::Damaged(reason)) => {
            log::info!("the sweep leaves out image {id}: {reason}");
            Ok(None)
        }
        other => other.map(Some),
    }
}
