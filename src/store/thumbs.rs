//! Thumbnails for images from before there were any, and for those whose upload was cut off: at start-up and every hour, one
//! after the other, in the background.

use std::sync::Weak;
use std::time::Duration;

use bytes::Bytes;
use reql::cmd::update;
use reql::{func, r};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::change::{ALREADY_DELETED, found, hard_update};
use super::client::Binary;
use super::sweep::id_of;
use super::{DELETED_AT, Inner, Store, StoreError};
use crate::image::{ImageId, Limits, preview};

/// The time from one look for images without a thumbnail to the next.
const INTERVAL: Duration = Duration::from_secs(3600);

/// How long to wait after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// The pause between two images, so that uploads and viewers have the processors and the database for themselves.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes what is missing, now and every hour, until `stop` or until the store is dropped.
pub(super) fn spawn(store: Weak<Inner>, stop: CancellationToken) {
    let rounds = async move {
        while let Some(inner) = store.upgrade() {
            let missing = Store { inner }.without_thumb().await;
            let made = match missing {
                Ok(missing) => make_all(&store, missing).await,
                Err(error) => Err(error),
            };
            let pause = match made {
                Ok(()) => INTERVAL,
                Err(error) => {
                    log::warn!("thumbnails will be made in a minute: {error}");
                    AFTER_FAILURE
                }
            };
            sleep(pause).await;
        }
    };
    tokio::spawn(async move { stop.run_until_cancelled(rounds).await });
}

async fn make_all(store: &Weak<Inner>, missing: Vec<ImageId>) -> Result<(), StoreError> {
    if !missing.is_empty() {
        log::info!("looking after the thumbnails of {} images", missing.len());
    }
    for id in missing {
        let Some(inner) = store.upgrade() else { break };
        Store { inner }.add_thumb(id).await?;
        sleep(PAUSE).await;
    }
    Ok(())
}

impl Store {
    /// The images on the board of which nobody knows whether they have a thumbnail, the oldest first.
    pub(super) async fn without_thumb(&self) -> Result<Vec<ImageId>, StoreError> {
        let unknown = func!(|row| row
            .clone()
            .has_fields("thumb")
            .or(row.has_fields(DELETED_AT))
            .eq(false));
        let rows = self.placements().filter(unknown).pluck(r.expr("id"));
        let rows: Vec<Value> = self.pool().query(rows).await?;
        let mut ids: Vec<ImageId> = rows.iter().filter_map(id_of).collect();
        ids.sort();
        Ok(ids)
    }

    /// Makes the thumbnail of an image unless there is one, and tells the board of it. Nothing happens to an image that is
    /// gone.
    pub(super) async fn add_thumb(&self, id: ImageId) -> Result<(), StoreError> {
        let has_thumb = match self.thumb(id).await? {
            Some(_) => true,
            None => {
                let Some((meta, file)) = self.file(id).await? else {
                    return Ok(());
                };
                let limits = Limits::default();
                let made = spawn_blocking(move || preview(&file, meta.kind, limits).thumb);
                match made.await {
                    Ok(Some(thumb)) => self.store_thumb(id, thumb).await?,
                    Ok(None) => false,
                    Err(error) => {
                        log::error!("the thumbnail of image {id} failed: {error}");
                        false
                    }
                }
            }
        };
        let told = r.expr(json!({ "thumb": has_thumb }));
        let unless_deleted = func!(|row| r.branch(r.args((
            row.has_fields(DELETED_AT),
            r.error(ALREADY_DELETED),
            told
        ))));
        let placement = self.placements().get(id);
        let told = placement.update(r.args((unless_deleted, hard_update())));
        found(&self.pool().value(told).await?).map(drop)
    }

    /// Whether the image is still there.
    async fn store_thumb(&self, id: ImageId, thumb: Bytes) -> Result<bool, StoreError> {
        #[derive(serde::Serialize)]
        struct Thumb {
            thumb: Binary,
        }
        let thumb = Thumb {
            thumb: Binary(thumb),
        };
        let options: update::Options = hard_update();
        let stored = self.images().get(id).update(r.args((thumb, options)));
        found(&self.pool().value(stored).await?)
    }
}
