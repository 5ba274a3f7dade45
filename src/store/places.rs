//! Where images are put: by their uploader, or on the [`Grid`], beside what this server knows to be on the board.
//!
//! It knows the board from a changefeed of its own, which begins with the first upload that needs it, and the uploads that
//! are under way from their reservations. What is deleted keeps its place until it is purged, for it may be restored. Two
//! servers may still put two uploads of the same moment in one place: neither sees the other's until it is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::StreamExt as _;
use reql::r;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::feed::{Element, feed_options};
use super::grid::{Area, Grid, shown_size};
use super::{Inner, Store, StoreError};
use crate::image::{ImageId, ImageMeta, Placement, RequestedPlacement, Timestamp};

/// How many changes the database keeps for this feed, which is always read: more than a burst has.
const QUEUE: u32 = 10_000;

/// How long an upload waits until the board is known. Ten thousand images take some 0.3 s.
const KNOWN_LIMIT: Duration = Duration::from_secs(10);

/// How long to wait before a feed that broke off is opened again; uploads fail meanwhile anyway.
const PAUSE: Duration = Duration::from_millis(500);

/// What this server knows of the places on the board.
pub(super) struct FreePlacements {
    board: Mutex<Board>,
    /// Whether the feed has told everything that there is.
    is_known: watch::Sender<bool>,
}

#[derive(Default)]
struct Board {
    grid: Grid,
    known: HashMap<ImageId, Known>,
    is_followed: bool,
    /// The number of the feed that is read.
    feed: u64,
}

struct Known {
    /// The feed that named it last, or that was read when it was stored. None if it may never be stored.
    named_by: Option<u64>,
    /// How many uploads of this id are under way: more than one if it is repeated.
    uploads: u32,
    /// Where they all are to put it.
    reserved: Placement,
}

/// A place for an upload that is under way. When it is dropped, the place is free again, unless the image was stored.
pub(super) struct Reservation {
    places: Arc<FreePlacements>,
    id: ImageId,
    pub(super) placement: Placement,
    was_stored: bool,
}

/// What the feed tells of a row.
#[derive(Deserialize)]
struct Row {
    id: ImageId,
    x: f64,
    y: f64,
    w: f64,
    width: u32,
    height: u32,
}

impl Store {
    /// Finds a place for an image: where its uploader wants it, or on the grid, in front of the others.
    pub(super) async fn reserve(
        &self,
        meta: &ImageMeta,
        wanted: RequestedPlacement,
    ) -> Reservation {
        let places = &self.inner.places;
        if wanted.x.is_none() || wanted.y.is_none() {
            self.follow_places();
            let mut known = places.is_known.subscribe();
            if timeout(KNOWN_LIMIT, known.wait_for(|known| *known))
                .await
                .is_err()
            {
                log::warn!(
                    "image {} is put on a board that is not wholly known",
                    meta.id
                );
            }
        }
        let placement = places.board().reserve(meta, wanted);
        Reservation {
            places: places.clone(),
            id: meta.id,
            placement,
            was_stored: false,
        }
    }

    /// Begins to follow the board unless that is done already.
    fn follow_places(&self) {
        let mut board = self.inner.places.board();
        if std::mem::replace(&mut board.is_followed, true) {
            return;
        }
        let following = follow(Arc::downgrade(&self.inner), self.inner.places.clone());
        let stop: CancellationToken = self.inner.stop.clone();
        self.pool()
            .spawn(async move { stop.run_until_cancelled(following).await });
    }

    /// One feed, to its end.
    async fn places_feed(
        &self,
    ) -> Result<impl futures::Stream<Item = Result<Element, StoreError>> + use<>, StoreError> {
        let columns = ["x", "y", "w", "width", "height"];
        let rows = self.placements().pluck(r.expr("id"));
        let rows = columns
            .into_iter()
            .fold(rows, |rows, column| rows.with_arg(r.expr(column)));
        let options = feed_options(QUEUE).include_initial(true);
        self.follow(rows.changes(options)).await
    }
}

/// Follows the board until the store is gone.
async fn follow(store: Weak<Inner>, places: Arc<FreePlacements>) {
    while let Some(inner) = store.upgrade() {
        let feed = Store { inner }.places_feed().await;
        let error = match feed {
            Ok(feed) => places.read(feed).await,
            Err(error) => error,
        };
        log::debug!("the places on the board are read anew: {error}");
        sleep(PAUSE).await;
    }
}

impl FreePlacements {
    pub(super) fn new() -> Self {
        Self {
            board: Mutex::default(),
            is_known: watch::Sender::new(false),
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a feed to its end.
    async fn read(
        &self,
        feed: impl futures::Stream<Item = Result<Element, StoreError>>,
    ) -> StoreError {
        self.board().feed += 1;
        let mut feed = std::pin::pin!(feed);
        let end = loop {
            let element = match feed.next().await {
                Some(Ok(element)) => element,
                Some(Err(error)) => break error,
                None => break StoreError::FeedEnded("it was closed".to_owned()),
            };
            if let Some(error) = element.error {
                break StoreError::FeedEnded(error);
            }
            if element.state.as_deref() == Some("ready") {
                self.board().forget_unnamed();
                self.is_known.send_replace(true);
            } else {
                self.board().hear(element.old_val, element.new_val);
            }
        };
        self.is_known.send_replace(false);
        end
    }
}

impl Reservation {
    /// The image is stored there.
    pub(super) fn keep(mut self) {
        self.was_stored = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.places.board().release(self.id, self.was_stored);
    }
}

impl Board {
    fn reserve(&mut self, meta: &ImageMeta, wanted: RequestedPlacement) -> Placement {
        let id = meta.id;
        if let Some(known) = self.known.get_mut(&id).filter(|known| known.uploads > 0) {
            known.uploads += 1;
            return known.reserved;
        }
        let (w, h) = shown_size(meta.width, meta.height, wanted.w);
        let area = match (wanted.x, wanted.y) {
            (Some(x), Some(y)) => Area { x, y, w, h },
            (x, y) => {
                let free = self.grid.allocate(id, w, h);
                Area {
                    x: x.unwrap_or(free.x),
                    y: y.unwrap_or(free.y),
                    ..free
                }
            }
        };
        self.grid.set(id, area);
        let placement = Placement {
            x: area.x,
            y: area.y,
            w: area.w,
            // Any server can assign it, and what comes later lies in front.
            z: Timestamp::now().as_millis() as f64,
        };
        let known = Known {
            named_by: None,
            uploads: 1,
            reserved: placement,
        };
        self.known.insert(id, known);
        placement
    }

    /// An upload is over. Whether it was stored, the feed tells, or has told.
    fn release(&mut self, id: ImageId, was_stored: bool) {
        let Some(known) = self.known.get_mut(&id) else {
            return;
        };
        known.uploads -= 1;
        if was_stored && self.is_followed {
            known.named_by = Some(self.feed);
        }
        if known.uploads == 0 && known.named_by.is_none() {
            self.forget(id);
        }
    }

    /// What a feed says of a row.
    fn hear(&mut self, old: Value, new: Value) {
        let Ok(row) = serde_json::from_value::<Row>(new) else {
            if let Some(id) = old["id"].as_str().and_then(|id| id.parse().ok()) {
                self.forget(id);
            }
            return;
        };
        let (w, h) = shown_size(row.width, row.height, Some(row.w));
        let (x, y) = (row.x, row.y);
        self.grid.set(row.id, Area { x, y, w, h });
        let known = self.known.entry(row.id).or_insert(Known {
            named_by: None,
            uploads: 0,
            reserved: Placement { x, y, w, z: 0.0 },
        });
        known.named_by = Some(self.feed);
    }

    fn forget(&mut self, id: ImageId) {
        self.known.remove(&id);
        self.grid.remove(id);
    }

    /// The feed has named everything: the rest is gone, but for what is under way.
    fn forget_unnamed(&mut self) {
        let feed = Some(self.feed);
        let is_gone = |(&id, known): (&ImageId, &Known)| {
            (known.uploads == 0 && known.named_by < feed).then_some(id)
        };
        let gone: Vec<ImageId> = self.known.iter().filter_map(is_gone).collect();
        gone.into_iter().for_each(|id| self.forget(id));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::image::ImageType;

    fn meta() -> ImageMeta {
        ImageMeta {
            id: ImageId::new(),
            file_name: "cat.png".into(),
            alt: None,
            kind: ImageType::Png,
            size: 1,
            width: 100,
            height: 100,
            sha256: String::new(),
            author: None,
            damaged: false,
            created_at: Timestamp::now(),
        }
    }

    fn row(meta: &ImageMeta, x: f64) -> Value {
        json!({"id": meta.id, "x": x, "y": 0, "w": 240, "width": 100, "height": 100})
    }

    /// A board whose first feed is being read.
    fn followed() -> Board {
        Board {
            is_followed: true,
            feed: 1,
            ..Board::default()
        }
    }

    #[test]
    fn a_place_is_free_again_if_the_upload_fails_and_taken_if_it_does_not() {
        let mut board = followed();
        let metas = [meta(), meta(), meta(), meta()];
        let x = |board: &mut Board, number: usize| {
            board
                .reserve(&metas[number], RequestedPlacement::default())
                .x
        };
        assert_eq!((x(&mut board, 0), x(&mut board, 1)), (0.0, 264.0));
        board.release(metas[0].id, false);
        assert_eq!(x(&mut board, 2), 0.0);
        board.release(metas[1].id, true);
        board.release(metas[2].id, true);
        assert_eq!(x(&mut board, 3), 528.0);
    }

    #[test]
    fn a_repeated_upload_has_the_place_of_the_first() {
        let mut board = followed();
        let meta = meta();
        let first = board.reserve(&meta, RequestedPlacement::default());
        assert_eq!(board.reserve(&meta, RequestedPlacement::default()), first);
        board.release(meta.id, false);
        assert!(board.known.contains_key(&meta.id));
        board.release(meta.id, true);
        assert!(board.known.contains_key(&meta.id));
    }

    #[test]
    fn the_next_feed_corrects_what_was_missed() {
        let mut board = followed();
        let (kept, gone, under_way, stored) = (meta(), meta(), meta(), meta());
        board.hear(Value::Null, row(&kept, 0.0));
        board.hear(Value::Null, row(&gone, 264.0));
        board.reserve(&under_way, RequestedPlacement::default());
        board.reserve(&stored, RequestedPlacement::default());
        board.feed = 2;
        board.hear(Value::Null, row(&kept, 2640.0));
        // Stored after the feed has read its part of the table; the feed will tell it as a change.
        board.release(stored.id, true);
        board.forget_unnamed();
        let known = |meta: &ImageMeta| board.known.contains_key(&meta.id);
        assert!(known(&kept) && known(&under_way) && known(&stored) && !known(&gone));
        let free = [meta(), meta(), meta()]
            .map(|meta| board.reserve(&meta, RequestedPlacement::default()).x);
        assert_eq!(free, [0.0, 264.0, 1056.0]);
        board.hear(row(&kept, 2640.0), Value::Null);
        assert!(!board.known.contains_key(&kept.id));
    }

    #[test]
    fn an_upload_with_a_place_is_kept_free_too_and_forgotten_where_nobody_follows() {
        let place = RequestedPlacement {
            x: Some(10.0),
            y: Some(10.0),
            w: Some(100.0),
        };
        let mut board = Board::default();
        let (dropped, other) = (meta(), meta());
        assert_eq!(board.reserve(&dropped, place).x, 10.0);
        assert_eq!(
            board.reserve(&other, RequestedPlacement::default()).x,
            264.0
        );
        board.release(dropped.id, true);
        board.release(other.id, true);
        assert!(board.known.is_empty());
    }

    #[test]
    fn rows_that_are_no_images_are_left_out() {
        let mut board = followed();
        board.hear(Value::Null, json!({"id": 7}));
        board.hear(json!({"id": "x"}), Value::Null);
        assert!(board.known.is_empty());
    }
}
