//! The sweep: purges images whose undo window has ended, and completes operations that a crash interrupted.
//!
//! A crash between the two writes of an upload leaves an image without a placement; during a delete it leaves a placement
//! that is marked as deleted and an image that is not. A placement that is not marked and has no image belongs to a restore
//! of a backup in progress and is left alone. The sweep never removes the file of an image that no user deleted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::delete::{DeletedPlacement, time_before_now};
use crate::image::ImageId;
use crate::store::error::StoreError;
use crate::store::handle::{Inner, Store};

/// Interval between two complete sweeps.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Minimum pause between two rounds, so that deletes in quick succession are purged together.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Maximum pause after a delete, before an interrupted one is completed, and the pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Time for which an image must have been seen without a placement before the sweep places it. Until then it may belong to
/// an upload through another server, or to a backup that is being restored.
const PLACE_AFTER: Duration = Duration::from_secs(3600);

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
        let store = Store { inner };
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
    /// Time of the last comparison of both tables.
    compared_at: Option<Instant>,
}

impl Sweep {
    /// Does everything that is due. Returns the time until the next round.
    async fn round(&mut self, store: &Store) -> Result<Duration, StoreError> {
        let next_purge = self.purge(store).await?;
        if self.compared_at.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.place(store, PLACE_AFTER).await?;
            store.purge_boards().await?;
            self.compared_at = Some(Instant::now());
        }
        Ok(next_purge.map_or(INTERVAL, |next| next.min(INTERVAL)))
    }

    /// Purges images whose undo window has ended, and completes interrupted deletes. Returns the time until the next image
    /// is due.
    pub(crate) async fn purge(&mut self, store: &Store) -> Result<Option<Duration>, StoreError> {
        let due = time_before_now(store.inner.undo_window);
        let deleted = store.deleted_placements().await?;
        let deleted: HashSet<DeletedPlacement> = deleted.into_iter().collect();
        self.reconciled.retain(|delete| deleted.contains(delete));
        let mut next = None;
        for delete in deleted {
            let DeletedPlacement { id, deleted_at } = delete;
            if !self.reconciled.contains(&delete) {
                store.reconcile(&[id]).await?;
                self.reconciled.insert(delete);
            }
            if deleted_at > due {
                next = Some(next.map_or(deleted_at, |next| deleted_at.min(next)));
            } else if store.purge(id, due).await? {
                self.reconciled.remove(&delete);
                log::info!("purged image {id}");
            }
        }
        Ok(next.map(|next| {
            let ms = next.as_millis().saturating_sub(due.as_millis());
            Duration::from_millis(u64::try_from(ms).unwrap_or_default())
        }))
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
