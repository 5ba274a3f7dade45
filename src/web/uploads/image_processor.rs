//! CPU-bound work on an upload: checking it, removing its metadata and decoding it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::disk::disk_problem;
use super::received_file::ReceivedFile;
use crate::image::{Limits, Metadata, NewImage, Preview, Upload, decoding_memory, preview};
use crate::web::http::problem::Problem;
use crate::web::image_threads::ImageThreads;

/// The memory that decoders may use together, in MiB. An image that needs more is decoded alone.
const DECODING_MEMORY: u32 = 512;

/// The limit on decoding, which makes the thumbnail. Without a thumbnail the image itself is shown.
const DECODING_TIMEOUT: Duration = Duration::from_secs(10);

/// Turns uploads into images, as many at a time as there are processors.
pub(crate) struct ImageProcessor {
    threads: Arc<ImageThreads>,
    limits: Limits,
    metadata: Metadata,
    processors: Semaphore,
    /// A permit for each MiB.
    decoding_memory: Semaphore,
}

impl ImageProcessor {
    pub(crate) fn new(threads: Arc<ImageThreads>, limits: Limits, metadata: Metadata) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads,
            limits,
            metadata,
            processors: Semaphore::new(processors),
            decoding_memory: Semaphore::new(DECODING_MEMORY as usize),
        }
    }

    /// Reads the bytes of an upload, checks it, removes its metadata, and decodes it: that makes its thumbnail and
    /// finds damage.
    ///
    /// # Errors
    ///
    /// 400, 415 or 422 with the fault of the upload; 500 if its bytes cannot be read, or the check panics.
    pub(crate) async fn process(
        &self,
        upload: Upload,
        image: ReceivedFile,
    ) -> Result<NewImage, Problem> {
        let permit = self.processors.acquire().await;
        let _permit = permit.expect("the semaphore is never closed");
        let (limits, metadata) = (self.limits, self.metadata);
        let parse = move || {
            let file = image.read().map_err(disk_problem)?;
            let image = NewImage::parse(Upload { file, ..upload }, limits, metadata)?;
            let pixels = u64::from(image.meta.width) * u64::from(image.meta.height);
            let memory = decoding_memory(&image.file, image.meta.kind, pixels);
            Ok((image, memory))
        };
        let parsed = self.threads.run(parse).await;
        let (mut image, memory) = parsed.unwrap_or_else(|| Err(Problem::internal()))?;
        let preview = self.preview(&image, memory).await;
        image.add_preview(preview);
        Ok(image)
    }

    /// Decodes the image once there is memory for it. A failure is logged and does not reject the image.
    async fn preview(&self, image: &NewImage, memory: u64) -> Preview {
        let mebibytes = u32::try_from(memory >> 20).unwrap_or(u32::MAX);
        let permits = mebibytes.clamp(1, DECODING_MEMORY);
        let memory = self.decoding_memory.acquire_many(permits).await;
        let _memory = memory.expect("the semaphore is never closed");
        let limits = Limits {
            time: DECODING_TIMEOUT,
            ..self.limits
        };
        let (file, kind) = (image.file.clone(), image.meta.kind);
        let decoded = self.threads.run(move || preview(&file, kind, limits)).await;
        decoded.unwrap_or_else(|| {
            log::error!("decoding image {} failed", image.meta.id);
            Preview {
                is_damaged: true,
                ..Preview::default()
            }
        })
    }
}
