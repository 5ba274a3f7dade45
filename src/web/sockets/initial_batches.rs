//! Gathers the initial records of a viewer into few messages: those near its view first, and the newest first.

use std::collections::{HashMap, VecDeque};

use super::follow::ViewerEvent;
use super::protocol::batch::{image_batch, longest};
use super::protocol::deflate::deflate;
use super::protocol::events::{self, ViewerFeedState};
use super::protocol::frame::{self, Frame};
use crate::image::{ImageId, ImageRecord};
use crate::store::Area;

/// The size of a message, in bytes before compression.
const MAX_BATCH: usize = 64 << 10;

/// The part of a message that is not records, in bytes.
const FRAME: usize = 1 << 10;

/// The number of records in the first batch: those of a screen, so that a slow line shows it soon. Each further batch may be
/// twice as long.
const FIRST_BATCH: usize = 160;

/// The number of records that are gathered before any is sent, so that they can be put into order: about 2 MiB.
const MAX_GATHERED: usize = 3_000;

/// How a viewer wants the initial records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BatchOptions {
    /// The part of the board whose images come first.
    pub(crate) around: Option<Area>,
    /// The viewer understands compressed messages.
    pub(crate) is_compressed: bool,
}

/// Translates the events of a board's feed into frames. While the feed is initializing, records are gathered.
pub(crate) struct InitialBatches {
    options: BatchOptions,
    is_initializing: bool,
    gathered: Vec<ImageRecord>,
    /// The places in `gathered`: of an image that changes meanwhile, only the latest record is sent.
    places: HashMap<ImageId, usize>,
    /// The largest number of records in the next batch.
    batch_length: usize,
    messages: VecDeque<Message>,
}

/// A message to send. Batches are encoded only when the outbox has room for them.
enum Message {
    Batch(Vec<ImageRecord>),
    Event(Frame),
}

impl InitialBatches {
    pub(crate) fn new(options: BatchOptions) -> Self {
        Self {
            options,
            is_initializing: false,
            gathered: Vec::new(),
            places: HashMap::new(),
            batch_length: FIRST_BATCH,
            messages: VecDeque::new(),
        }
    }

    /// The next frame of the events so far.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        self.messages.pop_front().map(|message| match message {
            Message::Batch(records) => self.encode(&records),
            Message::Event(frame) => frame,
        })
    }

    /// Takes an event, which may yield any number of frames.
    pub(crate) fn push(&mut self, event: ViewerEvent<ImageRecord>) {
        match event {
            ViewerEvent::Update(record) if self.is_initializing => self.gather(record),
            ViewerEvent::Update(record) => {
                let update = events::image_update(&record);
                self.messages.push_back(Message::Event(update));
            }
            ViewerEvent::Delete { id, by } => {
                self.flush();
                let delete = events::image_delete(id, by.as_deref());
                self.messages.push_back(Message::Event(delete));
            }
            ViewerEvent::State(state) => {
                self.flush();
                self.is_initializing = state == ViewerFeedState::Initializing;
                self.batch_length = FIRST_BATCH;
                let state = events::feed_state(state);
                self.messages.push_back(Message::Event(state));
            }
        }
    }

    fn gather(&mut self, record: ImageRecord) {
        if let Some(&place) = self.places.get(&record.meta.id) {
            self.gathered[place] = record;
            return;
        }
        self.places.insert(record.meta.id, self.gathered.len());
        self.gathered.push(record);
        if self.gathered.len() >= MAX_GATHERED {
            self.flush();
        }
    }

    /// Sends everything that has been gathered: the images near the view first, and of these and of all others the newest.
    fn flush(&mut self) {
        self.places = HashMap::new();
        let mut records = std::mem::take(&mut self.gathered);
        records.sort_by_cached_key(|record| {
            (!self.is_near(record), std::cmp::Reverse(record.meta.id))
        });
        let mut batch = Vec::new();
        let mut length = FRAME;
        for record in records {
            let added = longest(&record);
            if batch.len() >= self.batch_length || length + added > MAX_BATCH {
                self.batch_length = batch.len().max(self.batch_length) * 2;
                self.messages
                    .push_back(Message::Batch(std::mem::take(&mut batch)));
                length = FRAME;
            }
            length += added;
            batch.push(record);
        }
        if !batch.is_empty() {
            self.messages.push_back(Message::Batch(batch));
        }
    }

    /// Returns `true` for an image in the requested part of the board or within half its size around.
    fn is_near(&self, record: &ImageRecord) -> bool {
        let Some(Area { x, y, w, h }) = self.options.around else {
            return true;
        };
        let placement = record.placement;
        let aspect = f64::from(record.meta.height) / f64::from(record.meta.width.max(1));
        let (right, bottom) = (
            placement.x + placement.w,
            placement.y + placement.w * aspect,
        );
        placement.x < x + 1.5 * w
            && right > x - 0.5 * w
            && placement.y < y + 1.5 * h
            && bottom > y - 0.5 * h
    }

    fn encode(&self, records: &[ImageRecord]) -> Frame {
        let text = image_batch(records);
        if self.options.is_compressed {
            frame::compressed_text(&deflate(text.as_bytes()))
        } else {
            frame::text(&text)
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::*;

    const VIEW: Area = Area {
        x: 0.0,
        y: 0.0,
        w: 100.0,
        h: 100.0,
    };

    fn record(x: f64) -> ImageRecord {
        let mut record = ImageRecord::example();
        record.meta.id = ImageId::new();
        record.placement.x = x;
        record
    }

    fn sent_id(record: &ImageRecord) -> String {
        URL_SAFE_NO_PAD.encode(record.meta.id.as_bytes())
    }

    fn batches(around: Option<Area>) -> InitialBatches {
        let mut batches = InitialBatches::new(BatchOptions {
            around,
            is_compressed: false,
        });
        batches.push(ViewerEvent::State(ViewerFeedState::Initializing));
        batches.next_frame().unwrap();
        batches
    }

    /// The events of the frames that are ready: the ids of a batch, or the name of another event.
    fn sent(batches: &mut InitialBatches) -> Vec<String> {
        let frames = std::iter::from_fn(|| batches.next_frame());
        let text = |frame: Frame| {
            let payload = match frame.head[1] {
                126 => 4,
                127 => 10,
                _ => 2,
            };
            let event: Value = serde_json::from_slice(&frame.head[payload..]).unwrap();
            let ids = event["data"]["id"].as_array();
            let name = event["event"].as_str().unwrap().to_owned();
            ids.map_or(vec![name], |ids| {
                let id = |id: &Value| id.as_str().unwrap().to_owned();
                ids.iter().map(id).collect()
            })
        };
        frames.flat_map(text).collect()
    }

    #[test]
    fn records_near_the_view_come_first_and_all_before_ready() {
        let mut batches = batches(Some(VIEW));
        let records = [-5000.0, 10.0, 140.0, 5000.0].map(record);
        for record in &records {
            batches.push(ViewerEvent::Update(record.clone()));
        }
        assert!(sent(&mut batches).is_empty());
        batches.push(ViewerEvent::State(ViewerFeedState::Ready));
        let ids = [2, 1, 3, 0].map(|at: usize| sent_id(&records[at]));
        let expected: Vec<String> = ids.into_iter().chain(["Feed:state".into()]).collect();
        assert_eq!(sent(&mut batches), expected);
        batches.push(ViewerEvent::Update(records[0].clone()));
        assert_eq!(sent(&mut batches), ["Image:update"]);
    }

    #[test]
    fn of_a_record_that_changes_meanwhile_only_the_latest_is_sent() {
        let mut batches = batches(Some(VIEW));
        let far = record(5000.0);
        let near = record(0.0);
        let mut moved = far.clone();
        moved.placement.x = 0.0;
        for record in [&far, &near, &moved] {
            batches.push(ViewerEvent::Update(record.clone()));
        }
        let deleted = ViewerEvent::Delete {
            id: far.meta.id,
            by: None,
        };
        batches.push(deleted);
        let mut ids = [sent_id(&near), sent_id(&far), "Image:delete".into()];
        // Both are near now, so the newer one is first.
        ids[..2].sort_by(|a, b| b.cmp(a));
        assert_eq!(sent(&mut batches), ids);
    }

    #[test]
    fn a_batch_has_at_most_64_kib() {
        let mut batches = batches(None);
        for at in 0..1000 {
            batches.push(ViewerEvent::Update(record(f64::from(at))));
        }
        batches.push(ViewerEvent::State(ViewerFeedState::Ready));
        let mut lengths = Vec::new();
        while let Some(frame) = batches.next_frame() {
            assert!(frame.head.len() <= 64 << 10, "{}", frame.head.len());
            lengths.push(frame.head.len());
        }
        assert!((4..20).contains(&lengths.len()), "{lengths:?}");
        assert!(lengths[0] < lengths[1], "{lengths:?}");
    }
}
