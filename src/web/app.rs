//! The server and its routes.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, FromRequest, Handler, HttpServer, Resource, Responder};
use tokio_util::sync::CancellationToken;

use super::http::connection::Connection;
use super::http::problem::{method_not_allowed, not_found};
use super::http::{guard, headers};
use super::images::thumbnail;
use super::state::{Settings, State};
use super::{archive, health, images, pages, sockets, uploads};
use crate::store::Store;

/// How long a client may take to close its side after the server closed its own, as when it goes on sending what was
/// refused.
const LINGER: Duration = Duration::from_secs(2);

/// How long requests may take to end when the server stops. Sockets are closed at once.
const STOP_SECONDS: u64 = 5;

/// A server on this listener. It runs as soon as it is polled, on threads of its own; its handle stops it. The token ends
/// the socket sessions: cancel it before stopping the server, which waits for them otherwise.
///
/// It must be called on a tokio runtime.
///
/// # Errors
/// If the listener cannot be used.
pub fn server(
    listener: TcpListener,
    store: Store,
    settings: Settings,
    shutdown: CancellationToken,
) -> io::Result<Server> {
    let on_loopback = listener.local_addr()?.ip().is_loopback();
    let state = Data::new(State::new(store, settings, on_loopback, shutdown.clone()));
    let telling = state.presence.tell();
    tokio::spawn(async move { shutdown.run_until_cancelled(telling).await });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(guard::only_for_us))
            .wrap(from_fn(headers::protect))
            .configure(routes)
    });
    Ok(server
        .on_connect(Connection::remember)
        .client_disconnect_timeout(LINGER)
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Every route that there is.
fn routes(config: &mut ServiceConfig) {
    config
        .service(readable("/", pages::board).wrap(Compress::default()))
        .service(readable("/latest", pages::latest).wrap(Compress::default()))
        .service(readable("/static/{path:.*}", pages::part).wrap(Compress::default()))
        .service(resource("/image").route(web::post().to(uploads::upload)))
        .service(resource("/image/").route(web::post().to(uploads::upload)))
        .service(readable("/image/{id}", images::show).route(web::delete().to(images::delete)))
        .service(readable("/image/download/{id}", images::download))
        .service(readable("/image/{id}/thumb", thumbnail::show))
        .service(resource("/image/{id}/restore").route(web::post().to(images::restore)))
        .service(readable("/images/download", archive::download))
        .service(readable("/images", images::list).wrap(Compress::default()))
        .service(resource("/ws").route(web::get().to(sockets::open)))
        .service(readable("/healthz", health::healthy))
        .service(readable("/readyz", health::ready))
        .default_service(web::to(not_found));
}

/// A path at which other methods are told which there are.
fn resource(path: &str) -> Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

/// A path that can be read.
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
