//! What all workers of the server share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::image::{ImageId, Limits, Metadata};
use crate::store::Store;
use crate::web::archive;
use crate::web::images::image_cache::{ImageCache, Source};
use crate::web::sockets::Announcements;
use crate::web::sockets::presence::Presence;
use crate::web::uploads::Admission;

/// How many MiB making thumbnails may take at once. What takes more is made alone.
pub(crate) const THUMBNAIL_MEMORY: u32 = 512;

/// What the server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest image that is taken, in bytes.
    pub max_upload: u64,
    /// The most pixels that an image may have.
    pub max_pixels: u64,
    /// Whether images are stored with what they tell of their makers.
    pub metadata: Metadata,
    /// How often a socket is asked for a sign of life; two unanswered questions end it.
    pub heartbeat: Duration,
    /// How long a viewer may read nothing of what waits for it.
    pub patience: Duration,
    /// How long a client may read nothing of the image that it asked for.
    pub download_patience: Duration,
}

/// Shared by all workers.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    /// Whether only this machine can reach the server.
    pub(crate) listens_on_loopback: bool,
    /// Ends every socket session.
    pub(crate) shutdown: CancellationToken,
    pub(crate) presence: Presence,
    pub(crate) announcements: Announcements,
    pub(crate) image_cache: ImageCache,
    pub(crate) thumbnail_cache: ImageCache,
    pub(crate) admission: Admission,
    /// One for each archive of the board that may be under way.
    pub(crate) archives: Arc<Semaphore>,
    /// One for each image that may be checked at once: it takes a processor.
    pub(crate) checks: Semaphore,
    /// One for each MiB that making thumbnails may take.
    pub(crate) thumbnail_memory: Semaphore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_upload: 16 << 20,
            max_pixels: Limits::default().max_pixels,
            metadata: Metadata::Remove,
            heartbeat: Duration::from_secs(30),
            patience: Duration::from_secs(10),
            download_patience: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// What an image may be.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_pixels: self.max_pixels,
            ..Limits::default()
        }
    }
}

impl State {
    /// Drops what is kept of an image, as when it was deleted.
    pub(crate) fn invalidate(&self, id: ImageId) {
        self.image_cache.invalidate(id);
        self.thumbnail_cache.invalidate(id);
    }

    pub(crate) fn new(
        store: Store,
        settings: Settings,
        listens_on_loopback: bool,
        shutdown: CancellationToken,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            store,
            listens_on_loopback,
            shutdown,
            presence: Presence::new(),
            announcements: Announcements::new(),
            image_cache: ImageCache::new(Source::Images),
            thumbnail_cache: ImageCache::new(Source::Thumbnails),
            admission: Admission::new(settings.max_upload),
            archives: Arc::new(Semaphore::new(archive::AT_ONCE)),
            checks: Semaphore::new(processors),
            thumbnail_memory: Semaphore::new(THUMBNAIL_MEMORY as usize),
            settings,
        }
    }
}
