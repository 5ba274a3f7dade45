//! Starts the database, the store and the web server, and stops them in reverse order.

mod access;
mod database;
mod embedded;
mod error;
mod lan;
mod limits;
mod listener;
mod metrics;
mod signals;
mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use socket2::SockRef;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::access::{PreparedAccess, StartLinks};
use self::database::StartedDatabase;
use self::metrics::MetricsListener;
use crate::config::{Database, Settings};
use crate::engine::Engine;
use crate::store::Store;
use crate::web::{self, UploadFolder};

pub use error::StartupError;

/// Time limit for the web server to stop. It drops requests after five seconds. With the limit of the embedded engine
/// it stays below ten seconds.
const SERVER_STOP_LIMIT: Duration = Duration::from_secs(6);

/// The server, ready to run.
pub struct Application {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    /// `http` or `https`.
    scheme: &'static str,
    /// Addresses for other devices.
    addresses: Vec<SocketAddr>,
    /// The links that were made for this start; `None` if nobody needs one.
    links: Option<StartLinks>,
    database: String,
    server: Server,
    /// Ends the socket sessions.
    shutdown: CancellationToken,
    /// Kept to be closed after the server and before the engine.
    store: Store,
    engine: Option<Engine>,
}

impl Application {
    /// Starts the database if it is the embedded one, connects to it, and listens. It serves once it is run.
    ///
    /// Must be called on a tokio runtime, and run on the same.
    ///
    /// # Errors
    ///
    /// If the address, the data folder or the database cannot be used; waits for a database up to ten seconds.
    pub async fn build(settings: Settings) -> Result<Self, StartupError> {
        // The port is tried first, which is quick: if the program runs already, the error should name the port.
        let listener = listener::listen(settings.listen)?;
        let address = listener.local_addr()?;
        let metrics_listener = settings.metrics_listen.map(MetricsListener::listen);
        let metrics_listener = metrics_listener.transpose()?;
        warn_of_shared_limits(&settings);
        let shutdown = CancellationToken::new();
        let tls = settings.tls.clone();
        let tls = tls.map(|files| tls::configure(files, shutdown.clone()));
        let tls = tls.transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let takes_ipv4 = SockRef::from(&listener).only_v6().is_ok_and(|only| !only);
        let addresses = lan::addresses(address, takes_ipv4);
        limits::raise_open_files(matches!(settings.database, Database::Embedded(_)));
        let mut registry = crate::metrics::registry();
        let database = StartedDatabase::start(&settings.database, &mut registry).await?;
        let Opened {
            upload_folder,
            store,
            access,
        } = match open(&settings, &database, address).await {
            Ok(opened) => opened,
            Err(error) => {
                embedded::close(database.engine).await;
                return Err(error);
            }
        };
        let address_to_share = addresses.first();
        let web = web::Settings {
            address: address_to_share.map(|address| format!("{scheme}://{address}/")),
            tls,
            access: access.policy,
            upload_folder,
            data_folder: database.data_folder,
            ..web_settings(settings)
        };
        let server = web::server(
            listener,
            store.clone(),
            web,
            &mut registry,
            shutdown.clone(),
        )?;
        let metrics_address =
            metrics_listener.map(|listener| listener.serve(registry, shutdown.clone()));
        Ok(Self {
            address,
            metrics_address: metrics_address.transpose()?,
            scheme,
            addresses,
            links: access.links,
            database: database.description,
            server,
            shutdown,
            store,
            engine: database.engine,
        })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of `/metrics`, if there is one.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the URL for a browser on this machine.
    pub fn url(&self) -> String {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        format!("{}://{}/", self.scheme, SocketAddr::new(ip, self.port()))
    }

    /// Returns the lines to print at start-up: the URL, the addresses for other devices, and the database in use.
    pub fn announcement(&self) -> String {
        let invitation = match &self.links {
            None => format!(
                "Open {} in a browser.\n{}",
                self.url(),
                lan::invitation(self.scheme, &self.addresses, "")
            ),
            Some(links) => links.announcement(&self.url(), self.scheme, &self.addresses),
        };
        format!("{invitation}Images are kept by {}.\n", self.database)
    }

    /// The embedded engine, if it is the one that is used.
    pub fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// Serves until Ctrl-C or SIGTERM, and stops within ten seconds then. A second signal ends the process at once.
    ///
    /// # Errors
    ///
    /// If the signals cannot be watched, or the web server fails.
    pub async fn run_until_stopped(self) -> io::Result<()> {
        let mut signals = signals::Signals::new()?;
        self.run_until(async move {
            let signal = signals.next().await;
            log::info!("{signal}: stopping; once more ends at once");
            tokio::spawn(async move {
                signals.next().await;
                std::process::exit(130);
            });
        })
        .await
    }

    /// Serves until `stop` is ready, and stops within ten seconds then: sockets are closed with 1001, requests are
    /// finished, and the embedded engine writes what is pending.
    ///
    /// # Errors
    ///
    /// If the web server fails.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let handle = self.server.handle();
        let mut server = self.server;
        let result = tokio::select! {
            result = &mut server => result,
            () = stop => {
                self.shutdown.cancel();
                end(server, &handle).await
            }
        };
        self.shutdown.cancel();
        drop(self.store);
        embedded::close(self.engine).await;
        result
    }
}

/// The opened folder, database and access of a server.
struct Opened {
    upload_folder: UploadFolder,
    store: Store,
    access: PreparedAccess,
}

/// Opens the folder for uploads, connects to the database, and makes the links of this start.
async fn open(
    settings: &Settings,
    database: &StartedDatabase,
    address: SocketAddr,
) -> Result<Opened, StartupError> {
    // Not before the engine, which makes the data folder, and refuses one that another process uses.
    let folder = upload_folder(settings.upload_dir.as_ref(), &settings.database);
    let upload_folder = open_upload_folder(folder).await?;
    let in_database = |error| StartupError::Database(database.description.clone(), error);
    let store = Store::connect(database.cluster.clone(), settings.undo_window).await;
    let store = store.map_err(in_database)?;
    let store = store.with_board_limits(settings.board_limits);
    let (access, public_url) = (settings.access.clone(), settings.public_url.clone());
    let access = access::prepare(&store, access, address, public_url).await;
    Ok(Opened {
        access: access.map_err(in_database)?,
        upload_folder,
        store,
    })
}

/// The settings that the web server takes over. The others have their defaults.
fn web_settings(settings: Settings) -> web::Settings {
    web::Settings {
        public_url: settings.public_url,
        embedding: settings.embedding,
        trusted_proxies: settings.trusted_proxies,
        max_upload: settings.max_upload,
        max_pixels: settings.max_pixels,
        upload_memory: settings.upload_memory,
        metadata: settings.metadata,
        ..web::Settings::default()
    }
}

fn warn_of_shared_limits(settings: &Settings) {
    if settings.public_url.is_some() && settings.trusted_proxies.is_empty() {
        log::warn!(
            "--public-url without --trusted-proxy: the limits of one client are those of all together; name the proxy, \
             for example with --trusted-proxy 127.0.0.1"
        );
    }
}

/// Stops the web server, politely at first.
async fn end(server: Server, handle: &ServerHandle) -> io::Result<()> {
    let politely = async { tokio::join!(server, handle.stop(true)).0 };
    match timeout(SERVER_STOP_LIMIT, politely).await {
        Ok(result) => result,
        Err(_) => {
            log::warn!("some connections did not end in time and are cut off");
            Ok(())
        }
    }
}

/// The folder for uploads that are being received: by default on the disk of the data folder, because the system's
/// folder for temporary files may be in memory.
fn upload_folder(chosen: Option<&PathBuf>, database: &Database) -> PathBuf {
    match (chosen, database) {
        (Some(folder), _) => folder.clone(),
        (None, Database::Embedded(embedded)) => embedded.data.join("uploads"),
        (None, Database::Cluster(_)) => std::env::temp_dir(),
    }
}

async fn open_upload_folder(folder: PathBuf) -> Result<UploadFolder, StartupError> {
    let path = folder.clone();
    let opened = spawn_blocking(|| UploadFolder::open(path)).await;
    opened
        .unwrap_or_else(|error| Err(io::Error::other(error)))
        .map_err(|error| StartupError::UploadFolder { folder, error })
}
