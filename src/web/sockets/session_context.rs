//! The data that all sessions of a server share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio_util::sync::CancellationToken;

use super::announcements::table::Announcements;
use super::presence::Presence;
use crate::store::Store;
use crate::web::images::image_cache::ImageCache;
use crate::web::settings::Settings;

/// Shared by all sessions.
pub(crate) struct SessionContext {
    pub(crate) store: Data<Store>,
    pub(crate) cache: Data<ImageCache>,
    /// Ends all sessions when cancelled.
    pub(crate) shutdown: CancellationToken,
    pub(crate) presence: Presence,
    pub(crate) announcements: Arc<Announcements>,
    /// See [`Settings::heartbeat_interval`].
    pub(crate) heartbeat_interval: Duration,
    /// See [`Settings::session_read_timeout`].
    pub(crate) read_timeout: Duration,
}

impl SessionContext {
    pub(crate) fn new(
        store: Data<Store>,
        cache: Data<ImageCache>,
        shutdown: CancellationToken,
        settings: &Settings,
    ) -> Self {
        Self {
            store,
            cache,
            shutdown,
            presence: Presence::new(),
            announcements: Arc::new(Announcements::new()),
            heartbeat_interval: settings.heartbeat_interval,
            read_timeout: settings.session_read_timeout,
        }
    }

    /// Spawns a task that publishes the number of viewers until shutdown.
    pub(crate) fn publish_counts(&self) {
        let publishing = self.presence.publish_counts();
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move { shutdown.run_until_cancelled(publishing).await });
    }
}
