//! The task that reserves placements: it plans changes of the layout for all requests that wait, and writes them at
//! once.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::future::{OptionFuture, join_all};
use reql::{Command, func, r};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::area::Area;
use super::board_placements::{BoardPlacements, Changes};
use super::contents::BoardContents;
use super::document::{LayoutDocument, Version};
use super::layout::Move;
use super::planner::{Planner, Stale, Wanted};
use super::rows::Size;
use crate::image::{BoardId, ImageId, Timestamp};
use crate::store::client::{Connector, Pool};
use crate::store::error::StoreError;
use crate::store::limits::{BoardFull, BoardLimits};
use crate::store::write::{hard_update, write_row};

/// Pause before a feed that has ended is opened again. Uploads fail meanwhile anyway, since the database is
/// unavailable.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);

/// The number of tasks that are planned together.
const MAX_BATCH: usize = 512;

/// Time that the confirmation of a stored image waits for a reservation, with which it is written.
const CONFIRM_DELAY: Duration = Duration::from_millis(100);

/// Pause before confirmations are written again after the database was unavailable.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Time that a reservation lasts, in milliseconds. The slowest permitted upload of the largest file takes less.
const OPEN_MS: i64 = 3_600_000;

/// Time for which a position that an uploader chose stays reserved after the image is stored, in milliseconds. The
/// feeds of all servers deliver the image within it.
const CHOSEN_MS: i64 = 60_000;

/// Attempts to write the layout while other servers change it.
const MAX_ATTEMPTS: usize = 50;

/// A change of the layout.
pub(super) enum Task {
    Reserve(Reserve),
    /// The image has been stored there.
    Confirm(ImageId, Area),
    Release(ImageId),
    Admit(Admit),
    /// An admitted image is not stored.
    Withdraw(ImageId),
}

/// Asks whether the board has room for an image. The answer is the limit that is reached, or the time that the image
/// must have to be the newest one if the clock is behind the images on the board.
pub(super) struct Admit {
    pub(super) id: ImageId,
    pub(super) bytes: u64,
    pub(super) limits: BoardLimits,
    pub(super) reply: oneshot::Sender<Admitted>,
}

/// The answer to [`Admit`].
pub(super) type Admitted = Result<Option<Timestamp>, BoardFull>;

/// A request for a placement.
pub(super) struct Reserve {
    pub(super) id: ImageId,
    pub(super) size: Size,
    pub(super) wanted: Wanted,
    pub(super) reply: oneshot::Sender<Result<Area, StoreError>>,
}

/// The state of the task.
pub(super) struct Allocator {
    pool: Pool,
    board: BoardPlacements,
    placements: Command,
    document: LayoutDocument,
    moves: broadcast::Sender<(ImageId, Area)>,
    contents: BoardContents,
    /// The state of the layout as last read or written; `None` if it must be read.
    version: Option<Version>,
    /// The moves that have been written to `placements`. The next change of the layout removes them.
    moved: Vec<(ImageId, Area)>,
}

/// The outcome of planning a batch.
struct Plan {
    version: Version,
    areas: Vec<Area>,
}

impl Allocator {
    pub(super) fn new(
        connector: Arc<Connector>,
        pool: Pool,
        board: BoardId,
        placements: Command,
        document: LayoutDocument,
        moves: broadcast::Sender<(ImageId, Area)>,
    ) -> Self {
        Self {
            board: BoardPlacements::new(connector, pool.clone(), &placements, board),
            pool,
            placements,
            document,
            moves,
            contents: BoardContents::default(),
            version: None,
            moved: Vec::new(),
        }
    }

    /// Serves tasks until there are none for `idle_timeout` and `end_if_idle` agrees.
    pub(super) async fn run(
        mut self,
        mut tasks: mpsc::UnboundedReceiver<Task>,
        idle_timeout: Duration,
        end_if_idle: impl Fn(&mpsc::UnboundedReceiver<Task>) -> bool,
    ) {
        let mut feed = None;
        let mut batch = Vec::new();
        let mut confirm_at = None;
        let mut idle_since = Instant::now();
        loop {
            if feed.is_none() {
                feed = self.load().await;
            }
            let is_due = confirm_at.is_some_and(|at| at <= Instant::now());
            if is_due || batch.iter().any(|task| self.is_urgent(task)) {
                batch = self.serve(std::mem::take(&mut batch)).await;
                confirm_at = (!batch.is_empty()).then(|| Instant::now() + RETRY_DELAY);
                continue;
            }
            if batch.is_empty() && idle_since.elapsed() >= idle_timeout && end_if_idle(&tasks) {
                return;
            }
            let room = MAX_BATCH - batch.len().min(MAX_BATCH - 1);
            tokio::select! {
                count = tasks.recv_many(&mut batch, room) => match count {
                    0 => return,
                    _ => {
                        idle_since = Instant::now();
                        self.admit(&mut batch);
                        if !batch.is_empty() {
                            confirm_at = confirm_at.or_else(|| Some(idle_since + CONFIRM_DELAY));
                        }
                    }
                },
                Some(()) = OptionFuture::from(confirm_at.map(sleep_until)) => {}
                () = sleep_until(idle_since + idle_timeout), if batch.is_empty() => {}
                lost = self.follow(&mut feed) => {
                    log::debug!("reloading the placements: {lost}");
                    feed = None;
                    sleep(REOPEN_PAUSE).await;
                }
            }
        }
    }

    /// Returns `true` if a caller waits for the task, or the stored image must be moved.
    fn is_urgent(&self, task: &Task) -> bool {
        let version = self.version.as_ref();
        match *task {
            Task::Reserve(_) => true,
            // Without a version, the database was unavailable.
            Task::Confirm(id, area) => {
                version.is_some_and(|version| version.layout.has_moved(id, area))
            }
            Task::Release(_) | Task::Admit(_) | Task::Withdraw(_) => false,
        }
    }

    /// Serves and removes the tasks that concern the room on the board: they do not change the layout.
    fn admit(&mut self, batch: &mut Vec<Task>) {
        let is_of_room = |task: &mut Task| matches!(task, Task::Admit(_) | Task::Withdraw(_));
        let tasks: Vec<Task> = batch.extract_if(.., is_of_room).collect();
        for task in tasks {
            match task {
                Task::Admit(admit) => {
                    let admitted = self.contents.admit(admit.id, admit.bytes, admit.limits);
                    let is_admitted = admitted.is_ok();
                    // Fails if the requester has gone, which then withdraws nothing either.
                    if admit.reply.send(admitted).is_err() && is_admitted {
                        self.contents.withdraw(admit.id);
                    }
                }
                Task::Withdraw(id) => self.contents.withdraw(id),
                Task::Reserve(_) | Task::Confirm(..) | Task::Release(_) => {}
            }
        }
    }

    /// Opens the feed of the board. Returns `None` if that fails: placements are then reserved although images may be
    /// missing.
    async fn load(&mut self) -> Option<Changes> {
        let (changes, occupied) = self.board.follow().await?;
        self.contents.set(occupied);
        Some(changes)
    }

    /// Applies the changes of the feed until it ends. Cancellation safe.
    async fn follow(&mut self, feed: &mut Option<Changes>) -> StoreError {
        let Some(feed) = feed else {
            sleep(REOPEN_PAUSE).await;
            return StoreError::FeedEnded("it could not be opened".to_owned());
        };
        loop {
            match feed.next().await {
                Some(Ok(element)) => match element.error {
                    Some(error) => return StoreError::FeedEnded(error),
                    None => self.contents.apply(&element.old_val, element.new_val),
                },
                Some(Err(error)) => return error,
                None => return StoreError::FeedEnded("the server closed it".to_owned()),
            }
        }
    }

    /// Plans and writes a batch, and replies to its reservations. Returns the other tasks if the database is
    /// unavailable.
    async fn serve(&mut self, batch: Vec<Task>) -> Vec<Task> {
        match self.commit(&batch).await {
            Ok(plan) => {
                self.move_images(&plan.version).await;
                let reservations = batch.into_iter().filter_map(|task| match task {
                    Task::Reserve(reserve) => Some(reserve),
                    _ => None,
                });
                for (reserve, area) in reservations.zip(plan.areas) {
                    // Fails if the requester has gone; the reservation then expires.
                    let _ = reserve.reply.send(Ok(area));
                }
                self.version = Some(plan.version);
                Vec::new()
            }
            Err(error) => {
                self.version = None;
                let mut rest = Vec::new();
                for task in batch {
                    match task {
                        Task::Reserve(reserve) => drop(reserve.reply.send(Err(error.clone()))),
                        task => rest.push(task),
                    }
                }
                rest
            }
        }
    }

    /// Plans a batch and writes the layout. Plans it again if another server has written in between.
    async fn commit(&mut self, batch: &[Task]) -> Result<Plan, StoreError> {
        let mut is_fresh = false;
        for _ in 0..MAX_ATTEMPTS {
            let version = match self.version.take() {
                Some(version) => version,
                None => self.document.read().await?,
            };
            let mut planner = Planner {
                layout: version.layout.clone(),
                occupied: self.contents.occupied(),
                is_fresh,
            };
            planner.layout.remove_moves(&self.moved);
            let Ok(areas) = plan(&mut planner, batch) else {
                // The layout first, so that every image confirmed in it is among the images. The feed corrects what it
                // delivers late.
                self.version = Some(self.document.read().await?);
                let occupied = self.board.read().await?;
                self.contents.set(occupied);
                is_fresh = true;
                continue;
            };
            let layout = planner.layout;
            let written = if layout == version.layout {
                Some(version)
            } else {
                self.document.write(&version, layout).await?
            };
            if let Some(version) = written {
                self.moved.clear();
                return Ok(Plan { version, areas });
            }
            is_fresh = false;
        }
        let reason = "other servers change the layout all the time";
        Err(StoreError::Unavailable(reason.to_owned()))
    }

    /// Moves the images of completed rows to their final areas, unless somebody else has moved them.
    async fn move_images(&mut self, version: &Version) {
        let moves = version.layout.moves();
        for (&id, planned) in moves {
            // Fails if nobody listens.
            let _ = self.moves.send((id, planned.to));
        }
        let (pool, placements) = (&self.pool, &self.placements);
        let writes = moves.iter().map(|(&id, planned)| async move {
            let change = move_unless_moved(placements.clone().get(id), planned);
            (id, planned, write_row(pool, change).await)
        });
        for (id, planned, written) in join_all(writes).await {
            match written {
                // An upload that is not stored yet is moved when it is confirmed.
                Ok(_) => {
                    self.contents.move_image(id, planned);
                    self.moved.push((id, planned.to));
                }
                Err(error) => log::warn!("a row of images is not justified yet: {error}"),
            }
        }
    }
}

/// Applies a batch to a plan. Returns the areas of its reservations.
fn plan(planner: &mut Planner<'_>, batch: &[Task]) -> Result<Vec<Area>, Stale> {
    let now = Timestamp::now().as_millis();
    planner.forget(now);
    let mut reserved = Vec::new();
    for task in batch {
        match task {
            Task::Reserve(reserve) => {
                let Reserve {
                    id, size, wanted, ..
                } = *reserve;
                let area = planner.place(id, size, wanted, now + OPEN_MS)?;
                reserved.push((id, area));
            }
            Task::Confirm(id, area) => planner.confirm(*id, *area, now + CHOSEN_MS),
            Task::Release(id) => planner.release(*id),
            // Answered before.
            Task::Admit(_) | Task::Withdraw(_) => {}
        }
    }
    // A later image of the batch may have completed the row of an earlier one.
    let layout = &planner.layout;
    let areas = reserved.into_iter();
    Ok(areas
        .map(|(id, area)| layout.area_of(id).unwrap_or(area))
        .collect())
}

/// A write that moves an image which still lies where it was placed.
fn move_unless_moved(row: Command, planned: &Move) -> Command {
    let position = |area: &Area| json!({ "x": area.x, "y": area.y, "w": area.w });
    let from: Vec<Value> = planned.from.iter().map(position).collect();
    let to = position(&planned.to);
    let change = func!(|row| r.branch(
        r.args((
            r.expr(&from).contains(
                row.pluck(r.expr("x"))
                    .with_arg(r.expr("y"))
                    .with_arg(r.expr("w"))
            ),
            r.expr(&to),
            r.expr(json!({})),
        ))
    ));
    row.update(r.args((change, hard_update())))
}
