//! Reading the files and thumbnails of images.

use std::time::Duration;

use bytes::Bytes;
use reql::r;
use serde_json::Value;

use crate::image::{ImageId, ImageMeta};
use crate::store::client::{Binary, single_value};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::rows::{document, is_deleted, without_bytes};

/// Time limit for reading one file.
const FILE_TIMEOUT: Duration = Duration::from_secs(30);

impl Store {
    /// Returns the description and file of an image; `None` if it does not exist or is deleted. Waits up to ten seconds
    /// while other files are being read.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, or the row is invalid.
    pub async fn file(&self, id: ImageId) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
        self.run_to_completion(|store| async move { file(&store, id).await })
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

async fn file(store: &Store, id: ImageId) -> Result<Option<(ImageMeta, Bytes)>, StoreError> {
    let row = store.image_row(id).await?;
    if is_deleted(&row) {
        return Ok(None);
    }
    let Some(meta) = document::<ImageMeta>(row, "images")? else {
        return Ok(None);
    };
    let _permit = store.inner.download_budget.acquire(meta.size).await?;
    let file = store.images().get(id).get_field("file");
    let file = file.default(r.expr(()));
    let answer = store.pool().query_within(file, FILE_TIMEOUT).await?;
    // None if the image has been purged since its row was read.
    let file: Option<Binary> = single_value(answer)?;
    Ok(file.map(|file| (meta, file.0)))
}
