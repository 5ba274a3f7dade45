//! From a feed to what a viewer is sent, one piece at a time.

use std::collections::VecDeque;

use actix_web::web::Data;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::LocalBoxStream;

use super::follow::{ViewerEvent, follow};
use super::protocol::frame::{self, Frame};
use super::protocol::message::{self, ShownState};
use crate::image::{ImageId, ImageMeta, ImageRecord};
use crate::store::StoreError;
use crate::web::state::State;

/// How much of a picture goes into one frame, so that a question for a sign of life need not wait for a whole picture.
const FRAGMENT: usize = 64 << 10;

/// Which feed a viewer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedKind {
    /// Everything on the board, without the pictures.
    Board,
    /// The last saved image, with its picture.
    Latest,
}

/// What a viewer is sent.
pub(crate) enum ViewerFeed {
    Board(LocalBoxStream<'static, ViewerEvent<ImageRecord>>),
    Latest(LatestFeed),
}

impl ViewerFeed {
    pub(crate) fn new(kind: FeedKind, state: &Data<State>) -> Self {
        match kind {
            FeedKind::Board => {
                let store = state.store.clone();
                Self::Board(follow(move || {
                    let store = store.clone();
                    async move { store.board_feed().await }
                }))
            }
            FeedKind::Latest => Self::Latest(LatestFeed::new(state.clone())),
        }
    }

    /// Whether a message is under way, between whose frames no other message may be.
    pub(crate) fn is_inside_message(&self) -> bool {
        match self {
            Self::Board(_) => false,
            Self::Latest(feed) => !feed.frames.is_empty(),
        }
    }

    /// The next frame, or none if nothing is to be said of what happened. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        match self {
            Self::Board(feed) => match feed.next().await? {
                ViewerEvent::State(state) => Some(message::feed_state(state)),
                ViewerEvent::Update(record) => Some(message::image_update(&record)),
                ViewerEvent::Delete(id) => Some(message::image_delete(id)),
            },
            Self::Latest(feed) => feed.next().await,
        }
    }
}

/// The feed of the last saved image.
pub(crate) struct LatestFeed {
    state: Data<State>,
    told: LocalBoxStream<'static, ViewerEvent<ImageMeta>>,
    /// What is to be done next.
    task: Task,
    /// The rest of the message under way.
    frames: VecDeque<Frame>,
    /// The image that the viewer sees.
    shown: Option<ImageId>,
}

/// What a step of the latest feed does. It is begun anew if it was cancelled.
enum Task {
    /// Wait for the feed.
    Listen,
    /// Read the picture and send it.
    Show(Box<ImageMeta>),
    /// The shown image was deleted: find the one before it.
    FindLast,
}

impl LatestFeed {
    fn new(state: Data<State>) -> Self {
        let told = Self::follow(&state);
        Self {
            state,
            told,
            task: Task::Listen,
            frames: VecDeque::new(),
            shown: None,
        }
    }

    fn follow(state: &Data<State>) -> LocalBoxStream<'static, ViewerEvent<ImageMeta>> {
        let store = state.store.clone();
        follow(move || {
            let store = store.clone();
            async move { store.latest_feed().await }
        })
    }

    async fn next(&mut self) -> Option<Frame> {
        if let Some(frame) = self.frames.pop_front() {
            return Some(frame);
        }
        match &self.task {
            Task::Listen => match self.told.next().await? {
                ViewerEvent::State(state) => {
                    if state == ShownState::Initializing {
                        self.shown = None;
                    }
                    Some(message::feed_state(state))
                }
                ViewerEvent::Update(meta) => {
                    self.task = Task::Show(Box::new(meta));
                    None
                }
                ViewerEvent::Delete(id) => {
                    if self.shown == Some(id) {
                        self.task = Task::FindLast;
                    }
                    Some(message::image_delete(id))
                }
            },
            Task::Show(meta) => {
                match self.state.image_cache.get(&self.state.store, meta.id).await {
                    Ok(picture) => {
                        self.show(picture);
                        self.frames.pop_front()
                    }
                    Err(error) => Some(self.begin_anew(&error)),
                }
            }
            Task::FindLast => match self.state.store.latest().await {
                Ok(Some(meta)) => {
                    self.task = Task::Show(Box::new(meta));
                    None
                }
                Ok(None) => {
                    self.shown = None;
                    self.task = Task::Listen;
                    None
                }
                Err(error) => Some(self.begin_anew(&error)),
            },
        }
    }

    /// Takes up the picture that was read; none if it was deleted meanwhile, which the feed will tell.
    fn show(&mut self, picture: Option<Bytes>) {
        let Task::Show(meta) = std::mem::replace(&mut self.task, Task::Listen) else {
            return;
        };
        let Some(picture) = picture else { return };
        self.shown = Some(meta.id);
        self.frames
            .push_back(message::latest_update(&meta, picture.len()));
        let last = picture.len().div_ceil(FRAGMENT).saturating_sub(1);
        for index in 0..=last {
            let part = picture.slice(index * FRAGMENT..picture.len().min((index + 1) * FRAGMENT));
            self.frames
                .push_back(frame::fragment(part, index == 0, index == last));
        }
    }

    /// What could not be read now is missed; a new feed begins with the last image.
    fn begin_anew(&mut self, error: &StoreError) -> Frame {
        log::debug!("a viewer's feed begins anew: {error}");
        self.told = Self::follow(&self.state);
        self.task = Task::Listen;
        message::feed_state(ShownState::Interrupted)
    }
}
