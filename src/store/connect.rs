//! Connecting to the database: waits for the server, creates the schema and starts the background tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::client::{ClusterSettings, Connector, Pool, spawn_watchdog};
use super::error::StoreError;
use super::handle::Store;
use super::{images, replicas, schema};

/// Default time for which a deleted image can be restored.
pub const DEFAULT_UNDO_WINDOW: Duration = Duration::from_secs(3600);

/// Time that [`Store::connect`] waits for a database that is not reachable yet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

impl Store {
    /// Connects to the database, creates its tables if they are missing, and waits until they are available. Deleted
    /// images can be restored for `undo_window` and are removed permanently after it.
    ///
    /// # Errors
    ///
    /// If no host can be used within ten seconds, or at once if a host refuses the login.
    pub async fn connect(
        settings: ClusterSettings,
        undo_window: Duration,
    ) -> Result<Self, StoreError> {
        let (store, shutdown) = Self::open(settings, undo_window).await?;
        images::spawn_sweep(&store, shutdown.clone());
        images::spawn_thumbnails(&store, shutdown);
        Ok(store)
    }

    /// [`Store::connect`] without the tasks that change documents in the background. Returns also the token that ends
    /// such tasks.
    pub(super) async fn open(
        settings: ClusterSettings,
        undo_window: Duration,
    ) -> Result<(Self, CancellationToken), StoreError> {
        let database = settings.database.clone();
        let replicas = settings.replicas;
        let connector = Arc::new(Connector::new(settings));
        let pool = Pool::new(connector.clone());
        ensure_schema(&pool, &database, replicas).await?;
        replicas::warn_of_fewer(&pool, &database, replicas).await;
        let shutdown = CancellationToken::new();
        spawn_watchdog(connector.clone(), pool.clone(), shutdown.clone());
        let store = Self::new(database, connector, pool, undo_window, shutdown.clone());
        Ok((store, shutdown))
    }
}

/// Creates the schema; retries until [`CONNECT_TIMEOUT`] while the database is unavailable.
async fn ensure_schema(pool: &Pool, database: &str, replicas: u8) -> Result<(), StoreError> {
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    let mut last =
        StoreError::Unavailable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()));
    let mut has_warned = false;
    loop {
        match timeout_at(deadline, schema::ensure(pool, database, replicas)).await {
            Err(_) => return Err(last),
            Ok(Err(StoreError::Unavailable(reason))) => {
                if !has_warned {
                    log::warn!("waiting for the database: {reason}");
                    has_warned = true;
                }
                last = StoreError::Unavailable(reason);
            }
            Ok(result) => return result,
        }
        sleep(RETRY_INTERVAL).await;
    }
}
