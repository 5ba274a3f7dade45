//! Execution of commands.

use std::future::ready;

use actix_web::web::Data;
use futures::future::LocalBoxFuture;

use crate::image::{ImageId, RequestedPlacement};
use crate::store::{Area, Board, Durability, PlacementChange, Restored, Store, StoreError};
use crate::web::access::action::Action;
use crate::web::access::grant::Grant;
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

/// The parts of a session that execute its commands.
pub(crate) struct Executor<'a> {
    pub(crate) store: &'a Data<Store>,
    pub(crate) cache: &'a Data<ImageCache>,
    pub(crate) announcer: &'a Announcer,
    pub(crate) presence: &'a PresenceGuard,
    pub(crate) grant: &'a Grant,
}

impl Command {
    /// The action of the command, which determines who may send it.
    fn action(&self) -> Action {
        match self {
            Self::Name(_) => Action::See,
            Self::BeginUpload(_) | Self::ReserveUpload(..) | Self::EndUpload(_) => Action::Add,
            Self::Update(..) | Self::Arrange(_) | Self::Delete(_) | Self::Restore(_) => {
                Action::Change
            }
        }
    }
}

impl Executor<'_> {
    /// Starts a command. Announcements take effect at once, changes to the store when the future is polled.
    pub(crate) fn execute(self, command: Command) -> Outcome {
        if !self.grant.permits(command.action()) {
            return finished(Err(if self.grant.board.settings.locked {
                "the board is locked"
            } else {
                "this link does not permit that"
            }));
        }
        let board = self.grant.changeable(self.store);
        match command {
            Command::BeginUpload(begin) => {
                finished(self.announcer.begin(&begin, self.grant.must_wait()))
            }
            Command::ReserveUpload(begin, pixels) => match self.announcer.admit(begin.upload) {
                Ok(()) => Box::pin(reserve(board, begin, pixels)),
                Err(message) => finished(Err(message)),
            },
            Command::EndUpload(end) => {
                let ended = self.announcer.end(end);
                if ended.is_ok() && end.id.is_none() {
                    board.release_placement(end.upload);
                }
                finished(ended)
            }
            Command::Name(name) => {
                let person = self.presence.set_name(name);
                Box::pin(ready(Ok(Success::Named(person))))
            }
            Command::Update(id, mut change, durability) => {
                sign(&mut change, self.presence);
                let is_text = change.alt.is_some() || change.caption.is_some();
                let missing = match is_text && self.grant.must_wait() {
                    true => "a host has approved this photo: its texts can no longer be changed",
                    false => MISSING,
                };
                Box::pin(async move {
                    let updated = board.update(id, change, durability).await;
                    answer(updated).map_err(|error| if error == MISSING { missing } else { error })
                })
            }
            Command::Arrange(mut changes) => {
                for (_, change) in &mut changes {
                    sign(change, self.presence);
                }
                Box::pin(async move {
                    let arranged = board.arrange(changes).await;
                    answer(arranged.map(|count| count > 0))
                })
            }
            Command::Delete(ids) => {
                let (cache, by) = (self.cache.clone(), self.presence.name());
                Box::pin(async move {
                    let deleted = board.delete(ids.clone(), by).await;
                    // Only now: a read that started before the delete would put the image back into the cache.
                    for id in ids {
                        cache.invalidate(id);
                    }
                    answer(deleted.map(|count| count > 0))
                })
            }
            Command::Restore(id) => {
                let by = self.presence.name();
                Box::pin(async move {
                    match board.restore(id, by).await {
                        Ok(Restored::Full(_)) => Err("the board is full"),
                        restored => answer(restored.map(|restored| restored == Restored::Done)),
                    }
                })
            }
        }
    }
}

/// The answer to a change of an image that is not there, or that the viewer may not change.
const MISSING: &str = "there is no such photo";

fn finished(outcome: Result<(), &'static str>) -> Outcome {
    Box::pin(ready(outcome.map(done)))
}

/// Adds the name of the person who moves an image.
fn sign(change: &mut PlacementChange, presence: &PresenceGuard) {
    if change.is_move() {
        change.moved_by = Some(presence.name().unwrap_or_default());
    }
}

async fn reserve(
    board: Board,
    begin: UploadBegin,
    pixels: (u32, u32),
) -> Result<Success, &'static str> {
    let UploadBegin {
        upload, x, y, w, ..
    } = begin;
    let requested = RequestedPlacement { x, y, w };
    let reserved = board.reserve_placement(upload, pixels, requested).await;
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
        Ok(false) => Err(MISSING),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: StoreError) -> &'static str {
    log::warn!("a command failed: {error}");
    match error {
        StoreError::DiskFailed(_) => "the server's disk cannot be written right now",
        _ => "the database cannot be used right now",
    }
}
