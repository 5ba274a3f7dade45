//! From the bytes that came to an image that may be stored: everything about it that computes.

use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::image::{Limits, NewImage, Upload, thumbnail_memory, thumbnail_to_store};
use crate::web::http::problem::Problem;
use crate::web::state::{State, THUMBNAIL_MEMORY};

/// How long making a thumbnail may take, after the check of the image. Without one the image is shown itself.
const THUMBNAIL_TIME: Duration = Duration::from_secs(10);

/// Checks an upload, takes out its metadata, and makes its thumbnail. As many at once as there are processors.
pub(crate) async fn prepare(state: &State, upload: Upload) -> Result<NewImage, Problem> {
    let processor = state.checks.acquire().await;
    let _processor = processor.expect("the semaphore is never closed");
    let (limits, metadata) = (state.settings.limits(), state.settings.metadata);
    let image = spawn_blocking(move || NewImage::parse(upload, limits, metadata)).await;
    let mut image = image.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    image.thumb = thumbnail_of(state, &image, limits).await;
    Ok(image)
}

/// The thumbnail, once there is memory to make it. Whatever goes wrong is no reason to refuse the image.
async fn thumbnail_of(state: &State, image: &NewImage, limits: Limits) -> Option<bytes::Bytes> {
    let mebibytes = u32::try_from(thumbnail_memory(&image.meta) >> 20).unwrap_or(u32::MAX);
    let memory = mebibytes.clamp(1, THUMBNAIL_MEMORY);
    let memory = state.thumbnail_memory.acquire_many(memory).await;
    let _memory = memory.expect("the semaphore is never closed");
    let limits = Limits {
        time: THUMBNAIL_TIME,
        ..limits
    };
    let (file, kind) = (image.file.clone(), image.meta.kind);
    let made = spawn_blocking(move || thumbnail_to_store(&file, kind, limits)).await;
    made.unwrap_or_else(|error| {
        log::error!("the thumbnail of image {} failed: {error}", image.meta.id);
        None
    })
}
