//! The engine as a whole: its storage, its listener and its sessions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{ConnectionError, Door};
use super::evaluator::{Evaluator, MAX_EVALUATIONS};
use super::handshake::Credentials;
use super::logins::FailedLogins;
use super::session::{self, ServerState};
use crate::engine::changefeed::Hub;
use crate::engine::eval::{self, Context};
use crate::engine::storage::{OpenError, Storage};

/// The runtime's worker threads, in addition to those that evaluate queries.
const RUNTIME_THREADS: usize = 2;

/// The time limit for sessions to end on shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause after a failed accept, for example when file descriptors run out. Without it the loop would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address for this process, if the engine is published at another.
const OWN_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The idle time after which TCP keepalive probes a client.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The settings of the engine.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The data folder, created if it does not exist.
    pub data_dir: PathBuf,
    /// The address to listen on; port 0 picks a free port.
    pub listen: SocketAddr,
    /// The password of the user `admin`; `None` generates a random one.
    pub password: Option<String>,
}

/// The reason why the engine did not start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The engine cannot listen on the address.
    #[error("cannot listen for database clients on {address}: {source}")]
    Listen {
        /// The address of [`EngineSettings::listen`].
        address: SocketAddr,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The operating system refused the engine's threads.
    #[error("cannot start the engine's threads: {0}")]
    Threads(std::io::Error),
}

/// Counters since the start of the engine, and its present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineStats {
    /// The number of commits.
    pub commits: u64,
    /// The number of commits that were synced to the disk.
    pub durable_commits: u64,
    /// The time that all commits took.
    pub commit_time: Duration,
    /// The part of it for commits that were synced.
    pub durable_commit_time: Duration,
    /// The number of attempts to reopen the file after a disk error.
    pub reopened: u64,
    /// The number of documents and tables that were found to be damaged.
    pub damaged: usize,
    /// The number of connected clients.
    pub sessions: usize,
    /// The number of open changefeeds.
    pub changefeeds: usize,
    /// The number of changes that changefeeds have sent.
    pub sent_changes: u64,
    /// The times from their commits until they were sent, added up.
    pub send_delay: Duration,
    /// The number of changes that were lost because a client was too slow.
    pub skipped_changes: u64,
}

/// A running engine. Dropping it shuts it down as [`Engine::shutdown`] does.
pub struct Engine {
    address: SocketAddr,
    password: String,
    /// The address and the password of the process that runs the engine.
    own: (SocketAddr, String),
    storage: Storage,
    hub: Hub,
    sessions: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    runtime: Option<Runtime>,
}

impl Engine {
    /// Opens the data folder and starts to listen. Blocks on the disk.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        let hub = Hub::default();
        let publisher = hub.clone();
        let storage = Storage::open(
            &settings.data_dir,
            Box::new(eval::compile_index),
            Box::new(move |commit| publisher.publish(&commit)),
        )?;
        let runtime = start_runtime().map_err(EngineError::Threads)?;
        let (listener, address) = listen(&runtime, settings.listen)?;
        let (shutdown, tracker, sessions) =
            (CancellationToken::new(), TaskTracker::new(), Arc::default());
        let state = Arc::new(ServerState {
            evaluator: Evaluator::new(Context::new(storage.clone(), hub.clone())),
            shutdown: shutdown.clone(),
        });
        let open = |listener, door| {
            let accept = accept(
                listener,
                door,
                Arc::clone(&state),
                tracker.clone(),
                Arc::clone(&sessions),
            );
            runtime.spawn(tracker.track_future(accept));
        };
        let (password, own) = match settings.password {
            Some(chosen) => {
                // A door of its own, where nobody guesses, so that those who do cannot keep this process out.
                let (own_listener, own_address) = listen(&runtime, OWN_ADDRESS)?;
                let (own_password, own_door) = random_door();
                open(own_listener, own_door);
                let door = Door {
                    credentials: Credentials::chosen(&chosen),
                    failed_logins: Some(FailedLogins::new()),
                };
                open(listener, door);
                (chosen, (own_address, own_password))
            }
            None => {
                let (password, door) = random_door();
                open(listener, door);
                (password.clone(), (address, password))
            }
        };
        Ok(Self {
            address,
            password,
            own,
            storage,
            hub,
            sessions,
            shutdown,
            tracker,
            runtime: Some(runtime),
        })
    }

    /// The address that the engine listens on, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The password of the user `admin`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The address for the process that runs the engine. It differs from [`address`](Self::address) if the password was
    /// chosen: guessing that one is slowed, which must not slow this process.
    pub fn own_address(&self) -> SocketAddr {
        self.own.0
    }

    /// The password of the user `admin` at [`own_address`](Self::own_address).
    pub fn own_password(&self) -> &str {
        &self.own.1
    }

    /// The number of connected clients.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// The number of open changefeeds, and the number of distinct queries among them.
    pub fn changefeeds(&self) -> (usize, usize) {
        self.hub.counts()
    }

    /// Returns a function that reads what the engine has done, also after it has ended.
    pub fn stats_reader(&self) -> impl Fn() -> EngineStats + Send + Sync + use<> {
        let (storage, hub, sessions) = (
            self.storage.clone(),
            self.hub.clone(),
            Arc::clone(&self.sessions),
        );
        move || {
            let stats = storage.stats();
            let delivered = hub.delivered();
            EngineStats {
                commits: stats.commits,
                durable_commits: stats.durable_commits,
                commit_time: stats.commit_time,
                durable_commit_time: stats.durable_commit_time,
                reopened: stats.reopened,
                damaged: storage.damage().len(),
                sessions: sessions.load(Ordering::Relaxed),
                changefeeds: hub.counts().0,
                sent_changes: delivered.changes,
                send_delay: delivered.delay,
                skipped_changes: delivered.skipped,
            }
        }
    }

    /// Ends all sessions, syncs all writes to disk and releases the data folder. Blocks until that is done.
    pub fn shutdown(&self) {
        self.shutdown.cancel();
        self.tracker.close();
        if let Some(runtime) = &self.runtime {
            let ended = async { tokio::time::timeout(SHUTDOWN_TIMEOUT, self.tracker.wait()).await };
            // On another thread, because the caller may be inside a runtime, where tokio does not allow `block_on`.
            std::thread::scope(|scope| {
                let waited = scope.spawn(|| runtime.handle().block_on(ended)).join();
                if !matches!(waited, Ok(Ok(()))) {
                    log::warn!("some database sessions did not end within {SHUTDOWN_TIMEOUT:?}");
                }
            });
        }
        self.storage.close();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shutdown();
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime blocks, and panics inside another one.
            runtime.shutdown_background();
        }
    }
}

fn start_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        // An evaluation turns its worker thread into a blocking one (`block_in_place`), and a new worker replaces it.
        .max_blocking_threads(RUNTIME_THREADS + MAX_EVALUATIONS)
        .thread_name("engine")
        .enable_all()
        .build()
}

fn listen(
    runtime: &Runtime,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), EngineError> {
    let error = |source| EngineError::Listen { address, source };
    let listener = runtime
        .block_on(TcpListener::bind(address))
        .map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

/// A random password, and credentials for it. Nobody can guess it.
fn random_door() -> (String, Door) {
    let password = HEXLOWER.encode(&rand::random::<[u8; 32]>());
    let door = Door {
        credentials: Credentials::random(&password),
        failed_logins: None,
    };
    (password, door)
}

/// Accepts clients until the shutdown.
async fn accept(
    listener: TcpListener,
    door: Door,
    state: Arc<ServerState>,
    tracker: TaskTracker,
    sessions: Arc<AtomicUsize>,
) {
    let door = Arc::new(door);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = state.shutdown.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!("cannot accept a database client: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        set_options(&stream);
        let (state, door) = (Arc::clone(&state), Arc::clone(&door));
        let counted = CountGuard::new(&sessions);
        tracker.spawn(async move {
            let _counted = counted;
            match session::serve(stream, peer.ip(), &door, state).await {
                Ok(()) => {}
                Err(ConnectionError::Io(error)) => {
                    log::debug!("lost the connection to database client {peer}: {error}");
                }
                Err(error) => {
                    log::warn!("closed the connection to database client {peer}: {error}")
                }
            }
        });
    }
}

/// Disables Nagle's delay, and detects clients that vanished without closing their connection.
fn set_options(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    if let Err(error) = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&keepalive))
    {
        log::debug!("cannot set the socket options of a database client: {error}");
    }
}

/// Counts a session until it is dropped.
struct CountGuard(Arc<AtomicUsize>);

impl CountGuard {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for CountGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
