//! The engine as a whole: storage, listener, and everything that runs between them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::changefeed::Hub;
use crate::engine::eval::Context;
use crate::engine::protocol::handshake::Credentials;
use crate::engine::protocol::session::{self, SessionError, Shared};
use crate::engine::storage::{OpenError, Storage};

/// How many queries are evaluated at once: evaluating blocks a thread, most of all in a write that waits for the disk,
/// and writes that wait together are committed together.
const EVALUATIONS: usize = 64;

/// Threads beyond those that evaluate: the runtime's own.
const RUNTIME_THREADS: usize = 2;

/// How long sessions may take to end when the engine stops.
const GRACE: Duration = Duration::from_secs(2);

/// How long to wait before accepting again after the system refused a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A client that is silent for so long is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What the engine needs to know.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The folder of the data, made if it is not there.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// The password of the user `admin`; `None` makes a random one.
    pub password: Option<String>,
}

/// Why the engine did not start.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address cannot be listened on.
    #[error("cannot listen for database clients on {address}: {source}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system has no thread for the engine.
    #[error("cannot start the engine's threads: {0}")]
    Threads(std::io::Error),
}

/// A running engine. Dropping it stops it as [`Engine::shutdown`] does.
pub struct Engine {
    address: SocketAddr,
    password: String,
    storage: Storage,
    hub: Hub,
    sessions: Arc<AtomicUsize>,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    runtime: Option<Runtime>,
}

impl Engine {
    /// Opens the data folder and listens. It blocks on the disk.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        let hub = Hub::default();
        let publisher = hub.clone();
        let storage = Storage::open(
            &settings.data_dir,
            Box::new(move |commit| publisher.publish(&commit)),
        )?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(RUNTIME_THREADS)
            .max_blocking_threads(RUNTIME_THREADS + EVALUATIONS)
            .thread_name("engine")
            .enable_all()
            .build()
            .map_err(EngineError::Threads)?;
        let listen = |source| EngineError::Listen {
            address: settings.listen,
            source,
        };
        let listener = runtime
            .block_on(TcpListener::bind(settings.listen))
            .map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (password, credentials) = match settings.password {
            Some(password) => (password.clone(), Credentials::chosen(&password)),
            None => {
                let password = rand::random::<[u8; 32]>()
                    .map(|byte| format!("{byte:02x}"))
                    .concat();
                (password.clone(), Credentials::random(&password))
            }
        };
        let (shutdown, tracker, sessions) =
            (CancellationToken::new(), TaskTracker::new(), Arc::default());
        let shared = Arc::new(Shared {
            context: Arc::new(Context::new(storage.clone(), hub.clone())),
            credentials,
            evaluations: Arc::new(Semaphore::new(EVALUATIONS)),
            shutdown: shutdown.clone(),
        });
        let accept = accept(listener, shared, tracker.clone(), Arc::clone(&sessions));
        runtime.spawn(tracker.track_future(accept));
        Ok(Self {
            address,
            password,
            storage,
            hub,
            sessions,
            shutdown,
            tracker,
            runtime: Some(runtime),
        })
    }

    /// Where the engine listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The password of the user `admin`.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// How many clients are connected.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// How many changefeeds are followed, and how many distinct queries they are.
    pub fn changefeeds(&self) -> (usize, usize) {
        self.hub.counts()
    }

    /// Ends all sessions, brings everything to the disk and gives the data folder free. It blocks until then.
    pub fn shutdown(&self) {
        self.shutdown.cancel();
        self.tracker.close();
        if let Some(runtime) = &self.runtime {
            let ended = async { tokio::time::timeout(GRACE, self.tracker.wait()).await };
            // On a thread of its own, since the caller may be inside another runtime.
            std::thread::scope(|scope| {
                let waited = scope.spawn(|| runtime.handle().block_on(ended)).join();
                if !matches!(waited, Ok(Ok(()))) {
                    log::warn!("some database sessions did not end within {GRACE:?}");
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
            runtime.shutdown_background();
        }
    }
}

async fn accept(
    listener: TcpListener,
    shared: Arc<Shared>,
    tracker: TaskTracker,
    sessions: Arc<AtomicUsize>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.shutdown.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                log::warn!("cannot accept a database client: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        prepare(&stream);
        let (shared, counted) = (Arc::clone(&shared), Counted::new(&sessions));
        tracker.spawn(async move {
            let _counted = counted;
            match session::serve(stream, shared).await {
                Ok(()) => {}
                Err(SessionError::Io(error)) => {
                    log::debug!("database client {peer} hung up: {error}")
                }
                Err(error) => log::warn!("database client {peer}: {error}"),
            }
        });
    }
}

/// Answers are sent at once, and a client that vanished without a word is found out.
fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    if let Err(error) = socket
        .set_tcp_nodelay(true)
        .and_then(|()| socket.set_tcp_keepalive(&keepalive))
    {
        log::debug!("cannot set the options of a database client's socket: {error}");
    }
}

/// Counts a session for as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(sessions: &Arc<AtomicUsize>) -> Self {
        sessions.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(sessions))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
