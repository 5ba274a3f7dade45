//! The way of an upload into the store.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::Data;
use prometheus_client::metrics::counter::Counter;

use super::admission::{Admission, Ticket};
use super::image_processor::ImageProcessor;
use super::rate::UploadRates;
use super::received_file::{FileReceiver, ReceivedFile};
use super::space::DiskSpace;
use crate::image::{ImageRecord, Limits, Upload};
use crate::metrics::Registry;
use crate::store::{Insert, Store};
use crate::web::access::credentials::Credentials;
use crate::web::access::grant::Grant;
use crate::web::http::client_address::ClientAddress;
use crate::web::http::limiter::Refusals;
use crate::web::http::problem::Problem;
use crate::web::image_threads::ImageThreads;
use crate::web::images::image_cache::ImageCache;
use crate::web::settings::Settings;
use crate::web::upload_folder::UploadFolder;

/// Admits, processes and stores uploads. Shared by all workers.
pub(crate) struct Uploader {
    store: Data<Store>,
    cache: Data<ImageCache>,
    admission: Admission,
    rates: UploadRates,
    processor: ImageProcessor,
    folder: UploadFolder,
    space: DiskSpace,
    max_upload: u64,
    max_pixels: u64,
    uploads: Counter,
    upload_bytes: Counter,
}

impl Uploader {
    pub(crate) fn new(
        store: Data<Store>,
        cache: Data<ImageCache>,
        threads: Arc<ImageThreads>,
        settings: &Settings,
        refusals: &Refusals,
        registry: &mut Registry,
    ) -> Self {
        let (uploads, upload_bytes) = (Counter::default(), Counter::default());
        registry.register("uploads", "Images that were stored", uploads.clone());
        registry.register(
            "upload_bytes",
            "Bytes of images that were stored",
            upload_bytes.clone(),
        );
        let limits = Limits {
            max_pixels: settings.max_pixels,
            ..Limits::default()
        };
        Self {
            store,
            cache,
            admission: Admission::new(settings.upload_memory),
            rates: UploadRates::new(refusals),
            processor: ImageProcessor::new(threads, limits, settings.metadata),
            folder: settings.upload_folder.clone(),
            space: DiskSpace::default(),
            max_upload: settings.max_upload,
            max_pixels: settings.max_pixels,
            uploads,
            upload_bytes,
        }
    }

    /// The size limit of an image, in bytes.
    pub(crate) fn max_upload(&self) -> u64 {
        self.max_upload
    }

    /// The pixel limit (width × height) of an image.
    pub(crate) fn max_pixels(&self) -> u64 {
        self.max_pixels
    }

    /// Returns what takes the bytes of an upload of about `bytes` bytes.
    ///
    /// # Errors
    ///
    /// 507 if the disk has no room for it, 503 if it has room only without the other uploads that are arriving.
    pub(crate) async fn receiver(&self, bytes: u64) -> Result<FileReceiver, Problem> {
        let space = self.space.reserve(&self.folder, bytes).await?;
        Ok(FileReceiver::new(self.folder.clone(), space))
    }

    /// Returns `true` if the disk for uploads has no room for an image of the largest size.
    pub(crate) async fn is_disk_full(&self) -> bool {
        let available = self.folder.available_bytes().await;
        available.is_some_and(|available| available < self.max_upload)
    }

    /// Counts an upload of a client. See [`UploadRates::count`].
    ///
    /// # Errors
    ///
    /// 429 if the client, or a link, has sent too many.
    pub(crate) fn count(
        &self,
        client: ClientAddress,
        grant: &Grant,
        credentials: &Credentials,
    ) -> Result<(), Problem> {
        self.rates.count(client, grant, credentials)
    }

    /// Admits an upload that is about to be received.
    ///
    /// # Errors
    ///
    /// 503 if too many uploads are in progress.
    pub(crate) async fn admit(&self, client: ClientAddress) -> Result<Ticket, Problem> {
        self.admission.admit(client).await
    }

    /// Checks and stores a complete upload, of which `image` are the bytes, once there is memory for it.
    ///
    /// # Errors
    ///
    /// The response to an upload that is not stored.
    pub(crate) async fn store(
        self: Arc<Self>,
        upload: Upload,
        image: ReceivedFile,
        ticket: Ticket,
    ) -> Result<(StatusCode, ImageRecord), Problem> {
        let permit = self
            .admission
            .processing_permit(&ticket, image.length())
            .await;
        let space = image.space();
        let image = self.processor.process(upload, image).await?;
        let (file, thumbnail) = (image.file.clone(), image.thumb.clone());
        let inserted = self.store.insert(image).await?;
        drop((permit, ticket, space));
        match inserted {
            Insert::Created(record) => {
                log_stored(&record);
                self.uploads.inc();
                self.upload_bytes.inc_by(record.meta.size);
                self.cache.insert(record.meta.id, file, thumbnail);
                Ok((StatusCode::CREATED, record))
            }
            Insert::Existing(record) => Ok((StatusCode::OK, record)),
            Insert::Conflict => Err(Problem::new(
                StatusCode::CONFLICT,
                "Another photo has this id.",
            )),
            Insert::Full(full) => Err(full.into()),
            // Not 200, as the image is not on the board; and not restored, as a retry must not undo a later delete.
            Insert::Deleted => Err(Problem::new(
                StatusCode::CONFLICT,
                "The photo was stored and has been deleted since.",
            )),
        }
    }
}

fn log_stored(record: &ImageRecord) {
    let meta = &record.meta;
    log::info!(
        "stored image {}: {}, {} × {}, {} bytes",
        meta.id,
        meta.kind,
        meta.width,
        meta.height,
        meta.size
    );
}
