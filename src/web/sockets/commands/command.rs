//! Execution of commands.

use std::future::ready;

use actix_web::web::Data;
use futures::future::LocalBoxFuture;

use crate::image::ImageId;
use crate::store::{Durability, PlacementChange, Store, StoreError};
use crate::web::images::image_cache::ImageCache;
use crate::web::sockets::announcements::announcer::Announcer;
use crate::web::sockets::protocol::events::{UploadBegin, UploadEnd};

/// A valid command.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Changes the placement or the description of an image.
    Update(ImageId, PlacementChange, Durability),
    /// Deletes an image.
    Delete(ImageId),
    /// Restores a deleted image.
    Restore(ImageId),
    /// Announces an upload to the other viewers.
    BeginUpload(UploadBegin),
    /// Ends an announced upload.
    EndUpload(UploadEnd),
}

/// The result of a command: nothing, or an error message for the client.
pub(crate) type Outcome = LocalBoxFuture<'static, Result<(), &'static str>>;

impl Command {
    /// Starts the command. Announcements take effect at once, changes to the store when the future is polled.
    pub(crate) fn execute(
        self,
        store: &Data<Store>,
        cache: &Data<ImageCache>,
        announcer: &Announcer,
    ) -> Outcome {
        match self {
            Self::BeginUpload(begin) => Box::pin(ready(announcer.begin(&begin))),
            Self::EndUpload(end) => Box::pin(ready(announcer.end(end))),
            Self::Update(id, change, durability) => {
                let store = store.clone();
                Box::pin(async move { answer(store.update(id, change, durability).await) })
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

/// Translates a result of the store for the client.
fn answer(found: Result<bool, StoreError>) -> Result<(), &'static str> {
    match found {
        Ok(true) => Ok(()),
        Ok(false) => Err("there is no such image"),
        Err(error) => {
            log::warn!("a command failed: {error}");
            Err("the database cannot be used right now")
        }
    }
}
