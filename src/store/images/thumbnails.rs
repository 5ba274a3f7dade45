//! Background task that makes missing thumbnails and ThumbHashes: of images stored by a release without them, and of
//! interrupted uploads.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use reql::{func, r};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::image::{ImageId, ImageType, Limits, Preview, preview, sniff};
use crate::store::client::Binary;
use crate::store::error::StoreError;
use crate::store::handle::{Inner, Store};
use crate::store::rows::{DELETED_AT, id_of};
use crate::store::write::{RowWrite, hard_update, unless_deleted, write_row};

/// Interval between two searches for images without a thumbnail.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Number of images in a row that may fail in a round.
const MAX_FAILURES: u32 = 3;

/// Pause after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Pause between two images, which leaves processors and database to uploads and viewers.
const PAUSE: Duration = Duration::from_millis(100);

/// The field of `placements` with the ThumbHash, as base64; empty if none can be made.
const THUMBHASH: &str = "thumbhash";

/// Starts the task: it runs at start-up and every hour until `shutdown`.
pub(crate) fn spawn(store: &Store, shutdown: CancellationToken) {
    // A strong handle would keep the store, and thereby this task, alive.
    let rounds = run(Arc::downgrade(&store.inner));
    tokio::spawn(async move { shutdown.run_until_cancelled(rounds).await });
}

async fn run(store: Weak<Inner>) {
    loop {
        let pause = match round(&store).await {
            Ok(()) => INTERVAL,
            Err(error) => {
                log::warn!("making thumbnails failed and is retried in a minute: {error}");
                RETRY_PAUSE
            }
        };
        sleep(pause).await;
    }
}

async fn round(store: &Weak<Inner>) -> Result<(), StoreError> {
    let Some(inner) = store.upgrade() else {
        return Ok(());
    };
    let missing = Store::of(inner).without_thumb().await?;
    if !missing.is_empty() {
        log::info!("making the thumbnails of {} images", missing.len());
    }
    let mut failures = 0;
    for id in missing {
        let Some(inner) = store.upgrade() else { break };
        match Store::of(inner).add_thumb(id).await {
            Ok(()) => failures = 0,
            // One unreadable image must not keep the others from getting theirs. A database that is unavailable ends
            // the round.
            Err(error @ StoreError::Damaged(_)) => {
                log::info!("image {id} gets no thumbnail: {error}");
            }
            Err(error) if failures < MAX_FAILURES => {
                log::warn!("making the thumbnail of image {id} failed: {error}");
                failures += 1;
            }
            Err(error) => return Err(error),
        }
        sleep(PAUSE).await;
    }
    Ok(())
}

impl Store {
    /// Returns the images of which it is unknown whether they have a thumbnail and a ThumbHash, oldest first.
    /// AVIF images are known to have neither.
    pub(crate) async fn without_thumb(&self) -> Result<Vec<ImageId>, StoreError> {
        let is_unknown = func!(|row| {
            let has_hash = row.clone().has_fields(THUMBHASH);
            let has_hash = has_hash.or(row.clone().get_field("type").eq(json!(ImageType::Avif)));
            let has_all = has_hash.and(row.clone().has_fields("thumb"));
            has_all.or(row.has_fields(DELETED_AT)).eq(false)
        });
        let rows = self.placements().filter(is_unknown).pluck(r.expr("id"));
        let rows: Vec<Value> = self.pool().query(rows).await?;
        let mut ids: Vec<ImageId> = rows.iter().filter_map(id_of).collect();
        ids.sort();
        Ok(ids)
    }

    /// Makes and stores the thumbnail of an image unless there is one, and records the result and the ThumbHash in its
    /// placement. Does nothing if the image is gone.
    pub(crate) async fn add_thumb(&self, id: ImageId) -> Result<(), StoreError> {
        let (has_thumb, preview) = match self.thumb(id).await? {
            Some(thumb) => match sniff(&thumb) {
                Some(kind) => (true, decoded(id, thumb, kind).await),
                None => (true, Preview::default()),
            },
            None => {
                let Some((meta, file)) = self.file(id).await? else {
                    return Ok(());
                };
                let mut preview = decoded(id, file, meta.kind).await;
                let has_thumb = match preview.thumb.take() {
                    Some(thumb) => self.store_thumb(id, thumb).await?,
                    None => false,
                };
                (has_thumb, preview)
            }
        };
        let thumbhash = preview.thumbhash.unwrap_or_default();
        let found = json!({ "thumb": has_thumb, THUMBHASH: thumbhash });
        let update = unless_deleted(r.expr(found));
        let placement = self.placements().get(id);
        let placement = placement.update(r.args((update, hard_update())));
        write_row(self.pool(), placement).await.map(drop)
    }

    /// Stores a thumbnail; returns `false` if the image is gone.
    async fn store_thumb(&self, id: ImageId, thumb: Bytes) -> Result<bool, StoreError> {
        #[derive(Serialize)]
        struct Fields {
            thumb: Binary,
        }
        let fields = Fields {
            thumb: Binary(thumb),
        };
        let update = self
            .images()
            .get(id)
            .update(r.args((fields, hard_update())));
        Ok(write_row(self.pool(), update).await? == RowWrite::Done)
    }
}

/// Decodes a file on a blocking thread.
async fn decoded(id: ImageId, file: Bytes, kind: ImageType) -> Preview {
    let decoding = spawn_blocking(move || preview(&file, kind, Limits::default()));
    decoding.await.unwrap_or_else(|error| {
        log::error!("making the thumbnail of image {id} panicked: {error}");
        Preview::default()
    })
}
