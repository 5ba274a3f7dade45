//! WebSocket sessions. Each viewer has a session with a changefeed of its own.

mod announcements;
mod closing;
pub(super) mod commands;
mod follow;
mod initial_batches;
mod latest_feed;
mod limits;
mod metrics;
mod outbox;
mod presence;
pub(super) mod protocol;
mod session;
mod session_access;
mod session_context;
mod upgrade;
mod viewer_feed;

use actix_web::web::{Data, ServiceConfig};
use tokio_util::sync::CancellationToken;

pub(crate) use self::session_context::SessionContext;
pub(crate) use self::upgrade::open;
use super::access::Access;
use super::http::limiter::Refusals;
use super::images::image_cache::ImageCache;
use super::settings::Settings;
use crate::metrics::{Kind, Registry, register};
use crate::store::Store;

/// Returns the configuration that gives the handler its data, and starts publishing who views each board and
/// the moves of uploads.
///
/// `shutdown` ends all sessions. Must be called within a tokio runtime.
pub(crate) fn configuration(
    store: Data<Store>,
    cache: Data<ImageCache>,
    access: Data<Access>,
    shutdown: CancellationToken,
    settings: &Settings,
    refusals: &Refusals,
    registry: &mut Registry,
) -> impl Fn(&mut ServiceConfig) + Clone + use<> {
    let context = Data::new(SessionContext::new(
        store, cache, access, shutdown, settings, refusals,
    ));
    context.metrics.register(registry);
    register_metrics(&context, registry);
    context.publish_presence();
    context.announce_moves();
    move |config| {
        config.app_data(context.clone());
    }
}

fn register_metrics(context: &Data<SessionContext>, registry: &mut Registry) {
    let counted = context.clone();
    let help = "Sessions of viewers on this server";
    register(registry, Kind::Gauge, "sessions", help, move || {
        Some(counted.presence.totals().0 as f64)
    });
    let counted = context.clone();
    let help = "Boards that somebody views on this server";
    register(registry, Kind::Gauge, "boards_viewed", help, move || {
        Some(counted.presence.totals().1 as f64)
    });
    let counted = context.clone();
    let help = "Boards";
    register(registry, Kind::Gauge, "boards", help, move || {
        Some(counted.access.directory.boards().len() as f64)
    });
}
