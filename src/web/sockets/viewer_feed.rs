//! The feed of a viewer as frames.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::LocalBoxStream;

use super::follow::{ViewerEvent, follow};
use super::initial_batches::{BatchOptions, InitialBatches, SharedBatches};
use super::latest_feed::LatestImageFeed;
use super::protocol::events;
use super::protocol::frame::Frame;
use super::session_context::SessionContext;
use crate::image::{ImageId, ImageRecord};
use crate::store::CurrentImages;
use crate::web::access::grant::Grant;

/// The feed that a viewer requested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FeedKind {
    /// The records of all images on the board.
    Board,
    /// The same, with the initial records in batches.
    BatchedBoard(BatchOptions),
    /// The latest image, with its file.
    Latest,
}

/// A stream of frames for one viewer.
pub(crate) enum ViewerFeed {
    Board(BoardFrames),
    Latest(LatestImageFeed),
}

impl ViewerFeed {
    pub(crate) fn new(kind: FeedKind, grant: &Grant, context: &SessionContext) -> Self {
        let board = context.store.board(grant.board.id);
        let options = match kind {
            FeedKind::Latest => {
                return Self::Latest(LatestImageFeed::new(board, context));
            }
            FeedKind::BatchedBoard(options) => Some(options),
            FeedKind::Board => None,
        };
        let feed = move || {
            let board = board.clone();
            async move { board.feed().await }
        };
        Self::Board(BoardFrames {
            events: follow(context.metrics.clone(), feed),
            grant: grant.clone(),
            unseen: HashSet::new(),
            options,
            shared: context.batches.clone(),
            initial: None,
        })
    }

    /// Returns whether a fragmented message is incomplete. No other message may be sent before its last fragment.
    pub(crate) fn is_inside_message(&self) -> bool {
        match self {
            Self::Board(_) => false,
            Self::Latest(feed) => feed.is_inside_message(),
        }
    }

    /// Makes the next step, which yields a frame or nothing to send. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Board(feed) => feed.next().await,
            // Boxed, because it is large and those of boards are many.
            Self::Latest(feed) => Box::pin(feed.next()).await,
        }
    }
}

/// The feed of a board as frames, without the images that the viewer may not see, and their deletion.
pub(crate) struct BoardFrames {
    events: LocalBoxStream<'static, ViewerEvent<ImageRecord>>,
    grant: Grant,
    /// The images on the board that the viewer may not see.
    unseen: HashSet<ImageId>,
    /// The options of the batches; `None` if the viewer wants single records.
    options: Option<BatchOptions>,
    shared: Arc<SharedBatches>,
    /// The initial records, until all are sent.
    initial: Option<Initial>,
}

/// Initial records to send, and how many records or messages were taken.
enum Initial {
    Single(CurrentImages, usize),
    Batches(Arc<InitialBatches>, usize),
}

impl BoardFrames {
    async fn next(&mut self) -> Option<Frame> {
        if self.initial.is_some() {
            let frame = self.next_initial();
            if frame.is_some() {
                return frame;
            }
            self.initial = None;
        }
        match self.events.next().await? {
            ViewerEvent::State(state) => Some(events::feed_state(state)),
            ViewerEvent::Initial(images) => {
                let unseen = images.iter().filter(|image| !self.grant.sees(&image.meta));
                self.unseen = unseen.map(|image| image.meta.id).collect();
                self.initial = Some(match self.options {
                    None => Initial::Single(images, 0),
                    Some(options) => {
                        Initial::Batches(self.shared.of(&images, &self.unseen, options), 0)
                    }
                });
                self.next_initial()
            }
            ViewerEvent::Update(record) if self.grant.sees(&record.meta) => {
                self.unseen.remove(&record.meta.id);
                Some(events::image_update(&record))
            }
            ViewerEvent::Update(record) => {
                self.unseen.insert(record.meta.id);
                None
            }
            ViewerEvent::Delete { id, by } => {
                let was_seen = !self.unseen.remove(&id);
                was_seen.then(|| events::image_delete(id, by.as_deref()))
            }
        }
    }

    /// The next of the initial records.
    fn next_initial(&mut self) -> Option<Frame> {
        match self.initial.as_mut()? {
            Initial::Single(images, taken) => {
                let rest = images.get(*taken..)?;
                let next = rest
                    .iter()
                    .position(|image| !self.unseen.contains(&image.meta.id))?;
                *taken += next + 1;
                Some(events::image_update(&rest[next]))
            }
            Initial::Batches(batches, taken) => {
                *taken += 1;
                batches.frame(*taken - 1)
            }
        }
    }
}
