//! The images in the database, and the only place that names the driver `reql`.
//!
//! [`Store`] is a cheap handle that all parts of the server share. Two tables hold an image: `images` its bytes,
//! `placements` where it lies; both hold what is known about it. So a move does not rewrite a picture, and a new viewer's
//! starting state does not read every picture.
//!
//! ```text
//! Store ── insert, read, change, remove, sweep ──> Pool ──────> Session ──> the database
//!    └──── feed: one Session of its own for each feed ──────────────┘ ↑
//!                                         watchdog: one for each host ┘
//! ```

mod change;
mod client;
mod connection;
mod error;
mod feed;
mod grid;
mod insert;
mod places;
mod pool;
mod read;
mod remove;
mod schema;
mod settings;
mod sweep;
mod thumbs;
mod watchdog;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reql::{Command, r};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};

use connection::Connector;
use places::FreePlacements;
use pool::Pool;

pub use change::{Durability, PlacementChange};
pub use error::StoreError;
pub use feed::{BoardEvent, BoardFeed, Feed, FeedEvent, FeedState, LatestEvent, LatestFeed};
pub use insert::Insert;
pub use read::{ListQuery, Page};
pub use settings::{
    Address, ClusterSettings, DEFAULT_DATABASE, DEFAULT_PORT, DEFAULT_USER, Password,
};

/// How long [`Store::connect`] waits for a database that is not there yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it waits between two attempts.
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(250);

/// How many bytes of images may be on their way to the database, and as many on their way from it. The driver needs 4.6
/// times as much (measured: 46 MiB for an image of 10 MiB), so this bounds it to some 220 MiB for each direction.
const BYTES_IN_FLIGHT: usize = 48 << 20;

/// For how long a delete can be undone unless told otherwise.
pub const DEFAULT_UNDO_WINDOW: Duration = Duration::from_secs(3600);

/// How long an image waits for its turn.
const TURN_LIMIT: Duration = Duration::from_secs(10);

/// The images in the database. Cheap to clone; all clones share one pool of sessions.
///
/// It can be used from any tokio runtime while the one on which it was connected runs, since the queries run there.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: String,
    connector: Arc<Connector>,
    pool: Pool,
    uploads: ByteBudget,
    downloads: ByteBudget,
    places: Arc<FreePlacements>,
    /// For how long a delete can be undone.
    undo_window: Duration,
    /// Tells the sweep that something was deleted.
    deleted: Arc<Notify>,
    /// Ends what runs in the background with the last handle.
    stop: CancellationToken,
    _background: DropGuard,
}

impl Store {
    /// Connects to the database, makes what is missing in it, and waits until it is ready. Deletes can be undone for
    /// `undo_window`; then the images are removed for good.
    ///
    /// # Errors
    ///
    /// If none of the hosts can be used within ten seconds, or at once if the login is refused.
    pub async fn connect(
        settings: ClusterSettings,
        undo_window: Duration,
    ) -> Result<Self, StoreError> {
        let database = settings.database.clone();
        let connector = Arc::new(Connector::new(settings));
        let pool = Pool::new(connector.clone());
        prepare_patiently(&pool, &database).await?;
        let background = CancellationToken::new();
        watchdog::spawn(connector.clone(), pool.clone(), background.clone());
        let store = Self {
            inner: Arc::new(Inner {
                database,
                connector,
                pool,
                uploads: ByteBudget::new(BYTES_IN_FLIGHT),
                downloads: ByteBudget::new(BYTES_IN_FLIGHT),
                places: Arc::new(FreePlacements::new()),
                undo_window,
                deleted: Arc::default(),
                stop: background.clone(),
                _background: background.clone().drop_guard(),
            }),
        };
        let deleted = store.inner.deleted.clone();
        sweep::spawn(Arc::downgrade(&store.inner), deleted, background.clone());
        thumbs::spawn(Arc::downgrade(&store.inner), background);
        Ok(store)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        const LIMIT: Duration = Duration::from_secs(3);
        let answer = self.pool().query_within::<u8>(r.expr(1), LIMIT);
        pool::only(answer.await?).map(|_| ())
    }

    fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// The table `images`.
    fn images(&self) -> Command {
        r.db(self.inner.database.as_str()).table(schema::IMAGES)
    }

    /// The table `placements`.
    fn placements(&self) -> Command {
        r.db(self.inner.database.as_str()).table(schema::PLACEMENTS)
    }

    /// Runs something of several steps to its end, even if the caller goes away in between.
    async fn to_the_end<T, F>(&self, steps: impl FnOnce(Self) -> F + Send) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let task = self.pool().spawn(steps(self.clone()));
        let stopping = |_| StoreError::Unavailable("the server is stopping".to_owned());
        task.await.map_err(stopping)?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("database", &self.inner.database)
            .finish_non_exhaustive()
    }
}

/// Documents of the table `images` without what makes them large. Chained to a table, a row or a feed.
fn without_bytes(images: Command) -> Command {
    images.without(r.expr("file")).with_arg(r.expr("thumb"))
}

/// Makes the schema, again and again until [`PATIENCE`] ends.
async fn prepare_patiently(pool: &Pool, database: &str) -> Result<(), StoreError> {
    let deadline = Instant::now() + PATIENCE;
    let mut last = StoreError::Unavailable(format!("no answer within {} s", PATIENCE.as_secs()));
    let mut waiting = false;
    loop {
        match timeout_at(deadline, schema::ensure(pool, database)).await {
            Err(_) => return Err(last),
            Ok(Err(StoreError::Unavailable(reason))) => {
                if !waiting {
                    log::warn!("waiting for the database: {reason}");
                    waiting = true;
                }
                last = StoreError::Unavailable(reason);
            }
            Ok(result) => return result,
        }
        sleep(ATTEMPT_INTERVAL).await;
    }
}

/// Bounds the bytes of images that are in the driver at once, for it multiplies them. Counted in KiB; who finds it used
/// up waits in line for [`TURN_LIMIT`] and is refused then.
struct ByteBudget {
    semaphore: Arc<Semaphore>,
    kibibytes: usize,
}

impl ByteBudget {
    fn new(bytes: usize) -> Self {
        let kibibytes = bytes >> 10;
        Self {
            semaphore: Arc::new(Semaphore::new(kibibytes)),
            kibibytes,
        }
    }

    /// Waits until so many bytes may be on their way. What is larger than the whole budget goes alone.
    async fn take(&self, bytes: u64) -> Result<OwnedSemaphorePermit, StoreError> {
        let kibibytes = usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX);
        let permits = u32::try_from(kibibytes.clamp(1, self.kibibytes))
            .expect("the budget is far below 4 TiB");
        let turn = self.semaphore.clone().acquire_many_owned(permits);
        match timeout(TURN_LIMIT, turn).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(StoreError::Unavailable(
                "too many images are on their way".to_owned(),
            )),
        }
    }
}

/// Whether a row is not shown any more.
fn is_deleted(row: &serde_json::Value) -> bool {
    row.get(DELETED_AT).is_some_and(|at| !at.is_null())
}

/// The field that only a deleted image has: since when.
const DELETED_AT: &str = "deletedAt";
