//! Storing an image: `images` first, then `placements`, so that whoever sees the placement can fetch the bytes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use reql::cmd::{Durability, insert};
use reql::types::WriteStatus;
use reql::{Command, r};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::error::{StoreError, shorten};
use super::{Store, pool, read};
use crate::image::{
    Binary, ImageId, ImageMeta, ImageRecord, NewImage, Place, Placement, Timestamp,
};

/// How long the database may take to store one image, on disk. A slow disk writes 90 MiB, the most that is taken, in
/// some ten seconds.
const INSERT_LIMIT: Duration = Duration::from_secs(30);

/// For how long an insert is repeated whose answer was lost or that the database could not take.
const REPEAT_LIMIT: Duration = Duration::from_secs(4);

/// How long to wait before the first repetition; twice as long before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The shown width of an image that comes without one, in board units.
const DEFAULT_WIDTH: f64 = 240.0;

/// The distance between two images on the grid, in board units: [`DEFAULT_WIDTH`] and a gap.
const CELL: f64 = 264.0;

/// How many images stand in a row of the grid.
const CELLS_IN_ROW: u64 = 12;

/// What became of an image that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// It is stored.
    Created(ImageRecord),
    /// An image with this id and the same bytes was there already; this is its record.
    Existing(ImageRecord),
    /// An image with this id and other bytes was there already; nothing was changed.
    Conflict,
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

/// A row of `images`.
#[derive(Serialize)]
struct ImageRow<'a> {
    #[serde(flatten)]
    meta: &'a ImageMeta,
    file: &'a Binary,
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
        let NewImage { meta, place, file } = image;
        let mut is_new = false;
        let mut stored = self.stored_hash(meta.id).await?;
        if stored.is_none() {
            // The bytes are sent at once rather than compared first, but never over others: of two uploads that take the
            // same id at the same time one is first.
            match self.insert_image(&meta, file).await? {
                Written::Now => is_new = true,
                Written::Before | Written::Perhaps => stored = self.stored_hash(meta.id).await?,
            }
        }
        if stored.is_some_and(|sha256| sha256 != meta.sha256) {
            return Ok(Insert::Conflict);
        }
        if !is_new && let Some(record) = self.any_record(meta.id).await? {
            return Ok(Insert::Existing(record));
        }
        let id = meta.id;
        let placement = self.place(place);
        let record = ImageRecord { meta, placement };
        match self.insert_placement(&record).await? {
            Written::Now | Written::Perhaps => return Ok(Insert::Created(record)),
            Written::Before => {}
        }
        // The same upload, at the same time, on another connection.
        let record = self.any_record(id).await?;
        let gone = || StoreError::Unavailable("the image was deleted at the same time".to_owned());
        record.map(Insert::Existing).ok_or_else(gone)
    }

    /// The SHA-256 of the image that has this id, on the board or not.
    async fn stored_hash(&self, id: ImageId) -> Result<Option<String>, StoreError> {
        let stored: Option<ImageMeta> = read::document(self.image_row(id).await?, "images")?;
        Ok(stored.map(|meta| meta.sha256))
    }

    async fn insert_image(&self, meta: &ImageMeta, file: Bytes) -> Result<Written, StoreError> {
        let _turn = self.inner.uploads.take(file.len() as u64).await?;
        let file = Binary(file);
        let row = ImageRow { meta, file: &file };
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

    /// Where an image is put: where its uploader wants it, or in the next cell of the grid, in front of the others.
    pub(super) fn place(&self, wanted: Place) -> Placement {
        let next_cell = || {
            let cell = self.inner.next_cell.fetch_add(1, Ordering::Relaxed);
            grid_cell(cell)
        };
        let (x, y) = match (wanted.x, wanted.y) {
            (Some(x), Some(y)) => (x, y),
            (x, y) => {
                let cell = next_cell();
                (x.unwrap_or(cell.0), y.unwrap_or(cell.1))
            }
        };
        Placement {
            x,
            y,
            w: wanted.w.unwrap_or(DEFAULT_WIDTH),
            // Any server can assign it, and what comes later lies in front.
            z: Timestamp::now().as_millis() as f64,
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

/// The left and the top edge of a cell, counted in rows from the origin.
fn grid_cell(cell: u64) -> (f64, f64) {
    let column = cell % CELLS_IN_ROW;
    let row = cell / CELLS_IN_ROW;
    (column as f64 * CELL, row as f64 * CELL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_fills_rows_of_twelve() {
        assert_eq!(grid_cell(0), (0.0, 0.0));
        assert_eq!(grid_cell(11), (2904.0, 0.0));
        assert_eq!(grid_cell(12), (0.0, 264.0));
        assert_eq!(grid_cell(25), (264.0, 528.0));
    }

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
