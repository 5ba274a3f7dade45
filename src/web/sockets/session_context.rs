//! The data that all sessions of a server share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::announcements::table::Announcements;
use super::initial_batches::SharedBatches;
use super::limits::SocketLimits;
use super::metrics::SessionMetrics;
use super::presence::Presence;
use crate::store::Store;
use crate::web::access::Access;
use crate::web::http::limiter::Refusals;
use crate::web::images::image_cache::ImageCache;
use crate::web::settings::Settings;

/// Shared by all sessions.
pub(crate) struct SessionContext {
    pub(crate) store: Data<Store>,
    pub(crate) cache: Data<ImageCache>,
    pub(crate) access: Data<Access>,
    /// Ends all sessions when cancelled.
    pub(crate) shutdown: CancellationToken,
    pub(crate) presence: Presence,
    pub(crate) announcements: Arc<Announcements>,
    pub(crate) batches: Arc<SharedBatches>,
    pub(crate) limits: SocketLimits,
    pub(crate) metrics: SessionMetrics,
    /// See [`Settings::heartbeat_interval`].
    pub(crate) heartbeat_interval: Duration,
    /// See [`Settings::session_read_timeout`].
    pub(crate) read_timeout: Duration,
}

impl SessionContext {
    pub(crate) fn new(
        store: Data<Store>,
        cache: Data<ImageCache>,
        access: Data<Access>,
        shutdown: CancellationToken,
        settings: &Settings,
        refusals: &Refusals,
    ) -> Self {
        Self {
            store,
            cache,
            access,
            shutdown,
            presence: Presence::new(),
            announcements: Arc::new(Announcements::new()),
            batches: Arc::default(),
            limits: SocketLimits::new(refusals),
            metrics: SessionMetrics::new(),
            heartbeat_interval: settings.heartbeat_interval,
            read_timeout: settings.session_read_timeout,
        }
    }

    /// Spawns a task that announces the uploads whose reserved placements move, until shutdown.
    pub(crate) fn announce_moves(&self) {
        let (mut moves, announcements) =
            (self.store.reservation_moves(), self.announcements.clone());
        let announcing = async move {
            loop {
                match moves.recv().await {
                    Ok((upload, area)) => announcements.move_upload(upload, area),
                    // A placeholder stays where it was until its image arrives.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        };
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move { shutdown.run_until_cancelled(announcing).await });
    }

    /// Spawns a task that publishes who views each board, until shutdown.
    pub(crate) fn publish_presence(&self) {
        let publishing = self.presence.publish();
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move { shutdown.run_until_cancelled(publishing).await });
    }
}
