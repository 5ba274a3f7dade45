//! A pool of sessions for all queries except changefeeds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use reql::{Command, r};
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::{Connector, ServerTime, Session, single_value, timed_out};
use crate::store::error::{StoreError, leaves_session_usable};
use crate::store::metrics::StoreMetrics;

/// Maximum number of concurrent queries. Sixteen keep a multi-core server busy; more would only queue there, and each
/// query that carries an image costs memory here.
const MAX_SESSIONS: usize = 16;

/// Time limit for obtaining a session. Queries queue without bound until then and fail after it.
const WAIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Idle time after which a session is pinged before use, because the server may have restarted since.
const PING_AFTER: Duration = Duration::from_secs(1);

/// Time limit for that ping.
const RECYCLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit for a query that carries no image.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Message of the error that a write raises if it reaches the server too late. Clients never see it.
const TOO_LATE: &str = "the write came too late";

/// Runs queries on pooled sessions. Cheap to clone.
///
/// Each query runs in a task of its own that is never cancelled. Otherwise a caller that is dropped (such as the
/// handler of a request whose client disconnects) would leave a session with half an answer, on which every later query
/// hangs.
#[derive(Clone)]
pub(crate) struct Pool {
    sessions: managed::Pool<Manager>,
    metrics: StoreMetrics,
    runtime: Handle,
}

/// Creates and checks the sessions of the pool.
struct Manager(Arc<Connector>);

struct PooledSession {
    session: Session,
    server_time: ServerTime,
    /// Set while a query runs. Stays set if the answer was not read completely; such a session is never reused.
    busy: bool,
    last_used: Instant,
}

/// The effect of executing a query after its time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lateness {
    Harmless,
    /// The server does not execute it then.
    Refused,
}

struct QueryFailure {
    error: StoreError,
    /// The connection broke, so the same query may succeed on another session.
    connection_lost: bool,
}

impl Pool {
    /// Creates an empty pool whose queries run on the current runtime.
    pub(crate) fn new(connector: Arc<Connector>) -> Self {
        let timeouts = Timeouts {
            wait: Some(WAIT_TIMEOUT),
            // The connector has a timeout for each host.
            create: None,
            recycle: Some(RECYCLE_TIMEOUT),
        };
        let metrics = connector.metrics.clone();
        let sessions = managed::Pool::builder(Manager(connector))
            .max_size(MAX_SESSIONS)
            .timeouts(timeouts)
            // The session used last is the least likely to need a ping.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a pool with timeouts has a runtime");
        Self {
            sessions,
            metrics,
            runtime: Handle::current(),
        }
    }

    /// Drops all idle sessions.
    pub(crate) fn clear(&self) {
        self.sessions.retain(|_, _| false);
    }

    /// Runs an idempotent query. If the connection breaks, runs it once more on another session.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, does not answer within [`QUERY_TIMEOUT`], or refuses the query.
    pub(crate) async fn query<T>(&self, command: Command) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        self.query_within(command, QUERY_TIMEOUT).await
    }

    /// Like [`Pool::query`], with another time limit.
    pub(crate) async fn query_within<T>(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        self.attempt_twice(command, limit, Lateness::Harmless).await
    }

    /// Like [`Pool::value`], for a write of rows that others may write next. After an error the database no longer
    /// executes it, even if the network delivers it late: it would undo what others have written meanwhile.
    pub(crate) async fn write<T>(&self, command: Command) -> Result<T, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        self.write_within(command, QUERY_TIMEOUT).await
    }

    /// Like [`Pool::write`], with another time limit.
    pub(crate) async fn write_within<T>(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<T, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let written = self.attempt_twice(command, limit, Lateness::Refused);
        single_value(written.await?)
    }

    async fn attempt_twice<T>(
        &self,
        command: Command,
        limit: Duration,
        lateness: Lateness,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let result = match self.attempt(command.clone(), limit, lateness).await {
            Err(failure) if failure.connection_lost => {
                // The other idle sessions are most likely broken too.
                self.clear();
                self.attempt(command, limit, lateness).await
            }
            result => result,
        };
        result.map_err(|failure| failure.error)
    }

    /// Runs a query exactly once. For queries that carry an image, which the caller repeats itself: keeping a second
    /// copy of the command would double their memory.
    ///
    /// # Errors
    ///
    /// As [`Pool::query`], within `limit`.
    pub(crate) async fn query_once<T>(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let result = self.attempt(command, limit, Lateness::Harmless).await;
        result.map_err(|failure| failure.error)
    }

    /// Like [`Pool::query`], for an answer that is a single value.
    pub(crate) async fn value<T>(&self, command: Command) -> Result<T, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        single_value(self.query(command).await?)
    }

    /// Spawns a task on the runtime on which the queries run.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.spawn(task)
    }

    async fn attempt<T>(
        &self,
        command: Command,
        limit: Duration,
        lateness: Lateness,
    ) -> Result<Vec<T>, QueryFailure>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let sessions = self.sessions.clone();
        let metrics = self.metrics.clone();
        let task = self.spawn(async move {
            let start = Instant::now();
            let result = run(&sessions, command, limit, lateness).await;
            let outcome = result.as_ref().map_err(|failure| &failure.error);
            metrics.query(start.elapsed(), outcome);
            result
        });
        task.await
            .unwrap_or_else(|_| Err(unavailable("the server is shutting down")))
    }
}

async fn run<T>(
    sessions: &managed::Pool<Manager>,
    command: Command,
    limit: Duration,
    lateness: Lateness,
) -> Result<Vec<T>, QueryFailure>
where
    T: DeserializeOwned + Unpin,
{
    let mut pooled = sessions.get().await.map_err(|error| match error {
        PoolError::Backend(error) => QueryFailure {
            error,
            connection_lost: false,
        },
        PoolError::Timeout(_) => unavailable("too many queries are waiting"),
        error => unavailable(&error.to_string()),
    })?;
    let result = pooled.run(command, limit, lateness).await;
    if pooled.busy {
        // Closed now, not when the pool would use it again.
        drop(managed::Object::take(pooled));
    }
    result
}

impl PooledSession {
    /// Runs a query. Leaves the session busy if it cannot be used again.
    async fn run<T>(
        &mut self,
        command: Command,
        limit: Duration,
        lateness: Lateness,
    ) -> Result<Vec<T>, QueryFailure>
    where
        T: DeserializeOwned + Unpin,
    {
        self.busy = true;
        // A caller with a long time limit should not wait for a connection that has stalled.
        if limit > QUERY_TIMEOUT {
            let alive = self.session.ping(RECYCLE_TIMEOUT).await;
            alive.map_err(|error| QueryFailure {
                error,
                connection_lost: true,
            })?;
        }
        let command = match lateness {
            Lateness::Harmless => command,
            Lateness::Refused => {
                let deadline = self.server_time.at(Instant::now() + limit);
                unless_late(command, deadline)
            }
        };
        let result = timeout(limit, self.session.run(command)).await;
        self.last_used = Instant::now();
        match result {
            Ok(Ok(values)) => {
                self.busy = false;
                Ok(values)
            }
            // It is not late, so the clock of the server was set. A new session reads it again.
            Ok(Err(error)) if is_too_late(&error) => Err(QueryFailure {
                error: StoreError::Unavailable(TOO_LATE.to_owned()),
                connection_lost: true,
            }),
            Ok(Err(error)) => {
                self.busy = !leaves_session_usable(&error);
                Err(QueryFailure {
                    connection_lost: self.busy,
                    error: error.into(),
                })
            }
            Err(_) => Err(QueryFailure {
                error: timed_out(limit),
                connection_lost: false,
            }),
        }
    }
}

/// A command that the server executes only if its clock reads less than `deadline`, in seconds since 1970.
fn unless_late(command: Command, deadline: f64) -> Command {
    let is_in_time = r.now().to_epoch_time().lt(r.expr(deadline));
    r.branch(r.args((is_in_time, command, r.error(TOO_LATE))))
}

/// Returns `true` for the error that [`unless_late`] raises.
fn is_too_late(error: &reql::Error) -> bool {
    matches!(error, reql::Error::Runtime(_)) && error.to_string().contains(TOO_LATE)
}

fn unavailable(reason: &str) -> QueryFailure {
    QueryFailure {
        error: StoreError::Unavailable(reason.to_owned()),
        connection_lost: false,
    }
}

impl managed::Manager for Manager {
    type Type = PooledSession;
    type Error = StoreError;

    async fn create(&self) -> Result<PooledSession, StoreError> {
        let session = self.0.connect().await?;
        Ok(PooledSession {
            server_time: session.server_time().await?,
            session,
            busy: false,
            last_used: Instant::now(),
        })
    }

    async fn recycle(&self, pooled: &mut PooledSession, _: &Metrics) -> RecycleResult<StoreError> {
        if pooled.busy {
            return Err(RecycleError::message(
                "the last answer was not read completely",
            ));
        }
        if pooled.last_used.elapsed() > PING_AFTER {
            pooled.session.ping(RECYCLE_TIMEOUT).await?;
        }
        Ok(())
    }
}
