//! `/metrics`, at an address of its own, and the metrics of the embedded engine.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use prometheus_client::encoding::prometheus_text::{CONTENT_TYPE, encode};
use tokio_util::sync::CancellationToken;

use super::error::StartupError;
use super::listener;
use crate::disk;
use crate::engine::{Engine, EngineStats};
use crate::metrics::{Kind, Registry, register};

/// The socket of `/metrics`.
pub(super) struct MetricsListener(TcpListener);

impl MetricsListener {
    /// Listens on an address.
    ///
    /// # Errors
    /// If it is in use, or not an address of this machine.
    pub(super) fn listen(address: SocketAddr) -> Result<Self, StartupError> {
        listener::listen(address).map(Self)
    }

    /// Serves until `shutdown`. Returns the address. Anyone who reaches it may ask: the values tell how much the server
    /// is used, and nothing of what is stored.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub(super) fn serve(
        self,
        registry: Registry,
        shutdown: CancellationToken,
    ) -> Result<SocketAddr, StartupError> {
        let address = self.0.local_addr()?;
        let registry = Data::new(registry);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(registry.clone())
                .route("/metrics", web::get().to(show))
        });
        let server = server.workers(1).disable_signals().listen(self.0)?.run();
        log::info!("metrics are at http://{address}/metrics");
        let handle = server.handle();
        tokio::spawn(server);
        tokio::spawn(async move {
            shutdown.cancelled().await;
            handle.stop(false).await;
        });
        Ok(address)
    }
}

async fn show(registry: Data<Registry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(error) => {
            log::error!("the metrics cannot be written: {error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A value of the embedded engine.
type EngineMetric = (Kind, &'static str, &'static str, fn(EngineStats) -> f64);

const ENGINE_METRICS: [EngineMetric; 11] = [
    (
        Kind::Counter,
        "engine_commits",
        "Commits of the embedded engine",
        |stats| stats.commits as f64,
    ),
    (
        Kind::Counter,
        "engine_commit_seconds",
        "Time of all commits",
        |stats| stats.commit_time.as_secs_f64(),
    ),
    (
        Kind::Counter,
        "engine_durable_commits",
        "Commits that were synced to the disk",
        |stats| stats.durable_commits as f64,
    ),
    (
        Kind::Counter,
        "engine_durable_commit_seconds",
        "Time of the commits that were synced to the disk",
        |stats| stats.durable_commit_time.as_secs_f64(),
    ),
    (
        Kind::Counter,
        "engine_reopened",
        "Attempts to reopen the file after the disk has failed",
        |stats| stats.reopened as f64,
    ),
    (
        Kind::Gauge,
        "engine_damaged",
        "Documents that were found to be damaged since the start",
        |stats| stats.damaged as f64,
    ),
    (
        Kind::Gauge,
        "engine_sessions",
        "Connected database clients",
        |stats| stats.sessions as f64,
    ),
    (
        Kind::Gauge,
        "engine_changefeeds",
        "Open changefeeds",
        |stats| stats.changefeeds as f64,
    ),
    (
        Kind::Counter,
        "engine_changefeed_changes",
        "Changes that changefeeds have sent",
        |stats| stats.sent_changes as f64,
    ),
    (
        Kind::Counter,
        "engine_changefeed_delay_seconds",
        "Time from the commits of these changes until they were sent",
        |stats| stats.send_delay.as_secs_f64(),
    ),
    (
        Kind::Counter,
        "engine_changefeed_skipped",
        "Changes that were lost because a client was too slow",
        |stats| stats.skipped_changes as f64,
    ),
];

/// Registers what the embedded engine counts, and the space of its folder.
pub(super) fn register_engine(registry: &mut Registry, engine: &Engine, data: PathBuf) {
    for (kind, name, help, read) in ENGINE_METRICS {
        let stats = engine.stats_reader();
        register(registry, kind, name, help, move || Some(read(stats())));
    }
    let file = data.join("board.redb");
    let length = move || Some(std::fs::metadata(&file).ok()?.len() as f64);
    let help = "Size of the file of the embedded engine";
    register(registry, Kind::Gauge, "engine_file_bytes", help, length);
    let space = move || Some(disk::available_bytes(&data)? as f64);
    let help = "Space that is left on the disk of the data folder";
    register(registry, Kind::Gauge, "disk_available_bytes", help, space);
}
