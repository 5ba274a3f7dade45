//! The feed of the latest image, with its file.

use std::collections::{HashSet, VecDeque};

use actix_web::web::Data;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::LocalBoxStream;

use super::follow::{ViewerEvent, follow};
use super::metrics::SessionMetrics;
use super::protocol::events::{self, ViewerFeedState};
use super::protocol::frame::{self, Frame};
use super::session_context::SessionContext;
use crate::image::{ImageId, ImageMeta, Timestamp};
use crate::store::{Board, StoreError};
use crate::web::images::image_cache::ImageCache;

/// The size of a fragment of a file. A ping need not wait for a whole file, only for a fragment.
const FRAGMENT: usize = 64 << 10;

/// A stream of frames that shows one image at a time.
pub(crate) struct LatestImageFeed {
    board: Board,
    cache: Data<ImageCache>,
    metrics: SessionMetrics,
    events: LocalBoxStream<'static, ViewerEvent<ImageMeta>>,
    step: Step,
    /// The rest of the current message.
    frames: VecDeque<Frame>,
    /// The time and the id of the image that the viewer shows, or was to show.
    shown: Option<(Timestamp, ImageId)>,
    /// Images that wait for approval, of which the viewer is told nothing.
    waiting: HashSet<ImageId>,
}

/// The next step. A cancelled step starts over.
enum Step {
    /// Wait for the feed.
    Wait,
    /// Read the file of an image and send it.
    Send(Box<ImageMeta>),
    /// Find the latest image, because the shown one was deleted.
    FindLatest,
}

impl LatestImageFeed {
    pub(crate) fn new(board: Board, context: &SessionContext) -> Self {
        let metrics = context.metrics.clone();
        let events = Self::follow(&board, metrics.clone());
        Self {
            board,
            cache: context.cache.clone(),
            metrics,
            events,
            step: Step::Wait,
            frames: VecDeque::new(),
            shown: None,
            waiting: HashSet::new(),
        }
    }

    fn follow(
        board: &Board,
        metrics: SessionMetrics,
    ) -> LocalBoxStream<'static, ViewerEvent<ImageMeta>> {
        let board = board.clone();
        follow(metrics, move || {
            let board = board.clone();
            async move { board.latest_feed().await }
        })
    }

    /// Returns whether a fragmented message is incomplete.
    pub(crate) fn is_inside_message(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Makes the next step, which yields a frame or nothing to send. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.frames.pop_front() {
            return Some(frame);
        }
        match &self.step {
            Step::Wait => {
                let event = self.events.next().await?;
                self.on_event(event)
            }
            Step::Send(meta) => match self.cache.file(meta.id).await {
                Ok(file) => {
                    self.queue_image(file);
                    self.frames.pop_front()
                }
                Err(error) => Some(self.restart(&error)),
            },
            Step::FindLatest => match self.board.latest().await {
                Ok(Some(meta)) => {
                    self.step = Step::Send(Box::new(meta));
                    None
                }
                Ok(None) => {
                    self.shown = None;
                    self.step = Step::Wait;
                    None
                }
                Err(error) => Some(self.restart(&error)),
            },
        }
    }

    fn on_event(&mut self, event: ViewerEvent<ImageMeta>) -> Option<Frame> {
        match event {
            ViewerEvent::State(state) => {
                if state == ViewerFeedState::Initializing {
                    self.shown = None;
                }
                Some(events::feed_state(state))
            }
            ViewerEvent::Initial(images) => {
                if let Some(latest) = images.last() {
                    self.step = Step::Send(Box::new(latest.clone()));
                }
                None
            }
            // It is sent again once it is approved.
            ViewerEvent::Update(meta) if meta.waiting => {
                self.waiting.insert(meta.id);
                None
            }
            ViewerEvent::Update(meta) => {
                self.waiting.remove(&meta.id);
                // One whose upload took long, that was restored or approved: a viewer that comes now sees the newer
                // one, too.
                if Some((meta.created_at, meta.id)) >= self.shown {
                    self.step = Step::Send(Box::new(meta));
                }
                None
            }
            ViewerEvent::Delete { id, .. } if self.waiting.remove(&id) => None,
            ViewerEvent::Delete { id, .. } => {
                if self.shown.is_some_and(|(_, shown)| shown == id) {
                    self.step = Step::FindLatest;
                }
                Some(events::image_delete(id, None))
            }
        }
    }

    /// Starts sending the image that was read. Sends nothing if it has been deleted: the feed reports that separately,
    /// and the next one is looked for then.
    fn queue_image(&mut self, file: Option<Bytes>) {
        let Step::Send(meta) = std::mem::replace(&mut self.step, Step::Wait) else {
            return;
        };
        self.shown = Some((meta.created_at, meta.id));
        let Some(file) = file else { return };
        self.frames
            .push_back(events::latest_update(&meta, file.len()));
        let last = file.len().div_ceil(FRAGMENT).saturating_sub(1);
        for index in 0..=last {
            let part = file.slice(index * FRAGMENT..file.len().min((index + 1) * FRAGMENT));
            self.frames
                .push_back(frame::fragment(part, index == 0, index == last));
        }
    }

    /// Reopens the feed, which starts with the latest image, since the failed read has missed one.
    fn restart(&mut self, error: &StoreError) -> Frame {
        log::debug!("the feed of a viewer starts again: {error}");
        self.events = Self::follow(&self.board, self.metrics.clone());
        self.step = Step::Wait;
        events::feed_state(ViewerFeedState::Interrupted)
    }
}
