//! Purges what was deleted for longer than it can be undone, and finishes what a crash left half done.
//!
//! There are no transactions over two tables. A crash between the two writes of an upload leaves an image that nobody
//! sees; one in the midst of a delete leaves a placement that is marked as deleted and an image that is not. A placement
//! that is not marked and has no image comes from a restore that is under way: it is left alone. So is every image that was
//! not deleted by its user: the sweep never removes its bytes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use reql::r;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::insert::Written;
use super::read::{between, document, first_id};
use super::remove::{Marked, before_now};
use super::{Inner, Store, StoreError, is_deleted};
use crate::image::{ImageId, ImageMeta, ImageRecord, RequestedPlacement};

/// The time from one sweep through both tables to the next.
const INTERVAL: Duration = Duration::from_secs(3600);

/// The shortest time between two looks at what is deleted: deletes that come together are purged together.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How soon after a delete to see whether it came to its end, and after a failure to try again.
const SOON: Duration = Duration::from_secs(60);

/// For how long the sweep must have seen an image without a placement before it gives it one. Until then it may be an
/// upload by another server, or a restore.
const UNPLACED_FOR: Duration = Duration::from_secs(3600);

/// How many images of a range are counted against their placements at once, rather than in two halves.
const COUNTED_AT_ONCE: u64 = 256;

/// How many ids are compared at once. Reading the id of an image makes the database read its bytes, so few.
const COMPARED_AT_ONCE: u64 = 16;

/// The end of the time that a UUIDv7 can hold, in milliseconds.
const END_OF_TIME_MS: u64 = 1 << 48;

/// Sweeps now, whenever a delete is due to be purged, and every hour, until `stop` or until the store is dropped.
pub(super) fn spawn(store: Weak<Inner>, deleted: Arc<Notify>, stop: CancellationToken) {
    let sweeps = async move {
        let mut sweep = Sweep::default();
        while let Some(inner) = store.upgrade() {
            let store = Store { inner };
            let pause = sweep.round(&store).await.unwrap_or_else(|error| {
                log::warn!("the sweep will be tried again in a minute: {error}");
                SOON
            });
            let window = store.inner.undo_window;
            drop(store);
            sleep(SHORTEST_PAUSE).await;
            if timeout(pause, deleted.notified()).await.is_ok() {
                // More deletes may come until then; another server's are its own business, or the hourly sweep's.
                sleep(pause.min(window).min(SOON)).await;
            }
        }
    };
    tokio::spawn(async move { stop.run_until_cancelled(sweeps).await });
}

/// What the sweep remembers from one time to the next.
#[derive(Default)]
pub(super) struct Sweep {
    /// The images without a placement, and when it was first noticed.
    unplaced: HashMap<ImageId, Instant>,
    /// The deletes that are known to have come to their end.
    finished: HashSet<Marked>,
    /// When both tables were last compared.
    compared: Option<Instant>,
}

impl Sweep {
    /// One round: what is due of everything. The time until something is due again.
    async fn round(&mut self, store: &Store) -> Result<Duration, StoreError> {
        let next_purge = self.purge(store).await?;
        if self.compared.is_none_or(|at| at.elapsed() >= INTERVAL) {
            self.place(store, UNPLACED_FOR).await?;
            self.compared = Some(Instant::now());
        }
        Ok(next_purge.map_or(INTERVAL, |next| next.min(INTERVAL)))
    }

    /// Removes for good what was deleted before the undo window, and finishes other deletes that were cut off. The time
    /// until the next is due.
    pub(super) async fn purge(&mut self, store: &Store) -> Result<Option<Duration>, StoreError> {
        let due = before_now(store.inner.undo_window);
        let marked: HashSet<Marked> = store.marked().await?.into_iter().collect();
        self.finished.retain(|delete| marked.contains(delete));
        let mut next = None;
        for delete in marked {
            let Marked { id, deleted_at } = delete;
            if !self.finished.contains(&delete) {
                store.reconcile(id).await?;
                self.finished.insert(delete);
            }
            if deleted_at > due {
                next = Some(next.map_or(deleted_at, |next| deleted_at.min(next)));
            } else if store.purge(id, due).await? {
                self.finished.remove(&delete);
                log::info!("removed the deleted image {id}");
            }
        }
        Ok(next.map(|next| {
            let ms = next.as_millis().saturating_sub(due.as_millis());
            Duration::from_millis(u64::try_from(ms).unwrap_or_default())
        }))
    }

    /// Gives a placement to images that have been seen without one for `unplaced_for`.
    pub(super) async fn place(
        &mut self,
        store: &Store,
        unplaced_for: Duration,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let unplaced = store.unplaced().await?;
        self.unplaced.retain(|id, _| unplaced.contains(id));
        for id in unplaced {
            let since = *self.unplaced.entry(id).or_insert(now);
            if now.duration_since(since) >= unplaced_for && store.place_again(id).await? {
                log::info!("put image {id} on the board, whose upload did not come to its end");
            }
        }
        Ok(())
    }
}

impl Store {
    /// The images that have no placement.
    ///
    /// Counting reads no bytes, so ranges of ids are counted in both tables, and only where there are more images than
    /// placements, in small ranges, the ids are read.
    async fn unplaced(&self) -> Result<HashSet<ImageId>, StoreError> {
        let mut unplaced = HashSet::new();
        let mut ranges = vec![(0, END_OF_TIME_MS)];
        while let Some((from, to)) = ranges.pop() {
            let (lower, upper) = (first_id(from), first_id(to));
            let images = between(self.images(), &lower, &upper);
            let placements = between(self.placements(), &lower, &upper);
            let count: u64 = self.pool().value(r.count(images.clone())).await?;
            let divisible = to - from > 1;
            if count > COUNTED_AT_ONCE && divisible {
                ranges.extend(halves(from, to));
                continue;
            }
            if count == 0
                || count
                    <= self
                        .pool()
                        .value::<u64>(r.count(placements.clone()))
                        .await?
            {
                continue;
            }
            if count > COMPARED_AT_ONCE && divisible {
                ranges.extend(halves(from, to));
                continue;
            }
            let id = || r.expr("id");
            let images: Vec<Value> = self.pool().query(images.pluck(id())).await?;
            let placements: Vec<Value> = self.pool().query(placements.pluck(id())).await?;
            let placed: HashSet<ImageId> = placements.iter().filter_map(id_of).collect();
            let images = images.iter().filter_map(id_of);
            unplaced.extend(images.filter(|id| !placed.contains(id)));
        }
        Ok(unplaced)
    }

    /// Puts an image on the board that has no placement; false if it has one by now, or is gone.
    async fn place_again(&self, id: ImageId) -> Result<bool, StoreError> {
        let row = self.image_row(id).await?;
        if is_deleted(&row) {
            return Ok(false);
        }
        let Some(meta) = document::<ImageMeta>(row, "images")? else {
            return Ok(false);
        };
        let reservation = self.reserve(&meta, RequestedPlacement::default()).await;
        let placement = reservation.placement;
        // The thumbnails are looked after next.
        let record = ImageRecord {
            meta,
            placement,
            thumb: None,
        };
        let is_placed = self.insert_placement(&record).await? != Written::Before;
        if is_placed {
            reservation.keep();
        }
        Ok(is_placed)
    }
}

fn halves(from: u64, to: u64) -> [(u64, u64); 2] {
    let middle = from + (to - from) / 2;
    [(from, middle), (middle, to)]
}

pub(super) fn id_of(row: &Value) -> Option<ImageId> {
    row["id"].as_str()?.parse().ok()
}
