//! The initial records of viewers in few messages: those near the view first, and the newest first.
//!
//! Viewers that come at the same time get the same records. Those that look at the same part of the board then share
//! the encoded messages.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::protocol::batch::{image_batch, longest};
use super::protocol::deflate::deflate;
use super::protocol::frame::{self, Frame};
use crate::image::{ImageId, ImageMeta, ImageRecord};
use crate::store::{Area, CurrentImages};

/// The size of a message, in bytes before compression.
const MAX_BATCH: usize = 64 << 10;

/// The part of a message that is not records, in bytes.
const FRAME: usize = 1 << 10;

/// The number of records in the first batch: those of a screen, so that a slow line shows it soon. Each further batch
/// may be twice as long.
const FIRST_BATCH: usize = 160;

/// The most sets of batches that are remembered for others. Further ones replace the oldest.
const MAX_REMEMBERED: usize = 64;

/// The order and form in which a viewer wants the initial records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BatchOptions {
    /// The part of the board whose images come first.
    pub(crate) around: Option<Area>,
    /// The viewer understands compressed messages.
    pub(crate) is_compressed: bool,
}

/// The batches of one set of records, each encoded when the first viewer has room for it.
pub(crate) struct InitialBatches {
    images: CurrentImages,
    /// The images that the viewer may not see.
    unseen: HashSet<ImageId>,
    options: BatchOptions,
    /// Made by the first viewer. Others that come meanwhile wait for it.
    batches: OnceLock<Vec<Batch>>,
}

/// A message.
struct Batch {
    /// The indices of its records in the images.
    indices: Vec<u32>,
    /// The encoded message, if others may want it.
    frame: Mutex<Option<Frame>>,
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
    /// The batches of these images without the `unseen`: those that another viewer is being sent, or new ones.
    pub(crate) fn of(
        &self,
        images: &CurrentImages,
        unseen: &HashSet<ImageId>,
        options: BatchOptions,
    ) -> Arc<InitialBatches> {
        let new = || Arc::new(InitialBatches::new(images.clone(), unseen.clone(), options));
        // A guest of a moderated board, who sees other images than the next one.
        if !unseen.is_empty() {
            return new();
        }
        // A panic leaves nothing half changed.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|shared| shared.batches.strong_count() > 0);
        let known = all.iter().find_map(|shared| {
            let is_same = shared.options == options
                && std::ptr::addr_eq(shared.images.as_ptr(), Arc::as_ptr(images));
            is_same.then(|| shared.batches.upgrade())?
        });
        known.unwrap_or_else(|| {
            let batches = new();
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
    fn new(images: CurrentImages, unseen: HashSet<ImageId>, options: BatchOptions) -> Self {
        Self {
            images,
            unseen,
            options,
            batches: OnceLock::new(),
        }
    }

    /// The message with this number; none after the last one.
    pub(crate) fn frame(self: &Arc<Self>, number: usize) -> Option<Frame> {
        let batches = self.batches.get_or_init(|| self.split());
        let batch = batches.get(number)?;
        // Encoded while it is locked, so that others wait instead of encoding it too.
        let mut known = batch.frame.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = known.take().unwrap_or_else(|| self.encode(batch));
        // A viewer that is alone needs no message twice: a thousand of them, each with a view of its own, would keep
        // the board a thousand times.
        if Arc::strong_count(self) > 1 {
            *known = Some(frame.clone());
        }
        Some(frame)
    }

    fn encode(&self, batch: &Batch) -> Frame {
        let records: Vec<&ImageRecord> = batch.indices.iter().map(|at| self.record(*at)).collect();
        let text = image_batch(&records);
        if self.options.is_compressed {
            frame::compressed_text(&deflate(text.as_bytes()))
        } else {
            frame::text(&text)
        }
    }

    fn record(&self, index: u32) -> &ImageRecord {
        &self.images[index as usize]
    }

    /// Puts the images near the view first, and of these and of all others the newest. Divides them into messages.
    fn split(&self) -> Vec<Batch> {
        let mut order: Vec<u32> = (0..).take(self.images.len()).collect();
        order.retain(|index| !self.unseen.contains(&self.record(*index).meta.id));
        order.sort_by_cached_key(|index| {
            let record = self.record(*index);
            let is_far = self
                .options
                .around
                .is_some_and(|view| !is_near(record, view));
            let ImageMeta { created_at, id, .. } = record.meta;
            (is_far, std::cmp::Reverse((created_at, id)))
        });
        let mut batches = Vec::new();
        let (mut indices, mut length, mut most) = (Vec::new(), FRAME, FIRST_BATCH);
        for index in order {
            let added = longest(self.record(index));
            if indices.len() >= most || length + added > MAX_BATCH {
                most = indices.len().max(most) * 2;
                batches.push(Batch::of(std::mem::take(&mut indices)));
                length = FRAME;
            }
            indices.push(index);
            length += added;
        }
        if !indices.is_empty() {
            batches.push(Batch::of(indices));
        }
        batches
    }
}

impl Batch {
    fn of(indices: Vec<u32>) -> Self {
        Self {
            indices,
            frame: Mutex::new(None),
        }
    }
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

    /// The batches of records that a viewer sees all of.
    fn all(records: &[ImageRecord], options: BatchOptions) -> Arc<InitialBatches> {
        let batches = InitialBatches::new(records.into(), HashSet::new(), options);
        Arc::new(batches)
    }

    fn frames(batches: &Arc<InitialBatches>) -> Vec<Frame> {
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
        let batches = all(&records, options(Some(VIEW)));
        let sent: Vec<String> = frames(&batches).iter().flat_map(ids).collect();
        let expected =
            [2, 1, 3, 0].map(|at: usize| URL_SAFE_NO_PAD.encode(records[at].meta.id.as_bytes()));
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_batch_has_at_most_64_kib_and_the_first_is_short() {
        let records: Vec<ImageRecord> = (0..1000).map(|at| record(f64::from(at))).collect();
        let batches = all(&records, options(None));
        let frames = frames(&batches);
        assert!((4..20).contains(&frames.len()), "{}", frames.len());
        assert!(frames.iter().all(|frame| frame.head.len() <= 64 << 10));
        assert!(frames[0].head.len() < frames[1].head.len());
        assert_eq!(frames.iter().flat_map(ids).count(), records.len());
    }

    #[test]
    fn what_a_viewer_may_not_see_is_not_sent_and_its_batches_are_its_own() {
        let shared = SharedBatches::default();
        let images: CurrentImages = (0..3).map(|x| record(f64::from(x))).collect();
        let unseen = HashSet::from([images[1].meta.id]);
        let batches = shared.of(&images, &unseen, options(None));
        let sent = ids(&batches.frame(0).unwrap());
        assert_eq!(sent.len(), 2);
        let hidden = URL_SAFE_NO_PAD.encode(images[1].meta.id.as_bytes());
        assert!(!sent.contains(&hidden));
        assert!(!Arc::ptr_eq(
            &batches,
            &shared.of(&images, &unseen, options(None))
        ));
        assert!(batches.frame(1).is_none());
    }

    #[test]
    fn viewers_of_the_same_images_share_messages_while_one_is_being_sent_them() {
        let shared = SharedBatches::default();
        let images: CurrentImages = vec![record(0.0)].into();
        let first = shared.of(&images, &HashSet::new(), options(None));
        let same = shared.of(&images, &HashSet::new(), options(None));
        assert!(Arc::ptr_eq(&first, &same));
        let (one, other) = (first.frame(0).unwrap(), same.frame(0).unwrap());
        assert_eq!(one.head.as_ptr(), other.head.as_ptr());
        assert!(!Arc::ptr_eq(
            &first,
            &shared.of(&images, &HashSet::new(), options(Some(VIEW)))
        ));
        let later: CurrentImages = vec![record(0.0)].into();
        assert!(!Arc::ptr_eq(
            &first,
            &shared.of(&later, &HashSet::new(), options(None))
        ));
        drop(same);
        let alone = first.frame(0).unwrap();
        assert_eq!(alone, one);
        let batch = &first.batches.get().unwrap()[0];
        assert!(batch.frame.lock().unwrap().is_none(), "kept for nobody");
        drop(first);
        shared.of(&later, &HashSet::new(), options(None));
        assert_eq!(shared.0.lock().unwrap().len(), 1);
    }
}
