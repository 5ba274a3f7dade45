//! Free placements for images that are added.
//!
//! [`FreePlacements`] is the only interface. Placements are reserved in the database: the state of a board's [`layout`]
//! is one document of the table `layouts`, and a change of it is only written if no other server has changed it
//! meanwhile. So uploads never cover each other, even through different servers. Images that were moved, or added at a
//! chosen position, are known from a changefeed, which the first reservation opens.
//!
//! A deleted image keeps its area until it is purged, because it may be restored.

mod allocator;
mod area;
mod board_placements;
mod contents;
mod document;
mod filling;
mod layout;
mod nearest;
mod occupied;
mod planner;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reql::Command;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use self::allocator::{Admit, Admitted, Allocator, Reserve, Task};
use self::document::LayoutDocument;
use crate::image::{BoardId, ImageId, ImageMeta, Placement, RequestedPlacement, Timestamp};
use crate::store::client::{Connector, Pool};
use crate::store::error::StoreError;
use crate::store::limits::BoardLimits;

pub use area::Area;
pub(crate) use planner::Wanted;
pub(crate) use rows::Size;

/// Number of unread changes of open placements that a listener can fall behind.
const MOVES: usize = 1024;

/// Time after which the allocator of a board that gets no image ends, and with it its changefeed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// The allocators that run, one for each board to which images are added.
type Allocators = Mutex<HashMap<BoardId, mpsc::UnboundedSender<Task>>>;

/// Finds and reserves free placements.
pub(crate) struct FreePlacements {
    allocators: Arc<Allocators>,
    moves: broadcast::Sender<(ImageId, Area)>,
    connector: Arc<Connector>,
    pool: Pool,
    /// The table `placements`.
    placements: Command,
    /// The table `layouts`.
    layouts: Command,
    shutdown: CancellationToken,
}

impl FreePlacements {
    pub(crate) fn new(
        connector: Arc<Connector>,
        pool: Pool,
        placements: Command,
        layouts: Command,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            allocators: Arc::default(),
            moves: broadcast::Sender::new(MOVES),
            connector,
            pool,
            placements,
            layouts,
            shutdown,
        }
    }

    /// Reserves an area for an image, or returns the one that is reserved for this id.
    ///
    /// The reservation lasts an hour, longer than any upload, unless it is confirmed or released.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub(crate) async fn reserve(
        &self,
        board: BoardId,
        id: ImageId,
        size: Size,
        wanted: Wanted,
    ) -> Result<Area, StoreError> {
        let (reply, area) = oneshot::channel();
        let reserve = Reserve {
            id,
            size,
            wanted,
            reply,
        };
        self.send(board, Task::Reserve(reserve));
        let ended = |_| StoreError::Unavailable("the server is shutting down".to_owned());
        area.await.map_err(ended)?
    }

    /// Reserves the requested position, in front of all other images. A coordinate that is not requested is that of the
    /// next free placement.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub(crate) async fn reserve_requested(
        &self,
        meta: &ImageMeta,
        requested: RequestedPlacement,
    ) -> Result<Placement, StoreError> {
        let wanted = match (requested.x, requested.y) {
            (Some(x), Some(y)) => Wanted::At(x, y),
            _ => Wanted::Next,
        };
        let size = Size::of(meta.width, meta.height, requested.w);
        let mut area = self.reserve(meta.board, meta.id, size, wanted).await?;
        if !size.fits(area) {
            // It was reserved for other dimensions, which the client had announced.
            self.release(meta.board, meta.id);
            area = self.reserve(meta.board, meta.id, size, wanted).await?;
        }
        if wanted == Wanted::Next && (requested.x.is_some() || requested.y.is_some()) {
            let (x, y) = (requested.x.unwrap_or(area.x), requested.y.unwrap_or(area.y));
            area = self
                .reserve(meta.board, meta.id, size, Wanted::At(x, y))
                .await?;
        }
        Ok(Placement {
            x: area.x,
            y: area.y,
            w: area.w,
            // The time puts later images in front without coordination between servers.
            z: Timestamp::now().max(meta.created_at).as_millis() as f64,
        })
    }

    /// Asks for room on a board for an image of `bytes` bytes, and counts it from now on. An image that is counted
    /// already is admitted. Returns the time that a new image must have if the clock of this server is behind the
    /// newest one.
    ///
    /// # Errors
    ///
    /// The limit that the image would exceed, or that the server is shutting down.
    pub(crate) async fn admit(
        &self,
        board: BoardId,
        id: ImageId,
        bytes: u64,
        limits: BoardLimits,
    ) -> Result<Admitted, StoreError> {
        let (reply, admitted) = oneshot::channel();
        let admit = Admit {
            id,
            bytes,
            limits,
            reply,
        };
        self.send(board, Task::Admit(admit));
        let ended = |_| StoreError::Unavailable("the server is shutting down".to_owned());
        admitted.await.map_err(ended)
    }

    /// Ends the admission of an image that was not put on the board after all.
    pub(crate) fn withdraw(&self, board: BoardId, id: ImageId) {
        self.send(board, Task::Withdraw(id));
    }

    /// Notes that an image has been stored at the placement that was reserved for it.
    pub(crate) fn confirm(&self, meta: &ImageMeta, placement: Placement) {
        let Placement { x, y, w, .. } = placement;
        let h = w / area::tile_aspect(meta.width, meta.height);
        self.send(meta.board, Task::Confirm(meta.id, Area { x, y, w, h }));
    }

    /// Ends the reservation for an image that will not be stored.
    pub(crate) fn release(&self, board: BoardId, id: ImageId) {
        self.send(board, Task::Release(id));
    }

    /// Subscribes to changes of reserved areas: completing a row moves all images of it.
    pub(crate) fn moves(&self) -> broadcast::Receiver<(ImageId, Area)> {
        self.moves.subscribe()
    }

    fn send(&self, board: BoardId, task: Task) {
        let mut allocators = lock(&self.allocators);
        let tasks = allocators.entry(board).or_insert_with(|| self.start(board));
        // Fails during shutdown only; the caller then gets no reply. An allocator that is idle ends under the lock.
        let _ = tasks.send(task);
    }

    fn start(&self, board: BoardId) -> mpsc::UnboundedSender<Task> {
        let (sender, tasks) = mpsc::unbounded_channel();
        let allocator = Allocator::new(
            self.connector.clone(),
            self.pool.clone(),
            board,
            self.placements.clone(),
            LayoutDocument::new(self.pool.clone(), self.layouts.clone(), board),
            self.moves.clone(),
        );
        let shutdown = self.shutdown.clone();
        let allocators = self.allocators.clone();
        let end_if_idle = move |tasks: &mpsc::UnboundedReceiver<Task>| {
            let mut allocators = lock(&allocators);
            let is_idle = tasks.is_empty();
            if is_idle {
                allocators.remove(&board);
            }
            is_idle
        };
        // On the store's runtime: the caller's may end with its request handler's thread.
        self.pool.spawn(async move {
            let running = allocator.run(tasks, IDLE_TIMEOUT, end_if_idle);
            shutdown.run_until_cancelled(running).await;
        });
        sender
    }
}

fn lock(
    allocators: &Allocators,
) -> std::sync::MutexGuard<'_, HashMap<BoardId, mpsc::UnboundedSender<Task>>> {
    allocators.lock().unwrap_or_else(PoisonError::into_inner)
}
