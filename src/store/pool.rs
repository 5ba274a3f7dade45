//! The sessions that all queries but the changefeeds share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{
    self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts,
};
use reql::Command;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connection::{Connector, Session, no_answer};
use super::error::{StoreError, leaves_session_usable};

/// How many queries may run at once. Sixteen keep a server of several cores busy; more would only wait there, and each
/// query that carries an image costs memory here.
const SESSIONS: usize = 16;

/// How long a query waits for a free session.
const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// A session that has been idle for longer is asked for a sign of life before it is used: the server may have been
/// restarted in the meantime.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How long that sign of life may take.
const RECYCLE_LIMIT: Duration = Duration::from_secs(2);

/// How long a query may take that carries no image.
pub(super) const QUERY_LIMIT: Duration = Duration::from_secs(10);

/// Runs queries on pooled sessions. Cheap to clone.
///
/// Each query runs in a task of its own that nobody cancels: a caller who goes away (as the handler of a request whose
/// client hung up) would otherwise leave a session with half an answer on it, on which every later query waits for ever.
#[derive(Clone)]
pub(super) struct Pool {
    sessions: managed::Pool<Manager>,
    runtime: Handle,
}

/// Makes and checks the sessions of the pool.
struct Manager(Arc<Connector>);

/// A session of the pool.
struct Pooled {
    session: Session,
    /// Whether a query is under way, or was when its task ended: such a session is never used again.
    busy: bool,
    used: Instant,
}

/// Why a query failed.
struct Failure {
    error: StoreError,
    /// Whether the connection broke, so that the same query may well succeed on another.
    connection_lost: bool,
}

impl Pool {
    /// An empty pool, whose queries run on the runtime that is current here.
    pub(super) fn new(connector: Arc<Connector>) -> Self {
        let timeouts = Timeouts {
            wait: Some(WAIT_LIMIT),
            create: None, // the connector has its own limit for each host
            recycle: Some(RECYCLE_LIMIT),
        };
        let sessions = managed::Pool::builder(Manager(connector))
            .max_size(SESSIONS)
            .timeouts(timeouts)
            // The one used last needs no sign of life.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime for the time limits is given");
        Self {
            sessions,
            runtime: Handle::current(),
        }
    }

    /// Drops all idle sessions: their server is gone.
    pub(super) fn clear(&self) {
        self.sessions.retain(|_, _| false);
    }

    /// Runs a query that may be repeated, and once more if the connection broke.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, does not answer in [`QUERY_LIMIT`], or refuses.
    pub(super) async fn query<T>(&self, command: Command) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        self.query_within(command, QUERY_LIMIT).await
    }

    /// [`Pool::query`] with a time limit of its own.
    pub(super) async fn query_within<T>(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        match self.attempt(command.clone(), limit).await {
            Err(failure) if failure.connection_lost => {
                // The others are most likely broken too.
                self.clear();
                let result = self.attempt(command, limit).await;
                result.map_err(|failure| failure.error)
            }
            result => result.map_err(|failure| failure.error),
        }
    }

    /// Runs a query, once, that carries an image: repeating it is the caller's business.
    ///
    /// # Errors
    ///
    /// As [`Pool::query`], within `limit`.
    pub(super) async fn query_once<T>(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<Vec<T>, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let result = self.attempt(command, limit).await;
        result.map_err(|failure| failure.error)
    }

    /// [`Pool::query`] for an answer that is one value.
    pub(super) async fn value<T>(&self, command: Command) -> Result<T, StoreError>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        only(self.query(command).await?)
    }

    /// Starts a task on the runtime on which the queries run.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.spawn(task)
    }

    async fn attempt<T>(&self, command: Command, limit: Duration) -> Result<Vec<T>, Failure>
    where
        T: DeserializeOwned + Unpin + Send + 'static,
    {
        let sessions = self.sessions.clone();
        let task = self.spawn(async move { run(&sessions, command, limit).await });
        task.await
            .unwrap_or_else(|_| Err(failure("the server is stopping")))
    }
}

/// The one value of an answer.
///
/// # Errors
///
/// If there is none, as the driver gives it for a session that broke in a way it did not notice.
pub(super) fn only<T>(mut values: Vec<T>) -> Result<T, StoreError> {
    let missing = || StoreError::Unavailable("the answer is empty".to_owned());
    values.pop().ok_or_else(missing)
}

async fn run<T>(
    sessions: &managed::Pool<Manager>,
    command: Command,
    limit: Duration,
) -> Result<Vec<T>, Failure>
where
    T: DeserializeOwned + Unpin,
{
    let mut pooled = sessions.get().await.map_err(|error| match error {
        PoolError::Backend(error) => Failure {
            error,
            connection_lost: false,
        },
        PoolError::Timeout(_) => failure("too many queries are waiting"),
        error => failure(&error.to_string()),
    })?;
    pooled.busy = true;
    let result = timeout(limit, pooled.session.run(command)).await;
    pooled.used = Instant::now();
    match result {
        Ok(Ok(values)) => {
            pooled.busy = false;
            Ok(values)
        }
        Ok(Err(error)) => {
            pooled.busy = !leaves_session_usable(&error);
            Err(Failure {
                connection_lost: pooled.busy,
                error: error.into(),
            })
        }
        Err(_) => Err(Failure {
            error: no_answer(limit),
            connection_lost: false,
        }),
    }
}

fn failure(reason: &str) -> Failure {
    Failure {
        error: StoreError::Unavailable(reason.to_owned()),
        connection_lost: false,
    }
}

impl managed::Manager for Manager {
    type Type = Pooled;
    type Error = StoreError;

    async fn create(&self) -> Result<Pooled, StoreError> {
        Ok(Pooled {
            session: self.0.connect().await?,
            busy: false,
            used: Instant::now(),
        })
    }

    async fn recycle(&self, pooled: &mut Pooled, _: &Metrics) -> RecycleResult<StoreError> {
        if pooled.busy {
            return Err(RecycleError::message("its last query did not end"));
        }
        if pooled.used.elapsed() > TRUSTED_FOR {
            pooled.session.ping(RECYCLE_LIMIT).await?;
        }
        Ok(())
    }
}
