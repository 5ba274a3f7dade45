//! The server and its routes.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, FromRequest, Handler, HttpServer, Resource, Responder};
use tokio_util::sync::CancellationToken;

use super::http::connection::ConnectionHandle;
use super::http::fallback::{method_not_allowed, not_found};
use super::http::guard::{self, reject_foreign_requests};
use super::http::headers::security_headers;
use super::images::image_cache::ImageCache;
use super::images::{bin, list, removal, serve, thumbnail};
use super::settings::Settings;
use super::{archive, health, images, invite, pages, sockets, uploads};
use crate::store::Store;

/// The time that a client has to close its side of a connection after the server has closed its own. A client that still
/// sends a rejected upload needs it to read the answer.
const CLIENT_DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Creates a server on `listener`. It runs when it is polled, on threads of its own; its handle stops it.
///
/// `shutdown` ends the socket sessions: cancel it before stopping the server, which otherwise waits for them.
///
/// Must be called within a tokio runtime.
///
/// # Errors
///
/// If the listener cannot be used.
pub fn server(
    listener: TcpListener,
    store: Store,
    settings: Settings,
    shutdown: CancellationToken,
) -> io::Result<Server> {
    // Made once, outside the closure, which runs for each worker thread.
    let cache = Data::new(ImageCache::new(store.clone()));
    let store = Data::new(store);
    let guard = guard::configuration(listener.local_addr()?.ip());
    let images =
        images::configuration(store.clone(), cache.clone(), settings.download_read_timeout);
    let uploads = uploads::configuration(store.clone(), cache.clone(), &settings);
    let sockets = sockets::configuration(store.clone(), cache, shutdown, &settings);
    let archive = archive::configuration(store);
    let invite = invite::configuration(settings.address);
    let server = HttpServer::new(move || {
        App::new()
            .configure(guard.clone())
            .configure(images.clone())
            .configure(uploads.clone())
            .configure(sockets.clone())
            .configure(archive.clone())
            .configure(invite.clone())
            .configure(routes)
            .wrap(from_fn(reject_foreign_requests))
            .wrap(from_fn(pages::show_not_found_page))
            .wrap(security_headers())
    });
    Ok(server
        .on_connect(ConnectionHandle::attach)
        .client_disconnect_timeout(CLIENT_DISCONNECT_TIMEOUT)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Registers every route.
fn routes(config: &mut ServiceConfig) {
    config
        .service(readable("/", pages::board).wrap(Compress::default()))
        .service(readable("/latest", pages::latest).wrap(Compress::default()))
        .service(readable("/static/{path:.*}", pages::asset).wrap(Compress::default()))
        .service(resource("/image").route(web::post().to(uploads::upload)))
        .service(resource("/image/").route(web::post().to(uploads::upload)))
        .service(readable("/image/{id}", serve::show).route(web::delete().to(removal::delete)))
        .service(readable("/image/download/{id}", serve::download))
        .service(readable("/image/{id}/thumb", thumbnail::show))
        .service(resource("/image/{id}/restore").route(web::post().to(removal::restore)))
        .service(readable("/limits", uploads::limits))
        .service(readable("/images/download", archive::download))
        .service(readable("/images/deleted", bin::list).wrap(Compress::default()))
        .service(readable("/images", list::list).wrap(Compress::default()))
        .service(resource("/ws").route(web::get().to(sockets::open)))
        .service(readable("/invite", invite::show))
        .service(readable("/invite/qr.svg", invite::qr_code))
        .service(readable("/healthz", health::healthy))
        .service(readable("/readyz", health::ready))
        .default_service(web::to(not_found));
}

/// A path that answers 405 to methods it does not have.
fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

/// A path with `GET` and `HEAD`.
fn readable<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
}
