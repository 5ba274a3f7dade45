//! Gathers the initial records of a viewer into few messages, those near the viewer's view first.

use std::collections::{HashSet, VecDeque};

use super::follow::ViewerEvent;
use super::protocol::deflate::deflate;
use super::protocol::events::{self, ViewerFeedState};
use super::protocol::frame::{self, Frame};
use crate::image::{ImageId, ImageRecord};
use crate::store::Area;
use crate::web::record_json::RecordJson;

/// The size at which a batch is sent, in bytes before compression. With one more record it stays below 64 KiB.
const MAX_BATCH: usize = 56 << 10;

/// The size of the records that wait until those near the view are sent, in bytes. Beyond it they no longer wait.
const MAX_WAITING: usize = 1 << 20;

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
    /// Records to send next.
    near: Batch,
    /// Records to send after all that are near the view, in batches.
    far: VecDeque<Batch>,
    far_ids: HashSet<ImageId>,
    messages: VecDeque<Message>,
}

/// A message to send. Batches are encoded only when the outbox has room for them.
enum Message {
    Batch(Batch),
    Event(Frame),
}

/// JSON records, separated by commas.
#[derive(Default)]
struct Batch(String);

impl Batch {
    fn add(&mut self, json: &str) {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(json);
    }

    fn is_full(&self) -> bool {
        self.0.len() >= MAX_BATCH
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl InitialBatches {
    pub(crate) fn new(options: BatchOptions) -> Self {
        Self {
            options,
            is_initializing: false,
            near: Batch::default(),
            far: VecDeque::new(),
            far_ids: HashSet::new(),
            messages: VecDeque::new(),
        }
    }

    /// The next frame of the events so far.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        self.messages.pop_front().map(|message| match message {
            Message::Batch(batch) => self.encode(&batch),
            Message::Event(frame) => frame,
        })
    }

    /// Takes an event, which may yield any number of frames.
    pub(crate) fn push(&mut self, event: ViewerEvent<ImageRecord>) {
        match event {
            ViewerEvent::Update(record) if self.is_initializing => self.gather(&record),
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
                let state = events::feed_state(state);
                self.messages.push_back(Message::Event(state));
            }
        }
    }

    fn gather(&mut self, record: &ImageRecord) {
        let json = serde_json::to_string(&RecordJson::from(record));
        let json = json.expect("string keys and plain values");
        let id = record.meta.id;
        // A later version of a record must not overtake the earlier one.
        if self.far_ids.contains(&id) || !self.is_near(record) {
            self.far_ids.insert(id);
            if self.far.back().is_none_or(Batch::is_full) {
                self.far.push_back(Batch::default());
            }
            if let Some(last) = self.far.back_mut() {
                last.add(&json);
            }
            if self.far.len() * MAX_BATCH > MAX_WAITING {
                self.flush();
            }
        } else {
            self.near.add(&json);
            if self.near.is_full() {
                let batch = std::mem::take(&mut self.near);
                self.messages.push_back(Message::Batch(batch));
            }
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

    /// Sends everything that has been gathered.
    fn flush(&mut self) {
        let near = std::mem::take(&mut self.near);
        for batch in std::iter::once(near).chain(std::mem::take(&mut self.far)) {
            if !batch.is_empty() {
                self.messages.push_back(Message::Batch(batch));
            }
        }
        self.far_ids.clear();
    }

    fn encode(&self, batch: &Batch) -> Frame {
        let text = events::image_batch(&batch.0);
        if self.options.is_compressed {
            frame::compressed_text(&deflate(text.as_bytes()))
        } else {
            frame::text(&text)
        }
    }
}

#[cfg(test)]
mod tests {
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
            let images = event["data"]["images"].as_array();
            let name = event["event"].as_str().unwrap().to_owned();
            images.map_or(vec![name], |images| {
                let id = |image: &Value| image["id"].as_str().unwrap().to_owned();
                images.iter().map(id).collect()
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
        let ids = [1, 2, 0, 3].map(|at: usize| records[at].meta.id.to_string());
        let expected: Vec<String> = ids.into_iter().chain(["Feed:state".into()]).collect();
        assert_eq!(sent(&mut batches), expected);
        batches.push(ViewerEvent::Update(records[0].clone()));
        assert_eq!(sent(&mut batches), ["Image:update"]);
    }

    #[test]
    fn a_record_that_moves_into_the_view_meanwhile_is_not_overtaken() {
        let mut batches = batches(Some(VIEW));
        let far = record(5000.0);
        let mut moved = far.clone();
        moved.placement.x = 0.0;
        batches.push(ViewerEvent::Update(far.clone()));
        batches.push(ViewerEvent::Update(moved));
        let deleted = ViewerEvent::Delete {
            id: far.meta.id,
            by: None,
        };
        batches.push(deleted);
        let id = far.meta.id.to_string();
        assert_eq!(sent(&mut batches), [&id, &id, "Image:delete"]);
    }

    #[test]
    fn a_batch_has_at_most_64_kib() {
        let mut batches = batches(None);
        for at in 0..1000 {
            batches.push(ViewerEvent::Update(record(f64::from(at))));
        }
        batches.push(ViewerEvent::State(ViewerFeedState::Ready));
        let mut count = 0;
        while let Some(frame) = batches.next_frame() {
            assert!(frame.head.len() <= 64 << 10, "{}", frame.head.len());
            count += 1;
        }
        assert!((4..20).contains(&count), "{count}");
    }
}
