//! Sessions with a database server: opening one, with its host's turn and time limit, and running one query on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use reql::{Command, Driver, r};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::error::StoreError;
use super::settings::{Address, ClusterSettings, Password};

/// How long one host may take to let us in. The handshake is four small messages; a loaded server takes milliseconds.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How many handshakes for feeds may be under way at once, so that a thousand viewers who come back together do not
/// overrun the server's listening queue. Those who wait are served in turn; each handshake is bounded by
/// [`CONNECT_LIMIT`]. The few sessions of pool and watchdog do not wait.
const HANDSHAKES_AT_ONCE: usize = 64;

/// Opens sessions with the servers of one cluster.
pub(super) struct Connector {
    hosts: Vec<Host>,
    user: String,
    password: Password,
    /// The index of the host that was reached last: the next session begins there.
    preferred: AtomicUsize,
    handshakes: Semaphore,
}

/// One server, as far as we know it.
struct Host {
    address: Address,
    /// Cancelled and replaced when the server turns out to be gone: the end of all feeds that hang on it.
    life: Mutex<CancellationToken>,
}

/// A session with one server, used for one query at a time.
///
/// The driver's session must not be cloned, nor asked for its `connection()`, nor closed; dropping it closes the socket.
pub(super) struct Session {
    session: reql::Session,
    life: CancellationToken,
}

impl Connector {
    pub(super) fn new(settings: ClusterSettings) -> Self {
        let host = |address| Host {
            address,
            life: Mutex::default(),
        };
        Self {
            hosts: settings.hosts.into_iter().map(host).collect(),
            user: settings.user,
            password: settings.password,
            preferred: AtomicUsize::new(0),
            handshakes: Semaphore::new(HANDSHAKES_AT_ONCE),
        }
    }

    /// How many hosts there are; they are known by their index.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The address of a host.
    pub(super) fn address(&self, host: usize) -> &Address {
        &self.hosts[host].address
    }

    /// Ends all feeds that hang on this host.
    pub(super) fn end_life(&self, host: usize) {
        let mut life = self.hosts[host]
            .life
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *life).cancel();
    }

    /// A new session with the first host that lets us in.
    ///
    /// Cancellation safe: a dropped attempt closes its socket.
    ///
    /// # Errors
    ///
    /// [`StoreError::Login`] at the first refusal, otherwise what the last host said.
    pub(super) async fn connect(&self) -> Result<Session, StoreError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failure = StoreError::Unavailable("no host is given".to_owned());
        for turn in 0..self.hosts.len() {
            let host = (first + turn) % self.hosts.len();
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

    /// [`Connector::connect`] for one of many: waits for its turn.
    pub(super) async fn connect_in_turn(&self) -> Result<Session, StoreError> {
        let _turn = self.handshakes.acquire().await;
        self.connect().await
    }

    /// A new session with this host.
    ///
    /// # Errors
    ///
    /// If it cannot be reached in time or refuses the login.
    pub(super) async fn connect_to(&self, host: usize) -> Result<Session, StoreError> {
        let address = &self.hosts[host].address;
        let at_host = |error| match error {
            StoreError::Unavailable(reason) => {
                StoreError::Unavailable(format!("{address}: {reason}"))
            }
            other => other,
        };
        // Taken before the handshake: a session that is opened while the host is given up must not outlive that.
        let life = self.hosts[host].life.lock();
        let life = life.unwrap_or_else(PoisonError::into_inner).clone();
        match timeout(CONNECT_LIMIT, self.handshake(address)).await {
            Ok(Ok(session)) => Ok(Session { session, life }),
            Ok(Err(error)) => Err(at_host(error.into())),
            Err(_) => Err(at_host(no_answer(CONNECT_LIMIT))),
        }
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
            // The driver reads each message of the handshake with one read(): one that came in two pieces, or a server
            // that was just going away, looks like broken JSON. Once more.
            Err(reql::Error::Driver(Driver::Json(_))) => r.connect(options()).await,
            result => result,
        }
    }
}

impl Session {
    /// Runs a query and reads its answer to the end.
    ///
    /// **Not** cancellation safe: once dropped before its end, the session must be dropped as well, since every later
    /// query on it would wait for ever. An empty result is also what the driver gives for some broken sessions: whoever
    /// expects one value must not take none for an answer.
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

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    ///
    /// If it gives none in time; the session must be dropped then.
    pub(super) async fn ping(&self, limit: Duration) -> Result<(), StoreError> {
        match timeout(limit, self.run::<u8>(r.expr(1))).await {
            Ok(Ok(values)) if values == [1] => Ok(()),
            Ok(Ok(_)) => Err(StoreError::Unavailable("the connection is broken".into())),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(no_answer(limit)),
        }
    }

    /// Takes the session for a changefeed: the driver's session, which serves nothing else from now on, and the token
    /// that is cancelled when its server is gone.
    pub(super) fn into_parts(self) -> (reql::Session, CancellationToken) {
        (self.session, self.life)
    }
}

/// The error for an answer that did not come in time.
pub(super) fn no_answer(limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("no answer within {} s", limit.as_secs()))
}
