//! The handle that all operations on the store are methods of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reql::{Command, r};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::byte_budget::ByteBudget;
use super::client::{Connector, Pool, single_value};
use super::current_reads::CurrentReads;
use super::damaged_images::DamagedImages;
use super::error::StoreError;
use super::free_placements::FreePlacements;
use super::limits::BoardLimits;
use super::stalled_feed::LastChanges;
use super::tables::{BOARDS, IMAGES, LAYOUTS, PLACEMENTS};
use crate::metrics::Registry;

/// Bytes of image files that may be on their way to the database at once, and as many from it. The driver needs 4.6
/// times as much memory (measured: 46 MiB for a file of 10 MiB), so this bounds it to about 220 MiB in each direction.
const MAX_BYTES_IN_FLIGHT: usize = 48 << 20;

/// Time that an image waits for other transfers before it is refused.
const TRANSFER_WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limit for [`Store::ping`].
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// The images in the database. Cheap to clone; all clones share one pool of sessions.
///
/// A store can be used from any tokio runtime, as long as the one that it was connected on runs: queries run there.
#[derive(Clone)]
pub struct Store {
    pub(super) inner: Arc<Inner>,
    pub(super) board_limits: BoardLimits,
}

pub(super) struct Inner {
    database: String,
    pub(super) connector: Arc<Connector>,
    pool: Pool,
    pub(super) upload_budget: ByteBudget,
    pub(super) download_budget: ByteBudget,
    pub(super) free_placements: FreePlacements,
    pub(super) current_reads: CurrentReads,
    pub(super) last_changes: LastChanges,
    /// The images that were found to be damaged.
    pub(super) damaged: DamagedImages,
    /// Time for which a deleted image can be restored.
    pub(super) undo_window: Duration,
    /// Wakes the sweep after a delete.
    pub(super) deleted: Arc<Notify>,
    /// Stops the background tasks when the last handle is dropped.
    _shutdown: DropGuard,
}

impl Store {
    /// Creates a handle for a database whose schema exists. `shutdown` is cancelled when the last clone is dropped.
    pub(super) fn new(
        database: String,
        connector: Arc<Connector>,
        pool: Pool,
        undo_window: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        let free_placements = FreePlacements::new(
            connector.clone(),
            pool.clone(),
            table(&database, PLACEMENTS),
            table(&database, LAYOUTS),
            shutdown.clone(),
        );
        Self::of(Arc::new(Inner {
            database,
            connector,
            pool,
            upload_budget: ByteBudget::new(MAX_BYTES_IN_FLIGHT, TRANSFER_WAIT_TIMEOUT),
            download_budget: ByteBudget::new(MAX_BYTES_IN_FLIGHT, TRANSFER_WAIT_TIMEOUT),
            free_placements,
            current_reads: CurrentReads::default(),
            last_changes: LastChanges::default(),
            damaged: DamagedImages::default(),
            undo_window,
            deleted: Arc::default(),
            _shutdown: shutdown.drop_guard(),
        }))
    }

    /// A handle for a background task, without limits.
    pub(super) fn of(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            board_limits: BoardLimits::default(),
        }
    }

    /// The same images, with limits on what each board may hold. Images that other servers add in the same second may
    /// exceed them together.
    pub fn with_board_limits(self, board_limits: BoardLimits) -> Self {
        Self {
            board_limits,
            ..self
        }
    }

    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// If it does not answer within three seconds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let answer = self.pool().query_within::<u8>(r.expr(1), PING_TIMEOUT);
        single_value(answer.await?).map(|_| ())
    }

    /// Registers what the store counts and measures.
    pub(crate) fn register_metrics(&self, registry: &mut Registry) {
        self.inner.connector.metrics.register(registry);
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    pub(super) fn images(&self) -> Command {
        table(&self.inner.database, IMAGES)
    }

    pub(super) fn placements(&self) -> Command {
        table(&self.inner.database, PLACEMENTS)
    }

    pub(super) fn layouts(&self) -> Command {
        table(&self.inner.database, LAYOUTS)
    }

    pub(super) fn boards(&self) -> Command {
        table(&self.inner.database, BOARDS)
    }

    /// Runs an operation of several queries in a task of its own, so that it completes even if the caller is dropped.
    pub(super) async fn run_to_completion<T, F>(
        &self,
        operation: impl FnOnce(Self) -> F + Send,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let task = self.pool().spawn(operation(self.clone()));
        let aborted = |_| StoreError::Unavailable("the server is shutting down".to_owned());
        task.await.map_err(aborted)?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("database", &self.inner.database)
            .finish_non_exhaustive()
    }
}

fn table(database: &str, name: &str) -> Command {
    r.db(database).table(name)
}
