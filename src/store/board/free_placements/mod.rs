//! Choice of free placements for images that are added without a position.
//!
//! [`FreePlacements`] is the only interface: [`FreePlacements::reserve`] returns a [`Reservation`] that holds a placement
//! while the image is stored. The implementation knows the board from a changefeed of its own, which the first upload
//! without a position opens, and concurrent uploads from their reservations. A deleted image keeps its cells until it is
//! purged, because it may be restored.
//!
//! Reservations are local to the process: two servers on one database can choose the same cells for simultaneous uploads,
//! because neither sees the other's image before it is stored.

mod grid;
mod reservations;

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use reql::{Command, r};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::image::{ImageMeta, RequestedPlacement};
use crate::store::client::{Connector, Element, Pool, changefeed_options};
use crate::store::error::StoreError;

pub(crate) use reservations::Reservation;
use reservations::Reservations;

/// Unread changes that the database keeps for this feed. It is read without pause, so a burst of this size cannot occur.
const QUEUE_SIZE: u32 = 10_000;

/// Time that an upload waits until the feed has delivered the board. Ten thousand images take about 0.3 s.
const LOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before a feed that has ended is opened again. Uploads fail meanwhile anyway, since the database is unavailable.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);

/// Finds and reserves free placements.
pub(crate) struct FreePlacements {
    reservations: Arc<Reservations>,
    connector: Arc<Connector>,
    pool: Pool,
    /// The table `placements`.
    table: Command,
    shutdown: CancellationToken,
}

impl FreePlacements {
    pub(crate) fn new(
        connector: Arc<Connector>,
        pool: Pool,
        table: Command,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            reservations: Arc::default(),
            connector,
            pool,
            table,
            shutdown,
        }
    }

    /// Reserves the requested position, or a free one if no complete position is requested, in front of all other images.
    ///
    /// Waits up to ten seconds for the state of the board. If it is still incomplete then, the placement may cover images
    /// that are not known yet.
    pub(crate) async fn reserve(
        &self,
        meta: &ImageMeta,
        requested: RequestedPlacement,
    ) -> Reservation {
        if requested.x.is_none() || requested.y.is_none() {
            self.follow_board();
            if timeout(LOAD_TIMEOUT, self.reservations.loaded())
                .await
                .is_err()
            {
                log::warn!("placing image {} although the board is not loaded", meta.id);
            }
        }
        Reservations::reserve(&self.reservations, meta, requested)
    }

    /// Starts to follow the board, unless that has been done.
    fn follow_board(&self) {
        if !self.reservations.start_following() {
            return;
        }
        let (connector, reservations) = (self.connector.clone(), self.reservations.clone());
        let changes = changes(self.table.clone());
        let follow = async move {
            loop {
                let error = match connector.changefeed(changes.clone()).await {
                    Ok(feed) => read(&reservations, feed).await,
                    Err(error) => error,
                };
                log::debug!("reloading the placements: {error}");
                sleep(REOPEN_PAUSE).await;
            }
        };
        let shutdown = self.shutdown.clone();
        // On the store's runtime: the caller's may end with its request handler's thread.
        self.pool
            .spawn(async move { shutdown.run_until_cancelled(follow).await });
    }
}

/// A changefeed of the fields that determine the area of each image.
fn changes(table: Command) -> Command {
    let fields = ["x", "y", "w", "width", "height"];
    let rows = table.pluck(r.expr("id"));
    let rows = fields
        .into_iter()
        .fold(rows, |rows, field| rows.with_arg(r.expr(field)));
    rows.changes(changefeed_options(QUEUE_SIZE).include_initial(true))
}

/// Reads a feed until it ends.
async fn read(
    reservations: &Reservations,
    mut feed: impl Stream<Item = Result<Element, StoreError>> + Unpin,
) -> StoreError {
    reservations.on_feed_opened();
    let error = loop {
        let element = match feed.next().await {
            Some(Ok(element)) => element,
            Some(Err(error)) => break error,
            None => break StoreError::FeedEnded("the server closed it".to_owned()),
        };
        if let Some(error) = element.error {
            break StoreError::FeedEnded(error);
        }
        if element.is_ready() {
            reservations.on_ready();
        } else {
            reservations.on_change(&element.old_val, element.new_val);
        }
    };
    reservations.on_feed_ended();
    error
}
