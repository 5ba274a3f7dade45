//! Storing an image: `images` first, then `placements`, so that whoever sees the placement can fetch the bytes.

use std::time::Duration;

use bytes::Bytes;
use reql::cmd::{Durability, insert};
use reql::types::WriteStatus;
use reql::{Command, r};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::client::Binary;
use super::error::{StoreError, shorten};
use super::{Store, is_deleted, pool, read};
use crate::image::{ImageId, ImageMeta, ImageRecord, NewImage};

/// How long the database may take to store one image, on disk. A slow disk writes 90 MiB, the most that is taken, in
/// some ten seconds.
const INSERT_LIMIT: Duration = Duration::from_secs(30);

/// For how long an insert is repeated whose answer was lost or that the database could not take.
const REPEAT_LIMIT: Duration = Duration::from_secs(4);

/// How long to wait before the first repetition; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// What became of an image that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// It is stored.
    Created(ImageRecord),
    /// An image with this id and the same bytes was there already; this is its record.
    Existing(ImageRecord),
    /// An image with this id and other bytes was there already; nothing was changed.
    Conflict,
    /// The image was stored and has been deleted since; nothing was changed. Until it is purged it can be restored.
    Deleted,
}

/// Who wrote a row that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// This insert.
    Now,
    /// Someone else.
    Before,
    /// An earlier attempt of this insert, most likely, whose answer was lost.
    Perhaps,
}

/// What is there already under the id of an upload.
struct Present {
    sha256: Option<String>,
    was_deleted: bool,
    has_image: bool,
    placed: Option<ImageRecord>,
}

impl Present {
    /// Why an upload of this id is not stored, if it is not.
    fn refusal(&self, meta: &ImageMeta) -> Option<Insert> {
        let is_other = |sha256: &String| *sha256 != meta.sha256;
        if self.sha256.as_ref().is_some_and(is_other) {
            return Some(Insert::Conflict);
        }
        self.was_deleted.then_some(Insert::Deleted)
    }
}

/// A row of `images`.
#[derive(Serialize)]
struct ImageRow<'a> {
    #[serde(flatten)]
    meta: &'a ImageMeta,
    file: &'a Binary,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<&'a Binary>,
}

impl Store {
    /// Stores an image, on disk, and puts it on the board. Once begun it goes on even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database cannot take it, even when tried several times. It may be stored nevertheless: repeat it with the
    /// same id, and there will be one.
    pub async fn insert(&self, image: NewImage) -> Result<Insert, StoreError> {
        self.to_the_end(|store| async move { store.insert_now(image).await })
            .await
    }

    async fn insert_now(&self, image: NewImage) -> Result<Insert, StoreError> {
        let NewImage {
            meta,
            requested,
            file,
            thumb,
        } = image;
        let id = meta.id;
        let mut present = self.present(id).await?;
        if let Some(refusal) = present.refusal(&meta) {
            return Ok(refusal);
        }
        // Of an image that somebody else stored, the sweep finds out.
        let (mut has_thumb, will_have_thumb) = (None, thumb.is_some());
        if !present.has_image {
            // The bytes are sent at once rather than compared first, but never over others: of two uploads that take the
            // same id at the same time one is first.
            match self.insert_image(&meta, file, thumb).await? {
                Written::Now => has_thumb = Some(will_have_thumb),
                Written::Before | Written::Perhaps => present = self.present(id).await?,
            }
            if let Some(refusal) = present.refusal(&meta) {
                return Ok(refusal);
            }
        }
        if let Some(record) = present.placed {
            return Ok(Insert::Existing(record));
        }
        let reservation = self.reserve(&meta, requested).await;
        let placement = reservation.placement;
        let record = ImageRecord {
            meta,
            placement,
            thumb: has_thumb,
        };
        match self.insert_placement(&record).await? {
            Written::Now | Written::Perhaps => {
                reservation.keep();
                return Ok(Insert::Created(record));
            }
            Written::Before => {}
        }
        // The same upload, at the same time, on another connection; or a delete of it.
        let present = self.present(id).await?;
        if let Some(refusal) = present.refusal(&record.meta) {
            return Ok(refusal);
        }
        let gone = || StoreError::Unavailable("the image was deleted at the same time".to_owned());
        present.placed.map(Insert::Existing).ok_or_else(gone)
    }

    /// What there is of this id.
    async fn present(&self, id: ImageId) -> Result<Present, StoreError> {
        let (image, placement) = tokio::try_join!(self.image_row(id), self.placement_row(id))?;
        let was_deleted = is_deleted(&image) || is_deleted(&placement);
        let image: Option<ImageMeta> = read::document(image, "images")?;
        let placed: Option<ImageRecord> = read::document(placement, "placements")?;
        let has_image = image.is_some();
        let meta = image.or_else(|| placed.as_ref().map(|record| record.meta.clone()));
        Ok(Present {
            sha256: meta.map(|meta| meta.sha256),
            was_deleted,
            has_image,
            placed,
        })
    }

    async fn insert_image(
        &self,
        meta: &ImageMeta,
        file: Bytes,
        thumb: Option<Bytes>,
    ) -> Result<Written, StoreError> {
        let _turn = self.inner.uploads.take(file.len() as u64).await?;
        let (file, thumb) = (Binary(file), thumb.map(Binary));
        let row = ImageRow {
            meta,
            file: &file,
            thumb: thumb.as_ref(),
        };
        self.write(|| insert_row(self.images(), &row)).await
    }

    /// Puts an image on the board unless it lies there already: a late repetition must undo no move.
    pub(super) async fn insert_placement(
        &self,
        record: &ImageRecord,
    ) -> Result<Written, StoreError> {
        self.write(|| insert_row(self.placements(), record)).await
    }

    /// Sends an insert until it is answered. It may be repeated since a row is never inserted twice.
    async fn write(&self, command: impl Fn() -> Command) -> Result<Written, StoreError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut repeated = false;
        loop {
            let answer = self.pool().query_once(command(), INSERT_LIMIT).await;
            match answer.and_then(pool::only) {
                Ok(status) => return written(&status, repeated),
                Err(StoreError::Unavailable(reason)) if start.elapsed() + pause < REPEAT_LIMIT => {
                    log::warn!("an insert is repeated in {pause:?}: {reason}");
                    sleep(pause).await;
                    pause *= 2;
                    repeated = true;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn insert_row(table: Command, row: impl Serialize) -> Command {
    let options = insert::Options::new().durability(Durability::Hard);
    table.insert(r.args((row, options)))
}

/// Reads what an insert is answered with. `repeated`: the answer to an earlier attempt was lost.
fn written(status: &WriteStatus, repeated: bool) -> Result<Written, StoreError> {
    match &status.first_error {
        None if status.errors == 0 => Ok(Written::Now),
        None => Err(StoreError::Refused("without a reason".to_owned())),
        // The message goes on with both documents.
        Some(message) if message.starts_with("Duplicate primary key") => Ok(if repeated {
            Written::Perhaps
        } else {
            Written::Before
        }),
        Some(message) => Err(StoreError::Refused(shorten(message))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(json: serde_json::Value) -> WriteStatus {
        let mut whole = serde_json::json!({
            "inserted": 0, "replaced": 0, "unchanged": 0, "skipped": 0, "deleted": 0, "errors": 0
        });
        for (key, value) in json.as_object().unwrap() {
            whole[key] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn a_duplicate_key_is_no_error() {
        let inserted = status(serde_json::json!({"inserted": 1}));
        assert_eq!(written(&inserted, false), Ok(Written::Now));
        let message = "Duplicate primary key `id`:\n{…";
        let duplicate = status(serde_json::json!({"errors": 1, "first_error": message}));
        assert_eq!(written(&duplicate, false), Ok(Written::Before));
        assert_eq!(written(&duplicate, true), Ok(Written::Perhaps));
        let message = "Array over size limit";
        let other = status(serde_json::json!({"errors": 1, "first_error": message}));
        assert!(matches!(written(&other, true), Err(StoreError::Refused(_))));
    }
}
