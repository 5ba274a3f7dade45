//! The feed of a viewer as frames.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::LocalBoxStream;

use super::follow::{ViewerEvent, follow};
use super::initial_batches::{BatchOptions, InitialBatches, SharedBatches};
use super::latest_feed::LatestImageFeed;
use super::metrics::SessionMetrics;
use super::protocol::events;
use super::protocol::frame::Frame;
use super::session_context::SessionContext;
use crate::image::{ImageId, ImageRecord};
use crate::store::{Board, CurrentImages};
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
        Self::Board(BoardFrames {
            events: follow_board(board, grant, context.metrics.clone()),
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
            Self::Latest(feed) => feed.next().await,
        }
    }
}

/// The feed of a board as frames.
pub(crate) struct BoardFrames {
    events: LocalBoxStream<'static, ViewerEvent<ImageRecord>>,
    /// How the viewer wants batches; none if it wants single records.
    options: Option<BatchOptions>,
    shared: Arc<SharedBatches>,
    /// The initial records, until all are sent, and the number of messages sent.
    initial: Option<(Initial, usize)>,
}

/// Initial records to send.
enum Initial {
    Single(CurrentImages),
    Batches(Arc<InitialBatches>),
}

impl Initial {
    fn frame(&self, number: usize) -> Option<Frame> {
        match self {
            Self::Single(images) => images.get(number).map(events::image_update),
            Self::Batches(batches) => batches.frame(number),
        }
    }
}

impl BoardFrames {
    async fn next(&mut self) -> Option<Frame> {
        if let Some((initial, sent)) = &mut self.initial {
            let frame = initial.frame(*sent);
            *sent += 1;
            if frame.is_some() {
                return frame;
            }
            self.initial = None;
        }
        match self.events.next().await? {
            ViewerEvent::State(state) => Some(events::feed_state(state)),
            ViewerEvent::Initial(images) => {
                let initial = match self.options {
                    None => Initial::Single(images),
                    Some(options) => Initial::Batches(self.shared.of(&images, options)),
                };
                let first = initial.frame(0);
                self.initial = Some((initial, 1));
                first
            }
            ViewerEvent::Update(record) => Some(events::image_update(&record)),
            ViewerEvent::Delete { id, by } => Some(events::image_delete(id, by.as_deref())),
        }
    }
}

/// Follows a board. Omits images that the viewer may not see, and their deletion.
fn follow_board(
    board: Board,
    grant: &Grant,
    metrics: SessionMetrics,
) -> LocalBoxStream<'static, ViewerEvent<ImageRecord>> {
    let grant = grant.clone();
    let events = follow(metrics, move || {
        let board = board.clone();
        async move { board.feed().await }
    });
    let mut omitted: HashSet<ImageId> = HashSet::new();
    let seen = move |event: ViewerEvent<ImageRecord>| {
        ready(match event {
            ViewerEvent::Initial(images) => {
                let (seen, unseen): (Vec<_>, Vec<_>) =
                    images.iter().partition(|image| grant.sees(&image.meta));
                omitted = unseen.iter().map(|image| image.meta.id).collect();
                // Only who sees all images can share them with others.
                let seen = match unseen.is_empty() {
                    true => images,
                    false => seen.into_iter().cloned().collect(),
                };
                Some(ViewerEvent::Initial(seen))
            }
            ViewerEvent::Update(record) if grant.sees(&record.meta) => {
                omitted.remove(&record.meta.id);
                Some(ViewerEvent::Update(record))
            }
            ViewerEvent::Update(record) => {
                omitted.insert(record.meta.id);
                None
            }
            ViewerEvent::Delete { id, .. } if omitted.remove(&id) => None,
            other => Some(other),
        })
    };
    events.filter_map(seen).boxed_local()
}
