//! Starts the database, the store and the web server, and stops them in reverse order.

mod lan;
mod limits;
mod signals;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::{Database, EmbeddedSettings, Settings};
use crate::engine::{Engine, EngineError, EngineSettings};
use crate::store::{ClusterSettings, DEFAULT_PORT, Store, StoreError};
use crate::web;

/// Connections that may wait to be accepted, so that a thousand viewers can reconnect at once. The system may allow
/// fewer.
const BACKLOG: i32 = 4096;

/// Time limit for the web server to stop. It drops requests after five seconds.
const SERVER_STOP_LIMIT: Duration = Duration::from_secs(6);

/// Time limit for the embedded engine to write what is pending. Both limits together stay below ten seconds.
const ENGINE_STOP_LIMIT: Duration = Duration::from_secs(3);

/// Time limit for the search for a RethinkDB on this machine that the user may have meant.
const LOOK_LIMIT: Duration = Duration::from_millis(200);

/// The server, ready to run.
pub struct Application {
    address: SocketAddr,
    /// Addresses for other devices.
    addresses: Vec<SocketAddr>,
    database: String,
    server: Server,
    /// Ends the socket sessions.
    shutdown: CancellationToken,
    /// Kept to be closed after the server and before the engine.
    store: Store,
    engine: Option<Engine>,
}

/// Why the server cannot start: one sentence each.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// Someone else listens there.
    #[error(
        "the address {0} is in use: another server may be running; choose another address with --listen"
    )]
    AddressInUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The data folder, or the address at which the engine is published.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database cannot be used.
    #[error("cannot use {0}: {1}")]
    Database(String, StoreError),
    /// The web server's threads or a task of ours.
    #[error("cannot start the web server: {0}")]
    Server(#[from] io::Error),
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
        // First the port: it is tried in no time, and whoever starts the program twice is best told of the port.
        let listener = listen(settings.listen)?;
        let address = listener.local_addr()?;
        let takes_ipv4 = SockRef::from(&listener).only_v6().is_ok_and(|only| !only);
        let addresses = lan::addresses(address, takes_ipv4);
        limits::raise_open_files(matches!(settings.database, Database::Embedded(_)));
        let (engine, cluster, database) = match settings.database {
            Database::Embedded(embedded) => {
                let database = format!("the embedded engine in {}", embedded.data.display());
                let (engine, cluster) = start_engine(embedded).await?;
                (Some(engine), cluster, database)
            }
            Database::Cluster(cluster) => {
                let database = describe(&cluster);
                (None, cluster, database)
            }
        };
        log::info!("the database is {database}");
        let store = match Store::connect(cluster, settings.undo_window).await {
            Ok(store) => store,
            Err(error) => {
                close(engine).await;
                return Err(StartupError::Database(database, error));
            }
        };
        let shutdown = CancellationToken::new();
        let web = web::Settings {
            max_upload: settings.max_upload,
            max_pixels: settings.max_pixels,
            metadata: settings.metadata,
            ..web::Settings::default()
        };
        let server = web::server(listener, store.clone(), web, shutdown.clone())?;
        Ok(Self {
            address,
            addresses,
            database,
            server,
            shutdown,
            store,
            engine,
        })
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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
        format!("http://{}/", SocketAddr::new(ip, self.port()))
    }

    /// Returns the lines to print at start-up: the URL, the addresses for other devices, and the database in use.
    pub fn announcement(&self) -> String {
        format!(
            "Open {} in a browser.\n{}Images are kept by {}.\n",
            self.url(),
            lan::invitation(&self.addresses),
            self.database
        )
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
        close(self.engine).await;
        result
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

/// Ends the embedded engine, which writes what is pending.
async fn close(engine: Option<Engine>) {
    let Some(engine) = engine else { return };
    // It has a runtime of its own, which must not be dropped on this one's threads.
    let closed = spawn_blocking(move || engine.shutdown());
    if timeout(ENGINE_STOP_LIMIT, closed).await.is_err() {
        log::warn!("the embedded engine is still writing; what was acknowledged is safe");
    }
}

async fn start_engine(
    embedded: EmbeddedSettings,
) -> Result<(Engine, ClusterSettings), StartupError> {
    let look = spawn_blocking(look_for_rethinkdb);
    if look.await.unwrap_or_default() {
        log::warn!(
            "something answers on 127.0.0.1:{DEFAULT_PORT}, perhaps a RethinkDB, but the embedded engine is used; \
             --rethinkdb rethinkdb://127.0.0.1 would use the other"
        );
    }
    let published = embedded.publish.is_some();
    let (listen, password) = match embedded.publish {
        Some(publish) => (publish.listen, Some(publish.password.reveal().to_owned())),
        None => ((Ipv4Addr::LOCALHOST, 0).into(), None),
    };
    let settings = EngineSettings {
        data_dir: embedded.data,
        listen,
        password,
    };
    let engine = spawn_blocking(|| Engine::start(settings))
        .await
        .map_err(io::Error::other)??;
    let address = engine.address();
    if published {
        log::info!(
            "the embedded engine can be reached at {address} by RethinkDB's drivers and tools"
        );
    }
    // Published on all addresses it is reached on loopback.
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let mut cluster = ClusterSettings::new(host.to_string(), address.port());
    cluster.password = engine.password().to_owned().into();
    Ok((engine, cluster))
}

/// Returns true if something listens on the default port of RethinkDB.
fn look_for_rethinkdb() -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
    TcpStream::connect_timeout(&address, LOOK_LIMIT).is_ok()
}

fn describe(cluster: &ClusterSettings) -> String {
    let hosts: Vec<String> = cluster.hosts.iter().map(ToString::to_string).collect();
    format!(
        "RethinkDB at {}, database {}",
        hosts.join(", "),
        cluster.database
    )
}

fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartupError::AddressInUse(address),
        _ => StartupError::Listen(address, error),
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A server that is started again must not wait until the system has forgotten the old one's connections. (On Windows
    // the option would let two servers share the port.)
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_told_from_a_foreign_address() {
        let taken = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = taken.local_addr().unwrap();
        assert!(matches!(
            listen(address),
            Err(StartupError::AddressInUse(found)) if found == address
        ));
        // An address of no machine (RFC 5737).
        let foreign = listen("192.0.2.1:0".parse().unwrap());
        assert!(matches!(foreign, Err(StartupError::Listen(..))));
    }
}
