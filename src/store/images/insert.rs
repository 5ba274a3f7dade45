//! Storing images: `images` first, then `placements`, so that the file of every image on the board can be read.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use crate::image::{
    BoardId, ImageId, ImageMeta, ImageRecord, NewImage, Placement, RequestedPlacement,
};
use crate::store::client::Binary;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::limits::BoardFull;
use crate::store::rows::{document, is_deleted};
use crate::store::write::{Inserted, insert_row, insert_with_retry};

/// Outcome of [`Store::insert`].
#[derive(Debug, Clone, PartialEq)]
pub enum Insert {
    /// The image has been stored.
    Created(ImageRecord),
    /// An image with this id and the same bytes exists; this is its record.
    Existing(ImageRecord),
    /// An image with this id and other bytes exists, or on another board. Nothing has changed.
    Conflict,
    /// The image has been stored before and is deleted. Nothing has changed; it can be restored until it is purged.
    Deleted,
    /// The board has no room for it. Nothing has changed.
    Full(BoardFull),
}

/// The rows that exist for the id of an upload.
struct ExistingRows {
    /// The board and the hash.
    identity: Option<(BoardId, String)>,
    is_deleted: bool,
    image: Option<ImageMeta>,
    record: Option<ImageRecord>,
}

impl ExistingRows {
    /// The outcome of an upload that must not be stored because of these rows.
    fn rejection(&self, meta: &ImageMeta) -> Option<Insert> {
        if let Some((board, sha256)) = &self.identity
            && (*board, sha256) != (meta.board, &meta.sha256)
        {
            return Some(Insert::Conflict);
        }
        self.is_deleted.then_some(Insert::Deleted)
    }
}

/// A row of `images`.
#[derive(Serialize)]
struct ImageRow<'a> {
    #[serde(flatten)]
    meta: &'a ImageMeta,
    /// See [`STORED_SHA256`](super::file::STORED_SHA256).
    #[serde(rename = "storedSha256")]
    stored_sha256: &'a str,
    file: &'a Binary,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<&'a Binary>,
}

impl Store {
    /// Stores an image, on disk, and puts it on the board unless that is full. Completes even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// If the database stays unavailable for several attempts. The image may have been stored nevertheless; inserting
    /// it again with the same id is safe.
    pub async fn insert(&self, image: NewImage) -> Result<Insert, StoreError> {
        self.run_to_completion(|store| async move { insert(&store, image).await })
            .await
    }
}

async fn insert(store: &Store, mut image: NewImage) -> Result<Insert, StoreError> {
    let existing = existing_rows(store, image.meta.id).await?;
    if let Some(rejection) = existing.rejection(&image.meta) {
        return Ok(rejection);
    }
    // An image that is stored is counted already.
    if existing.record.is_some() {
        return insert_beside(store, image, existing).await;
    }
    let (board, id) = (image.meta.board, image.meta.id);
    let free_placements = &store.inner.free_placements;
    let bytes = image.meta.size;
    let limits = store.board_limits;
    match free_placements.admit(board, id, bytes, limits).await? {
        Ok(at) => image.meta.created_at = at.unwrap_or(image.meta.created_at),
        Err(full) => return Ok(Insert::Full(full)),
    }
    let inserted = insert_beside(store, image, existing).await;
    if !matches!(inserted, Ok(Insert::Created(_))) {
        free_placements.withdraw(board, id);
    }
    inserted
}

/// Stores an image of which these rows exist.
async fn insert_beside(
    store: &Store,
    image: NewImage,
    mut existing: ExistingRows,
) -> Result<Insert, StoreError> {
    let NewImage {
        meta,
        requested,
        file,
        thumb,
        thumbhash,
    } = image;
    // Stays unknown for an image that another insert stored; `thumbnails` determines it later.
    let mut has_thumb = None;
    if existing.image.is_none() {
        // Sent without a lock: of two uploads with the same id, the database accepts the first and refuses the other.
        let will_have_thumb = thumb.is_some();
        match insert_image(store, &meta, file, thumb).await? {
            Inserted::Now => has_thumb = Some(will_have_thumb),
            Inserted::Before | Inserted::Perhaps => {
                existing = existing_rows(store, meta.id).await?
            }
        }
        if let Some(rejection) = existing.rejection(&meta) {
            return Ok(rejection);
        }
    }
    match existing.record {
        Some(record) => Ok(Insert::Existing(record)),
        None => {
            let decoded = DecodingResult {
                thumb: has_thumb,
                thumbhash,
            };
            // A row that an interrupted upload has left is kept, so that both tables have the same time.
            let meta = existing.image.unwrap_or(meta);
            place(store, meta, requested, decoded).await
        }
    }
}

/// The thumbnail state and ThumbHash of a new image.
struct DecodingResult {
    /// See [`ImageRecord::thumb`].
    thumb: Option<bool>,
    /// See [`ImageRecord::thumbhash`].
    thumbhash: Option<String>,
}

/// Puts a stored image on the board.
async fn place(
    store: &Store,
    meta: ImageMeta,
    requested: RequestedPlacement,
    decoded: DecodingResult,
) -> Result<Insert, StoreError> {
    let free_placements = &store.inner.free_placements;
    let placement = free_placements.reserve_requested(&meta, requested).await?;
    let record = ImageRecord {
        thumbhash: decoded.thumbhash,
        ..ImageRecord::new(meta, placement, decoded.thumb)
    };
    match store.insert_placement(&record).await? {
        Inserted::Now | Inserted::Perhaps => {
            free_placements.confirm(&record.meta, placement);
            return Ok(Insert::Created(record));
        }
        Inserted::Before => {}
    }
    // A concurrent upload with the same id was faster, or the image has been deleted.
    let existing = existing_rows(store, record.meta.id).await?;
    match &existing.record {
        // The faster upload has used the same reservation.
        Some(stored) if has_position_of(stored.placement, placement) => {
            free_placements.confirm(&stored.meta, placement);
        }
        _ => free_placements.release(record.meta.board, record.meta.id),
    }
    if let Some(rejection) = existing.rejection(&record.meta) {
        return Ok(rejection);
    }
    let purged = || StoreError::Unavailable("the image was deleted at the same time".to_owned());
    existing.record.map(Insert::Existing).ok_or_else(purged)
}

fn has_position_of(one: Placement, other: Placement) -> bool {
    (one.x, one.y, one.w) == (other.x, other.y, other.w)
}

async fn existing_rows(store: &Store, id: ImageId) -> Result<ExistingRows, StoreError> {
    let (image, placement) = tokio::try_join!(store.image_row(id), store.placement_row(id))?;
    let is_deleted = is_deleted(&image) || is_deleted(&placement);
    let image: Option<ImageMeta> = document(image, "images")?;
    let record: Option<ImageRecord> = document(placement, "placements")?;
    let meta = image
        .as_ref()
        .or(record.as_ref().map(|record| &record.meta));
    Ok(ExistingRows {
        identity: meta.map(|meta| (meta.board, meta.sha256.clone())),
        is_deleted,
        image,
        record,
    })
}

async fn insert_image(
    store: &Store,
    meta: &ImageMeta,
    file: Bytes,
    thumb: Option<Bytes>,
) -> Result<Inserted, StoreError> {
    let _permit = store.inner.upload_budget.acquire(file.len() as u64).await?;
    let hashed = file.clone();
    let stopped = |_| StoreError::Unavailable("the server is shutting down".to_owned());
    let stored_sha256 = spawn_blocking(move || HEXLOWER.encode(&Sha256::digest(&hashed))).await;
    let stored_sha256 = stored_sha256.map_err(stopped)?;
    let (file, thumb) = (Binary(file), thumb.map(Binary));
    let row = ImageRow {
        meta,
        stored_sha256: &stored_sha256,
        file: &file,
        thumb: thumb.as_ref(),
    };
    insert_with_retry(store.pool(), || insert_row(store.images(), &row)).await
}
