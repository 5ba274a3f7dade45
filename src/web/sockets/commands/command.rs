//! Execution of commands.

use std::future::ready;

use actix_web::web::Data;
use futures::future::LocalBoxFuture;

use crate::image::{ImageId, RequestedPlacement};
use crate::store::{Area, Durability, PlacementChange, Store, StoreError};
use crate::web::images::image_cache::ImageCache;
use crate::web::sockets::announcements::announcer::Announcer;
use crate::web::sockets::presence::PresenceGuard;
use crate::web::sockets::protocol::events::{Person, UploadBegin, UploadEnd};

/// A valid command.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Changes the placement or the description of an image.
    Update(ImageId, PlacementChange, Durability),
    /// Changes the placements of many images at once.
    Arrange(Vec<(ImageId, PlacementChange)>),
    /// Deletes images.
    Delete(Vec<ImageId>),
    /// Restores a deleted image.
    Restore(ImageId),
    /// Sets the name of the session, or removes it.
    Name(Option<String>),
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
    /// The session has this name, or none.
    Named(Option<Person>),
    /// The placement of an upload is reserved. The upload is to be announced there.
    Reserved(UploadBegin, Area),
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
        presence: &PresenceGuard,
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
            Self::Name(name) => {
                let person = presence.set_name(name);
                Box::pin(ready(Ok(Success::Named(person))))
            }
            Self::Update(id, mut change, durability) => {
                sign(&mut change, presence);
                let store = store.clone();
                Box::pin(async move { answer(store.update(id, change, durability).await) })
            }
            Self::Arrange(mut changes) => {
                for (_, change) in &mut changes {
                    sign(change, presence);
                }
                let store = store.clone();
                Box::pin(async move {
                    let arranged = store.arrange(changes).await;
                    answer(arranged.map(|count| count > 0))
                })
            }
            Self::Delete(ids) => {
                let (store, cache, by) = (store.clone(), cache.clone(), presence.name());
                Box::pin(async move {
                    let deleted = store.delete(ids.clone(), by).await;
                    // Only now: a read that started before the delete would put the image back into the cache.
                    for id in ids {
                        cache.invalidate(id);
                    }
                    answer(deleted.map(|count| count > 0))
                })
            }
            Self::Restore(id) => {
                let store = store.clone();
                Box::pin(async move { answer(store.restore(id).await) })
            }
        }
    }
}

/// Adds the name of the person who moves an image.
fn sign(change: &mut PlacementChange, presence: &PresenceGuard) {
    if change.is_move() {
        change.moved_by = Some(presence.name().unwrap_or_default());
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
    Ok(Success::Reserved(begin, area))
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
