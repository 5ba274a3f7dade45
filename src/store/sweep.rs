//! Finishes what a crash left half done, at start-up and every hour.
//!
//! There are no transactions over two tables. A crash between the two writes of an upload leaves an image that nobody
//! sees; one in the midst of a delete leaves a placement that is marked as deleted. A third state, a placement that is not
//! marked and has no image, comes from a restore that is under way: it is left alone. So is every image: the sweep removes
//! the bytes of none that was not deleted by its user.

use std::collections::{HashMap, HashSet};
use std::sync::Weak;
use std::time::{Duration, Instant};

use reql::r;
use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::insert::Written;
use super::read::{between, document, first_id};
use super::{DELETED_AT, Inner, Store, StoreError, is_deleted};
use crate::image::{ImageId, ImageMeta, ImageRecord, Place};

/// The time from one sweep to the next.
const INTERVAL: Duration = Duration::from_secs(3600);

/// For how long the sweep must have seen an image without a placement before it gives it one. Until then it may be an
/// upload by another server, or a restore.
const UNPLACED_FOR: Duration = Duration::from_secs(3600);

/// How many images of a range are counted against their placements at once, rather than in two halves.
const COUNTED_AT_ONCE: u64 = 256;

/// How many ids are compared at once. Reading the id of an image makes the database read its bytes, so few.
const COMPARED_AT_ONCE: u64 = 16;

/// The end of the time that a UUIDv7 can hold, in milliseconds.
const END_OF_TIME_MS: u64 = 1 << 48;

/// Sweeps now and then every hour until `stop` or until the store is dropped.
pub(super) fn spawn(store: Weak<Inner>, stop: CancellationToken) {
    let sweeps = async move {
        let mut sweep = Sweep::default();
        while let Some(inner) = store.upgrade() {
            let store = Store { inner };
            if let Err(error) = sweep.run(&store, UNPLACED_FOR).await {
                log::warn!("the sweep will be tried again in an hour: {error}");
            }
            drop(store);
            sleep(INTERVAL).await;
        }
    };
    tokio::spawn(async move { stop.run_until_cancelled(sweeps).await });
}

/// What the sweep remembers from one time to the next.
#[derive(Default)]
pub(super) struct Sweep {
    /// The images without a placement, and when it was first noticed.
    unplaced: HashMap<ImageId, Instant>,
}

impl Sweep {
    /// Finishes deletes, and gives a placement to images that have been seen without one for `unplaced_for`.
    pub(super) async fn run(
        &mut self,
        store: &Store,
        unplaced_for: Duration,
    ) -> Result<(), StoreError> {
        for id in store.half_deleted().await? {
            store.remove(id).await?;
            log::info!("finished the delete of image {id}");
        }
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
    /// The placements that are marked as deleted.
    async fn half_deleted(&self) -> Result<Vec<ImageId>, StoreError> {
        let marked = self.placements().has_fields(DELETED_AT);
        let rows: Vec<Value> = self.pool().query(marked.pluck(r.expr("id"))).await?;
        Ok(rows.iter().filter_map(id_of).collect())
    }

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
        let placement = self.place(Place::default());
        let record = ImageRecord { meta, placement };
        Ok(self.insert_placement(&record).await? != Written::Before)
    }
}

fn halves(from: u64, to: u64) -> [(u64, u64); 2] {
    let middle = from + (to - from) / 2;
    [(from, middle), (middle, to)]
}

fn id_of(row: &Value) -> Option<ImageId> {
    row["id"].as_str()?.parse().ok()
}
