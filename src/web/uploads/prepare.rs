//! Turns an upload into an image that may be stored: all steps of an upload that compute.

use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::image::{Limits, NewImage, Preview, Upload, decoding_memory, preview};
use crate::web::http::problem::Problem;
use crate::web::state::{State, THUMBNAIL_MEMORY};

/// The limit on decoding, which makes the thumbnail. Without a thumbnail the image itself is shown.
const DECODING_TIME: Duration = Duration::from_secs(10);

/// Validates an upload, removes its metadata, and makes its thumbnail. As many run at once as there are processors.
pub(crate) async fn prepare(state: &State, upload: Upload) -> Result<NewImage, Problem> {
    let processor = state.checks.acquire().await;
    let _processor = processor.expect("the semaphore is never closed");
    let (limits, metadata) = (state.settings.limits(), state.settings.metadata);
    let parsed = spawn_blocking(move || {
        let image = NewImage::parse(upload, limits, metadata)?;
        let pixels = u64::from(image.meta.width) * u64::from(image.meta.height);
        let memory = decoding_memory(&image.file, image.meta.kind, pixels);
        Ok::<_, Problem>((image, memory))
    });
    let parsed = parsed.await;
    let (mut image, memory) =
        parsed.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    let preview = preview_of(state, &image, memory, limits).await;
    image.add_preview(preview);
    Ok(image)
}

/// Decodes the image once there is memory for it. A failure is no reason to refuse the image.
async fn preview_of(state: &State, image: &NewImage, memory: u64, limits: Limits) -> Preview {
    let mebibytes = u32::try_from(memory >> 20).unwrap_or(u32::MAX);
    let memory = mebibytes.clamp(1, THUMBNAIL_MEMORY);
    let memory = state.thumbnail_memory.acquire_many(memory).await;
    let _memory = memory.expect("the semaphore is never closed");
    let limits = Limits {
        time: DECODING_TIME,
        ..limits
    };
    let (file, kind) = (image.file.clone(), image.meta.kind);
    let decoding = spawn_blocking(move || preview(&file, kind, limits));
    // A decoder that panics fails here, as a task that did not finish.
    decoding.await.unwrap_or_else(|error| {
        log::error!("decoding image {} failed: {error}", image.meta.id);
        Preview {
            thumb: None,
            is_damaged: true,
        }
    })
}
