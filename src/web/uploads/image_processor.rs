//! CPU-bound work on an upload: checking it, removing its metadata and making its thumbnail.

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::image::{Limits, Metadata, NewImage, Upload, thumbnail_memory, thumbnail_to_store};
use crate::web::http::problem::Problem;

/// The memory that thumbnails in progress may use together, in MiB. A thumbnail that needs more is made alone.
const THUMBNAIL_MEMORY: u32 = 512;

/// The time limit of a thumbnail. An image without one is shown in full size.
const THUMBNAIL_TIMEOUT: Duration = Duration::from_secs(10);

/// Turns uploads into images on blocking threads, as many at a time as there are processors.
pub(crate) struct ImageProcessor {
    limits: Limits,
    metadata: Metadata,
    processors: Semaphore,
    /// A permit for each MiB.
    thumbnail_memory: Semaphore,
}

impl ImageProcessor {
    pub(crate) fn new(limits: Limits, metadata: Metadata) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            limits,
            metadata,
            processors: Semaphore::new(processors),
            thumbnail_memory: Semaphore::new(THUMBNAIL_MEMORY as usize),
        }
    }

    /// Checks an upload, removes its metadata and makes its thumbnail.
    ///
    /// # Errors
    ///
    /// 400, 415 or 422 with the fault of the upload.
    pub(crate) async fn process(&self, upload: Upload) -> Result<NewImage, Problem> {
        let permit = self.processors.acquire().await;
        let _permit = permit.expect("the semaphore is never closed");
        let (limits, metadata) = (self.limits, self.metadata);
        let image = spawn_blocking(move || NewImage::parse(upload, limits, metadata)).await;
        let mut image =
            image.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
        image.thumb = self.thumbnail(&image).await;
        Ok(image)
    }

    /// Makes the thumbnail. A failure is logged and does not reject the image.
    async fn thumbnail(&self, image: &NewImage) -> Option<Bytes> {
        let mebibytes = u32::try_from(thumbnail_memory(&image.meta) >> 20).unwrap_or(u32::MAX);
        let permits = mebibytes.clamp(1, THUMBNAIL_MEMORY);
        let memory = self.thumbnail_memory.acquire_many(permits).await;
        let _memory = memory.expect("the semaphore is never closed");
        let limits = Limits {
            time: THUMBNAIL_TIMEOUT,
            ..self.limits
        };
        let (file, kind) = (image.file.clone(), image.meta.kind);
        let thumbnail = spawn_blocking(move || thumbnail_to_store(&file, kind, limits)).await;
        thumbnail.unwrap_or_else(|error| {
            log::error!("the thumbnail of image {} failed: {error}", image.meta.id);
            None
        })
    }
}
