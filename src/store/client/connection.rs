//! Sessions with a database server: host selection, handshake, and execution of one query.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use reql::{Command, Driver, r};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::settings::{Address, ClusterSettings, Password};
use crate::store::error::StoreError;
use crate::store::metrics::StoreMetrics;

/// Time limit for connecting to one host and logging in. The handshake is four small messages, which even a loaded
/// server exchanges within milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of concurrent handshakes for changefeeds, so that a thousand viewers that reconnect together do not
/// overflow the server's listen queue. Further ones wait in order. The pool and the watchdog open few sessions and are
/// exempt.
const MAX_FEED_HANDSHAKES: usize = 64;

/// Opens sessions with the servers of one cluster.
pub(crate) struct Connector {
    hosts: Vec<Host>,
    user: String,
    password: Password,
    /// Index of the host that was reached last, which the next session tries first.
    preferred: AtomicUsize,
    pub(crate) metrics: StoreMetrics,
    feed_handshakes: Semaphore,
}

struct Host {
    address: Address,
    /// Cancelled, and replaced, when the server is found to be lost; ends every changefeed that uses it.
    lost: Mutex<CancellationToken>,
}

/// A session with one server, used for one query at a time.
pub(super) struct Session {
    // Must not be cloned, asked for its `connection()`, or closed: dropping a clone of the connection breaks the
    // session silently, and `close()` waits for the lock that a running query holds. Dropping the session closes the
    // socket.
    session: reql::Session,
    server_lost: CancellationToken,
}

/// A reading of a server's clock, and a moment at which the clock read at least that.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerTime {
    /// Seconds since 1970.
    epoch: f64,
    at: Instant,
}

impl ServerTime {
    /// The reading of the clock at `moment`, or a little less.
    pub(super) fn at(self, moment: Instant) -> f64 {
        self.epoch + moment.saturating_duration_since(self.at).as_secs_f64()
    }
}

impl Connector {
    pub(crate) fn new(settings: ClusterSettings) -> Self {
        let host = |address| Host {
            address,
            lost: Mutex::default(),
        };
        Self {
            hosts: settings.hosts.into_iter().map(host).collect(),
            user: settings.user,
            password: settings.password,
            preferred: AtomicUsize::new(0),
            metrics: StoreMetrics::new(),
            feed_handshakes: Semaphore::new(MAX_FEED_HANDSHAKES),
        }
    }

    /// The number of hosts, which are identified by their index.
    pub(super) fn host_count(&self) -> usize {
        self.hosts.len()
    }

    pub(super) fn address(&self, host: usize) -> &Address {
        &self.hosts[host].address
    }

    /// Ends all changefeeds that use this host.
    pub(super) fn end_feeds(&self, host: usize) {
        let mut lost = self.hosts[host]
            .lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *lost).cancel();
    }

    /// Opens a session with the first host that accepts it.
    ///
    /// Cancellation safe: a dropped attempt closes its socket.
    ///
    /// # Errors
    ///
    /// [`StoreError::Login`] as soon as one host refuses the login, otherwise the error of the last host.
    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failure = StoreError::Unavailable("no host is configured".to_owned());
        for offset in 0..self.hosts.len() {
            let host = (first + offset) % self.hosts.len();
            match self.connect_to(host).await {
                Ok(session) => {
                    self.preferred.store(host, Ordering::Relaxed);
                    return Ok(session);
                }
                Err(StoreError::Unavailable(reason)) => failure = StoreError::Unavailable(reason),
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// Like [`Connector::connect`], limited to [`MAX_FEED_HANDSHAKES`] at once.
    pub(super) async fn connect_for_feed(&self) -> Result<Session, StoreError> {
        let _permit = self.feed_handshakes.acquire().await;
        self.connect().await
    }

    /// Opens a session with this host.
    ///
    /// # Errors
    ///
    /// If the host does not answer within [`CONNECT_TIMEOUT`] or refuses the login.
    pub(super) async fn connect_to(&self, host: usize) -> Result<Session, StoreError> {
        let address = &self.hosts[host].address;
        let at_host = |error| match error {
            StoreError::Unavailable(reason) => {
                StoreError::Unavailable(format!("{address}: {reason}"))
            }
            other => other,
        };
        // Cloned before the handshake, so that a session opened while the host is being declared lost is ended as well.
        let server_lost = self.hosts[host].lost.lock();
        let server_lost = server_lost.unwrap_or_else(PoisonError::into_inner).clone();
        let opened = match timeout(CONNECT_TIMEOUT, self.handshake(address)).await {
            Ok(Ok(session)) => Ok(Session {
                session,
                server_lost,
            }),
            Ok(Err(error)) => Err(at_host(error.into())),
            Err(_) => Err(at_host(timed_out(CONNECT_TIMEOUT))),
        };
        self.metrics.connection(&opened);
        opened
    }

    async fn handshake(&self, address: &Address) -> reql::Result<reql::Session> {
        let options = || {
            reql::cmd::connect::Options::new()
                .host(address.host.clone())
                .port(address.port)
                .user(self.user.clone())
                .password(self.password.reveal().to_owned())
        };
        match r.connect(options()).await {
            // The driver reads each handshake message with a single read(), so a message that arrives in two segments
            // looks like broken JSON. So does a server that closes the connection.
            Err(reql::Error::Driver(Driver::Json(_))) => r.connect(options()).await,
            result => result,
        }
    }
}

impl Session {
    /// Runs a query and reads its complete answer.
    ///
    /// **Not** cancellation safe: if the future is dropped early, every later query on this session hangs, so the
    /// session must be dropped too. The driver also returns an empty answer for some broken sessions; callers that
    /// expect a value must treat an empty answer as an error.
    pub(super) async fn run<T>(&self, command: Command) -> reql::Result<Vec<T>>
    where
        T: DeserializeOwned + Unpin,
    {
        let mut answer = command.run::<_, T>(&self.session);
        let mut values = Vec::new();
        while let Some(value) = answer.next().await {
            values.push(value?);
        }
        Ok(values)
    }

    /// Runs a trivial query to check that the server answers.
    ///
    /// # Errors
    ///
    /// If it does not answer within `limit`. The session must be dropped then.
    pub(super) async fn ping(&self, limit: Duration) -> Result<(), StoreError> {
        match timeout(limit, self.run::<u8>(r.expr(1))).await {
            Ok(Ok(values)) if values == [1] => Ok(()),
            Ok(Ok(_)) => Err(StoreError::Unavailable("the connection is broken".into())),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(timed_out(limit)),
        }
    }

    /// Reads the clock of the server.
    ///
    /// # Errors
    ///
    /// If it does not answer within [`CONNECT_TIMEOUT`]. The session must be dropped then.
    pub(super) async fn server_time(&self) -> Result<ServerTime, StoreError> {
        let time = self.run::<f64>(r.now().to_epoch_time());
        let time = timeout(CONNECT_TIMEOUT, time).await;
        let epoch = single_value(time.map_err(|_| timed_out(CONNECT_TIMEOUT))??)?;
        Ok(ServerTime {
            epoch,
            at: Instant::now(),
        })
    }

    /// Gives up the session for a changefeed. Returns the driver's session, which can run nothing else from then on,
    /// and the token that is cancelled when its server is lost.
    pub(super) fn into_parts(self) -> (reql::Session, CancellationToken) {
        (self.session, self.server_lost)
    }
}

/// Returns the only value of an answer.
///
/// # Errors
///
/// If the answer is empty, which is how the driver reports some broken sessions.
pub(crate) fn single_value<T>(mut values: Vec<T>) -> Result<T, StoreError> {
    let missing = || StoreError::Unavailable("the answer is empty".to_owned());
    values.pop().ok_or_else(missing)
}

/// The error for an answer that did not arrive within `limit`.
pub(super) fn timed_out(limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()))
}
