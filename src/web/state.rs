//! What all workers of the server share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::archive;
use super::pictures::Pictures;
use super::presence::Presence;
use super::socket::Uploads;
use super::upload::Admission;
use crate::image::Limits;
use crate::store::Store;

/// What the server is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest image that is taken, in bytes.
    pub max_upload: u64,
    /// The most pixels that an image may have.
    pub max_pixels: u64,
    /// How often a socket is asked for a sign of life; two unanswered questions end it.
    pub heartbeat: Duration,
    /// How long a client may read nothing of what waits for it.
    pub patience: Duration,
}

/// Shared by all workers.
pub(super) struct State {
    pub(super) store: Store,
    pub(super) settings: Settings,
    /// Whether only this machine can reach the server.
    pub(super) listens_on_loopback: bool,
    /// Ends every socket session.
    pub(super) shutdown: CancellationToken,
    pub(super) presence: Presence,
    pub(super) uploads: Uploads,
    pub(super) pictures: Pictures,
    pub(super) admission: Admission,
    /// One for each archive of the board that may be under way.
    pub(super) archives: Arc<Semaphore>,
    /// One for each image that may be checked at once: it takes a processor.
    pub(super) checks: Semaphore,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_upload: 16 << 20,
            max_pixels: Limits::default().max_pixels,
            heartbeat: Duration::from_secs(30),
            patience: Duration::from_secs(10),
        }
    }
}

impl Settings {
    /// What an image may be.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            max_pixels: self.max_pixels,
            ..Limits::default()
        }
    }
}

impl State {
    pub(super) fn new(
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
            uploads: Uploads::new(),
            pictures: Pictures::new(),
            admission: Admission::new(settings.max_upload),
            archives: Arc::new(Semaphore::new(archive::AT_ONCE)),
            checks: Semaphore::new(processors),
            settings,
        }
    }
}
