//! The server and its routes.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{App, FromRequest, Handler, HttpServer, Resource, Responder, Route, guard};
use tokio_util::sync::CancellationToken;

use super::access::action::Action;
use super::access::check::check;
use super::access::join::join;
use super::http::connection::ConnectionHandle;
use super::http::fallback::{method_not_allowed, not_found};
use super::http::guard::reject_foreign_requests;
use super::http::headers::{PagePolicies, security_headers};
use super::http::limiter::Refusals;
use super::http::metrics::measure;
use super::http::prefix::strip_prefix;
use super::http::public_url::PublicUrl;
use super::http::request_id::identify;
use super::image_threads::ImageThreads;
use super::images::image_cache::ImageCache;
use super::images::{bin, list, removal, serve, thumbnail};
use super::settings::Settings;
use super::{
    access, archive, backup, boards, health, http, images, invite, pages, sockets, uploads,
};
use crate::metrics::{self, Registry};
use crate::store::Store;

/// The time that a client has to close its side of a connection after the server has closed its own. A client that
/// still sends a rejected upload needs it to read the answer.
const CLIENT_DISCONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The bytes of a response that a connection gathers before it sends them. Together with a slice of a viewer's outbox,
/// unless that is one of a file, it fits into the 8 KiB that actix-http allocates for each connection: a larger buffer
/// would be kept for as long as the viewer stays.
const WRITE_BUFFER: usize = 4 << 10;

/// Creates a server on `listener`. It runs when it is polled, on threads of its own; its handle stops it.
///
/// `shutdown` ends the socket sessions: cancel it before stopping the server, which otherwise waits for them.
///
/// `registry` gets the metrics of the server and of the store.
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
    registry: &mut Registry,
    shutdown: CancellationToken,
) -> io::Result<Server> {
    let is_secure = is_secure(&settings);
    let address = listener.local_addr()?.ip();
    let areas = configurations(store, address, &settings, registry, shutdown);
    let server = HttpServer::new(move || {
        App::new()
            .configure(areas.clone())
            .configure(routes)
            .wrap(from_fn(strip_prefix))
            .wrap(from_fn(reject_foreign_requests))
            .wrap(from_fn(pages::show_error_pages))
            .wrap(security_headers(is_secure))
            .wrap(from_fn(measure))
            .wrap(from_fn(identify))
    });
    let server = server
        .on_connect(ConnectionHandle::attach)
        .h1_write_buffer_size(WRITE_BUFFER)
        .client_disconnect_timeout(CLIENT_DISCONNECT_TIMEOUT)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals();
    let server = match settings.tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// Browsers reach the server, or the proxy before it, with HTTPS.
fn is_secure(settings: &Settings) -> bool {
    let public_url = settings.public_url.as_ref();
    settings.tls.is_some() || public_url.is_some_and(PublicUrl::is_secure)
}

/// Returns the configuration that gives the handlers and the middleware their data. The data is made here, once: the
/// configuration runs on each worker thread.
fn configurations(
    store: Store,
    address: IpAddr,
    settings: &Settings,
    registry: &mut Registry,
    shutdown: CancellationToken,
) -> impl Fn(&mut ServiceConfig) + Clone + use<> {
    let threads = Arc::new(ImageThreads::start());
    let cache = Data::new(ImageCache::new(store.clone(), Arc::clone(&threads)));
    let registry = metrics::own(registry);
    store.register_metrics(registry);
    cache.register_metrics(registry);
    let refusals = Refusals::register(registry);
    let measuring = http::metrics::configuration(registry);
    let access = access::start(&store, settings.access.clone(), &refusals, shutdown.clone());
    let store = Data::new(store);
    let guard = http::guard::configuration(address, settings.public_url.clone());
    let clients = http::client_address::configuration(settings.trusted_proxies.clone());
    let images =
        images::configuration(store.clone(), cache.clone(), settings.download_read_timeout);
    let uploads = uploads::configuration(
        store.clone(),
        cache.clone(),
        threads,
        settings,
        &refusals,
        registry,
    );
    let sockets = sockets::configuration(
        store.clone(),
        cache,
        access.clone(),
        shutdown,
        settings,
        &refusals,
        registry,
    );
    let boards = boards::configuration(settings.data_folder.clone());
    let archive = archive::configuration(store);
    let backup = backup::configuration();
    let invite = invite::configuration(settings.address.clone());
    let access = access::configuration(access);
    let pages = pages::configuration(settings.public_url.as_ref());
    let policies = PagePolicies::new(is_secure(settings), &settings.embedding);
    let policies = http::headers::configuration(policies);
    move |config| {
        measuring(config);
        guard(config);
        clients(config);
        policies(config);
        access(config);
        images(config);
        uploads(config);
        sockets(config);
        boards(config);
        archive(config);
        backup(config);
        invite(config);
        pages(config);
    }
}

/// Registers every route, each with what it does: [`access`] checks it before the handler runs.
fn routes(config: &mut ServiceConfig) {
    use Action::{Add, Administer, Change, Host, Public, See};
    config
        .service(resource("/", [read(See, pages::board)]))
        .service(resource("/b/{board}", [read(See, pages::board)]))
        .service(resource("/latest", [read(See, pages::latest)]))
        .service(resource("/b/{board}/latest", [read(See, pages::latest)]))
        .service(resource("/static/{path:.*}", [read(Public, pages::asset)]))
        .service(resource(
            "/image",
            [route(Method::POST, Add, uploads::upload)],
        ))
        .service(resource(
            "/image/",
            [route(Method::POST, Add, uploads::upload)],
        ))
        .service(resource(
            "/image/{id}",
            [
                read(See, serve::show),
                route(Method::DELETE, Change, removal::delete),
            ],
        ))
        .service(resource(
            "/image/download/{id}",
            [read(See, serve::download)],
        ))
        .service(resource("/image/{id}/thumb", [read(See, thumbnail::show)]))
        .service(resource(
            "/image/{id}/thumbnail",
            [read(See, thumbnail::show_smaller)],
        ))
        .service(resource(
            "/image/{id}/restore",
            [route(Method::POST, Change, removal::restore)],
        ))
        .service(resource(
            "/image/{id}/approve",
            [route(Method::POST, Host, removal::approve)],
        ))
        .service(resource("/limits", [read(See, uploads::limits)]))
        .service(resource("/images/download", [read(See, archive::download)]))
        .service(resource("/images/deleted", [read(Change, bin::list)]).wrap(Compress::default()))
        .service(resource(
            "/images/approve",
            [route(Method::POST, Host, boards::approve_all)],
        ))
        .service(
            resource(
                "/images",
                [
                    read(See, list::list),
                    route(Method::DELETE, Host, boards::clear),
                ],
            )
            .wrap(Compress::default()),
        )
        .service(resource("/ws", [route(Method::GET, See, sockets::open)]))
        .service(resource("/invite", [read(See, invite::show)]))
        .service(resource("/invite/qr.svg", [read(See, invite::qr_code)]))
        .service(resource(
            "/boards",
            [
                read(Administer, boards::list),
                route(Method::POST, Administer, boards::create),
            ],
        ))
        .service(resource(
            "/boards/{board}",
            [
                read(See, boards::show),
                route(Method::PATCH, Host, boards::change),
                route(Method::DELETE, Administer, boards::delete),
            ],
        ))
        .service(resource(
            "/boards/{board}/links",
            [
                read(Host, boards::list_links),
                route(Method::POST, Host, boards::make_link),
            ],
        ))
        .service(resource(
            "/boards/{board}/links/{link}",
            [route(Method::DELETE, Host, boards::revoke_link)],
        ))
        .service(resource(
            "/qr",
            [route(Method::POST, Host, boards::draw_qr_code)],
        ))
        .service(resource(
            "/join/{token}",
            [route(Method::GET, Public, join)],
        ))
        .service(resource(
            "/backup",
            [route(Method::GET, Administer, backup::download)],
        ))
        .service(resource("/healthz", [read(Public, health::healthy)]))
        .service(resource("/readyz", [read(Public, health::ready)]))
        .default_service(web::to(not_found));
}

/// A path with its routes. It answers 405 to other methods.
fn resource<const N: usize>(path: &str, routes: [Route; N]) -> Resource {
    let resource = web::resource(path).default_service(web::to(method_not_allowed));
    routes.into_iter().fold(resource, Resource::route)
}

/// A route for callers who may do `action`.
fn route<F, Args>(method: Method, action: Action, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    checked(web::method(method), action, handler)
}

/// `GET` and `HEAD`.
fn read<F, Args>(action: Action, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let readable = guard::Any(guard::Get()).or(guard::Head());
    checked(web::route().guard(readable), action, handler)
}

fn checked<F, Args>(route: Route, action: Action, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    route
        .to(handler)
        .wrap(from_fn(move |request, next| check(action, request, next)))
}
