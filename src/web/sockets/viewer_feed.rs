//! The feed of a viewer as frames.

use std::collections::HashSet;
use std::future::ready;

use actix_web::web::Data;
use futures::StreamExt as _;
use futures::stream::LocalBoxStream;

use super::follow::{ViewerEvent, follow};
use super::initial_batches::{BatchOptions, InitialBatches};
use super::latest_feed::LatestImageFeed;
use super::protocol::events;
use super::protocol::frame::Frame;
use crate::image::{ImageId, ImageRecord};
use crate::store::{Board, Store};
use crate::web::access::grant::Grant;
use crate::web::images::image_cache::ImageCache;

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
    Board(LocalBoxStream<'static, ViewerEvent<ImageRecord>>),
    BatchedBoard(
        LocalBoxStream<'static, ViewerEvent<ImageRecord>>,
        Box<InitialBatches>,
    ),
    Latest(LatestImageFeed),
}

impl ViewerFeed {
    pub(crate) fn new(
        kind: FeedKind,
        grant: &Grant,
        store: &Store,
        cache: &Data<ImageCache>,
    ) -> Self {
        let board = store.board(grant.board.id);
        match kind {
            FeedKind::Board => Self::Board(follow_board(board, grant)),
            FeedKind::BatchedBoard(options) => {
                let batches = Box::new(InitialBatches::new(options));
                Self::BatchedBoard(follow_board(board, grant), batches)
            }
            FeedKind::Latest => Self::Latest(LatestImageFeed::new(board, cache.clone())),
        }
    }

    /// Returns whether a fragmented message is incomplete. No other message may be sent before its last fragment.
    pub(crate) fn is_inside_message(&self) -> bool {
        match self {
            Self::Board(_) | Self::BatchedBoard(..) => false,
            Self::Latest(feed) => feed.is_inside_message(),
        }
    }

    /// Makes the next step, which yields a frame or nothing to send. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Board(feed) => match feed.next().await? {
                ViewerEvent::State(state) => Some(events::feed_state(state)),
                ViewerEvent::Update(record) => Some(events::image_update(&record)),
                ViewerEvent::Delete { id, by } => Some(events::image_delete(id, by.as_deref())),
            },
            Self::BatchedBoard(feed, batches) => {
                if let Some(frame) = batches.next_frame() {
                    return Some(frame);
                }
                batches.push(feed.next().await?);
                batches.next_frame()
            }
            Self::Latest(feed) => feed.next().await,
        }
    }
}

/// Follows a board. Omits images that the viewer may not see, and their deletion.
fn follow_board(board: Board, grant: &Grant) -> LocalBoxStream<'static, ViewerEvent<ImageRecord>> {
    let grant = grant.clone();
    let events = follow(move || {
        let board = board.clone();
        async move { board.feed().await }
    });
    let mut omitted: HashSet<ImageId> = HashSet::new();
    let is_seen = move |event: &ViewerEvent<ImageRecord>| {
        ready(match event {
            ViewerEvent::Update(record) if grant.sees(&record.meta) => {
                omitted.remove(&record.meta.id);
                true
            }
            ViewerEvent::Update(record) => {
                omitted.insert(record.meta.id);
                false
            }
            ViewerEvent::Delete { id, .. } => !omitted.remove(id),
            ViewerEvent::State(_) => true,
        })
    };
    events.filter(is_seen).boxed_local()
}
