//! The initial records of viewers in few messages: those near the view first, and the newest first.
//!
//! Viewers that come at the same time get the same records. Those that look at the same part of the board then share the
//! encoded messages.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::protocol::batch::{image_batch, longest};
use super::protocol::deflate::deflate;
use super::protocol::frame::{self, Frame};
use crate::image::{ImageMeta, ImageRecord};
use crate::store::{Area, CurrentImages};

/// The size of a message, in bytes before compression.
const MAX_BATCH: usize = 64 << 10;

/// The part of a message that is not records, in bytes.
const FRAME: usize = 1 << 10;

/// The number of records in the first batch: those of a screen, so that a slow line shows it soon. Each further batch may be
/// twice as long.
const FIRST_BATCH: usize = 160;

/// The most sets of batches that are remembered for others. Further ones replace the oldest.
const MAX_REMEMBERED: usize = 64;

/// How a viewer wants the initial records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BatchOptions {
    /// The part of the board whose images come first.
    pub(crate) around: Option<Area>,
    /// The viewer understands compressed messages.
    pub(crate) is_compressed: bool,
}

/// The batches of one set of records, each encoded when the first viewer has room for it.
pub(crate) struct InitialBatches {
    is_compressed: bool,
    records: Vec<ImageRecord>,
    batches: Vec<(Range<usize>, OnceLock<Frame>)>,
}

/// The batches that some viewer has yet to be sent. Shared by all sessions.
#[derive(Default)]
pub(crate) struct SharedBatches(Mutex<VecDeque<Shared>>);

struct Shared {
    images: Weak<[ImageRecord]>,
    options: BatchOptions,
    batches: Weak<InitialBatches>,
}

impl SharedBatches {
    /// The batches of these images: those that another viewer is being sent, or new ones.
    pub(crate) fn of(&self, images: &CurrentImages, options: BatchOptions) -> Arc<InitialBatches> {
        // Locked while the records are sorted, so that others wait instead of sorting them too. A panic leaves nothing half
        // changed.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|shared| shared.batches.strong_count() > 0);
        let known = all.iter().find_map(|shared| {
            let is_same = shared.options == options
                && std::ptr::addr_eq(shared.images.as_ptr(), Arc::as_ptr(images));
            is_same.then(|| shared.batches.upgrade())?
        });
        known.unwrap_or_else(|| {
            let batches = Arc::new(InitialBatches::new(images, options));
            if all.len() == MAX_REMEMBERED {
                all.pop_front();
            }
            all.push_back(Shared {
                images: Arc::downgrade(images),
                options,
                batches: Arc::downgrade(&batches),
            });
            batches
        })
    }
}

impl InitialBatches {
    /// Puts the images near the view first, and of these and of all others the newest.
    fn new(images: &[ImageRecord], options: BatchOptions) -> Self {
        let mut order: Vec<&ImageRecord> = images.iter().collect();
        order.sort_by_cached_key(|record| {
            let is_far = options.around.is_some_and(|view| !is_near(record, view));
            let ImageMeta { created_at, id, .. } = record.meta;
            (is_far, std::cmp::Reverse((created_at, id)))
        });
        let records: Vec<ImageRecord> = order.into_iter().cloned().collect();
        let batches = split(&records);
        Self {
            is_compressed: options.is_compressed,
            batches: batches
                .into_iter()
                .map(|batch| (batch, OnceLock::new()))
                .collect(),
            records,
        }
    }

    /// The message with this number; none after the last one.
    pub(crate) fn frame(&self, number: usize) -> Option<Frame> {
        let (batch, frame) = self.batches.get(number)?;
        let frame = frame.get_or_init(|| self.encode(&self.records[batch.clone()]));
        Some(frame.clone())
    }

    fn encode(&self, records: &[ImageRecord]) -> Frame {
        let text = image_batch(records);
        if self.is_compressed {
            frame::compressed_text(&deflate(text.as_bytes()))
        } else {
            frame::text(&text)
        }
    }
}

/// Divides records into batches.
fn split(records: &[ImageRecord]) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let (mut start, mut length, mut most) = (0, FRAME, FIRST_BATCH);
    for (at, record) in records.iter().enumerate() {
        let added = longest(record);
        if at - start >= most || length + added > MAX_BATCH {
            batches.push(start..at);
            most = (at - start).max(most) * 2;
            (start, length) = (at, FRAME);
        }
        length += added;
    }
    if start < records.len() {
        batches.push(start..records.len());
    }
    batches
}

/// Returns `true` for an image in a part of the board or within half its size around.
fn is_near(record: &ImageRecord, Area { x, y, w, h }: Area) -> bool {
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    use super::*;
    use crate::image::ImageId;

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

    fn options(around: Option<Area>) -> BatchOptions {
        BatchOptions {
            around,
            is_compressed: false,
        }
    }

    fn frames(batches: &InitialBatches) -> Vec<Frame> {
        (0..).map_while(|number| batches.frame(number)).collect()
    }

    /// The ids in a message.
    fn ids(frame: &Frame) -> Vec<String> {
        let payload = match frame.head[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let event: Value = serde_json::from_slice(&frame.head[payload..]).unwrap();
        assert_eq!(event["event"], "Image:batch");
        let ids = event["data"]["id"].as_array().unwrap();
        ids.iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn records_near_the_view_come_first_and_of_these_the_newest() {
        let records = [-5000.0, 10.0, 140.0, 5000.0].map(record);
        let batches = InitialBatches::new(&records, options(Some(VIEW)));
        let sent: Vec<String> = frames(&batches).iter().flat_map(ids).collect();
        let expected =
            [2, 1, 3, 0].map(|at: usize| URL_SAFE_NO_PAD.encode(records[at].meta.id.as_bytes()));
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_batch_has_at_most_64_kib_and_the_first_is_short() {
        let records: Vec<ImageRecord> = (0..1000).map(|at| record(f64::from(at))).collect();
        let batches = InitialBatches::new(&records, options(None));
        let frames = frames(&batches);
        assert!((4..20).contains(&frames.len()), "{}", frames.len());
        assert!(frames.iter().all(|frame| frame.head.len() <= 64 << 10));
        assert!(frames[0].head.len() < frames[1].head.len());
        assert_eq!(frames.iter().flat_map(ids).count(), records.len());
    }

    #[test]
    fn viewers_of_the_same_images_share_messages_while_one_is_being_sent_them() {
        let shared = SharedBatches::default();
        let images: CurrentImages = vec![record(0.0)].into();
        let first = shared.of(&images, options(None));
        let same = shared.of(&images, options(None));
        assert!(Arc::ptr_eq(&first, &same));
        let (one, other) = (first.frame(0).unwrap(), same.frame(0).unwrap());
        assert_eq!(one.head.as_ptr(), other.head.as_ptr());
        assert!(!Arc::ptr_eq(
            &first,
            &shared.of(&images, options(Some(VIEW)))
        ));
        let later: CurrentImages = vec![record(0.0)].into();
        assert!(!Arc::ptr_eq(&first, &shared.of(&later, options(None))));
        drop((first, same));
        shared.of(&later, options(None));
        assert_eq!(shared.0.lock().unwrap().len(), 1);
    }
}
