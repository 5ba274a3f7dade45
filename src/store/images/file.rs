//! Reading the files and thumbnails of images.

use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use reql::r;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use crate::image::{ImageId, ImageMeta};
use crate::store::client::{Binary, single_value};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::rows::{document, is_deleted, without_bytes};
use crate::store::tables::IMAGES;

/// The field of `images` with the SHA-256 of the stored file. The description has that of the uploaded file, from which
/// metadata may have been removed.
pub(crate) const STORED_SHA256: &str = "storedSha256";

/// Time limit for reading one file.
const FILE_TIMEOUT: Duration = Duration::from_secs(30);

impl Store {
    /// Returns the description and file of an image; `None` if it does not exist or is deleted. Waits up to ten seconds
    /// while other files are being read. The bytes are those that were stored: their SHA-256 is compared with
    /// `STORED_SHA256`. An image of an earlier release does not have it.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid. [`StoreError::Damaged`] if the bytes differ.
    pub async fn file(&self, id: ImageId) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
        self.run_to_completion(|store| async move { file(&store, id, false).await })
            .await
    }

    /// Returns the file of an image also if it is deleted; `None` if it does not exist. As [`file`](Self::file)
    /// otherwise.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub async fn deleted_file(
        &self,
        id: ImageId,
    ) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
        self.run_to_completion(|store| async move { file(&store, id, true).await })
            .await
    }

    /// Returns the thumbnail of an image, if one is stored. Does not check if the image is deleted.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn thumb(&self, id: ImageId) -> Result<Option<Bytes>, StoreError> {
        let thumb = self.images().get(id).get_field("thumb");
        let thumb: Option<Binary> = self.pool().value(thumb.default(r.expr(()))).await?;
        Ok(thumb.map(|thumb| thumb.0))
    }

    /// Returns the row of `images` without its bytes, null if there is none.
    pub(crate) async fn image_row(&self, id: ImageId) -> Result<Value, StoreError> {
        let row = without_bytes(self.images().get(id)).default(r.expr(()));
        self.pool().value(row).await
    }
}

async fn file(
    store: &Store,
    id: ImageId,
    even_deleted: bool,
) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
    let row = store.image_row(id).await?;
    if is_deleted(&row) && !even_deleted {
        return Ok(None);
    }
    let sha256 = row[STORED_SHA256].as_str().map(str::to_owned);
    let Some(meta) = document::<ImageMeta>(row, "images")? else {
        return Ok(None);
    };
    let _permit = store.inner.download_budget.acquire(meta.size).await?;
    let file = store.images().get(id).get_field("file");
    let file = file.default(r.expr(()));
    let answer = store.pool().query_within(file, FILE_TIMEOUT).await?;
    // None if the image has been purged since its row was read.
    let file: Option<Binary> = single_value(answer)?;
    match file {
        Some(Binary(bytes)) => {
            if let Some(sha256) = sha256 {
                verify(store, id, bytes.clone(), sha256).await?;
            }
            Ok(Some((meta, bytes)))
        }
        None => Ok(None),
    }
}

/// Compares the bytes of a file with their hash, on a blocking thread, since a file can be large.
async fn verify(
    store: &Store,
    id: ImageId,
    file: Bytes,
    expected: String,
) -> Result<(), StoreError> {
    let hash = spawn_blocking(move || HEXLOWER.encode(&Sha256::digest(&file)));
    let stopped = |_| StoreError::Unavailable("the server is shutting down".to_owned());
    if hash.await.map_err(stopped)? == expected {
        return Ok(());
    }
    let message = format!("table {IMAGES}, key \"{id}\": the SHA-256 of the file does not match");
    if store.inner.damaged.insert(id) {
        log::error!("stored data is damaged: {message}");
    }
    Err(StoreError::Damaged(message))
}
