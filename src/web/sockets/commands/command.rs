//! Execution of commands.

use std::future::ready;

use actix_web::web::Data;
use futures::future::LocalBoxFuture;

use crate::image::{ImageId, RequestedPlacement};
use crate::store::{Durability, PlacementChange, Store, StoreError};
use crate::web::images::image_cache::ImageCache;
use crate::web::sockets::announcements::announcer::Announcer;
use crate::web::sockets::protocol::events::{UploadBegin, UploadEnd};

/// A valid command.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Changes the placement or the description of an image.
    Update(ImageId, PlacementChange, Durability),
    /// Changes the placements of many images at once.
    Arrange(Vec<(ImageId, PlacementChange)>),
    /// Deletes an image.
    Delete(ImageId),
    /// Restores a deleted image.
    Restore(ImageId),
    /// Announces an upload to the other viewers.
    BeginUpload(UploadBegin),
    /// Reserves a placement for an image of this width and height in pixels, and announces its upload.
    ReserveUpload(UploadBegin, (u32, u32)),
    /// Ends an announced upload.
    EndUpload(UploadEnd),
}

/// The effect of a command that has succeeded.
#[derive(Debug, PartialEq)]
pub(crate) enum Success {
    /// Nothing is left to do.
    Done,
    /// The placement of an upload is reserved. The upload is to be announced there.
    Reserved(UploadBegin),
}

/// The result of a command, or an error message for the client.
pub(crate) type Outcome = LocalBoxFuture<'static, Result<Success, &'static str>>;

impl Command {
    /// Starts the command. Announcements take effect at once, changes to the store when the future is polled.
    pub(crate) fn execute(
        self,
        store: &Data<Store>,
        cache: &Data<ImageCache>,
        announcer: &Announcer,
    ) -> Outcome {
        match self {
            Self::BeginUpload(begin) => Box::pin(ready(announcer.begin(&begin).map(done))),
            Self::ReserveUpload(begin, pixels) => match announcer.admit(begin.upload) {
                Ok(()) => Box::pin(reserve(store.clone(), begin, pixels)),
                Err(message) => Box::pin(ready(Err(message))),
            },
            Self::EndUpload(end) => {
                let ended = announcer.end(end);
                if ended.is_ok() && end.id.is_none() {
                    store.release_placement(end.upload);
                }
                Box::pin(ready(ended.map(done)))
            }
            Self::Update(id, change, durability) => {
                let store = store.clone();
                Box::pin(async move { answer(store.update(id, change, durability).await) })
            }
            Self::Arrange(changes) => {
                let store = store.clone();
                Box::pin(async move {
                    let arranged = store.arrange(changes).await;
                    answer(arranged.map(|count| count > 0))
                })
            }
            Self::Delete(id) => {
                let (store, cache) = (store.clone(), cache.clone());
                Box::pin(async move {
                    let deleted = store.delete(id).await;
                    // Only now: a read that started before the delete would put the image back into the cache.
                    cache.invalidate(id);
                    answer(deleted)
                })
            }
            Self::Restore(id) => {
                let store = store.clone();
                Box::pin(async move { answer(store.restore(id).await) })
            }
        }
    }
}

async fn reserve(
    store: Data<Store>,
    begin: UploadBegin,
    pixels: (u32, u32),
) -> Result<Success, &'static str> {
    let UploadBegin {
        upload, x, y, w, ..
    } = begin;
    let requested = RequestedPlacement { x, y, w };
    let reserved = store.reserve_placement(upload, pixels, requested).await;
    let area = reserved.map_err(failed)?;
    Ok(Success::Reserved(begin.at(area)))
}

fn done((): ()) -> Success {
    Success::Done
}

/// Translates a result of the store for the client.
fn answer(found: Result<bool, StoreError>) -> Result<Success, &'static str> {
    match found {
        Ok(true) => Ok(Success::Done),
        Ok(false) => Err("there is no such image"),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: StoreError) -> &'static str {
    log::warn!("a command failed: {error}");
    "the database cannot be used right now"
}
