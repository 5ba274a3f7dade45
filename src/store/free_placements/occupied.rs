//! The areas of the images on the board, as this server knows them from its feed.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::area::{Area, tile_aspect};
use crate::image::{ImageId, Timestamp};
use crate::store::limits::BoardUsage;
use crate::store::rows::{id_of, is_deleted};

/// Side of a bucket of the spatial index, in board units: about two images.
const BUCKET: f64 = 512.0;

/// The largest number of buckets that an image is entered in. One that covers more is compared with every area instead.
const MAX_BUCKETS: usize = 4096;

/// Images beyond this distance from the origin do not count as part of the board's layout: room beside them could
/// exceed the largest coordinate.
const FAR: f64 = 5e6;

/// The number of images from which outliers are left out of the bounds.
const MIN_FOR_OUTLIERS: usize = 20;

/// The share of images that may lie outside the bounds on each side.
const OUTLIERS: f64 = 0.05;

/// The images on the board, including deleted ones that can be restored, indexed by area.
#[derive(Debug, Default)]
pub(super) struct Occupied {
    images: HashMap<ImageId, Image>,
    buckets: HashMap<(i64, i64), Vec<ImageId>>,
    /// Images that cover too many buckets.
    huge: Vec<ImageId>,
    /// Of the images that are not deleted.
    usage: BoardUsage,
    /// The time of the newest image so far, also of one that has been deleted.
    newest: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Image {
    area: Area,
    is_deleted: bool,
    /// The size of the file.
    bytes: u64,
}

/// The fields of a row that determine its area, the size of its file, and its time.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: ImageId,
    x: f64,
    y: f64,
    w: f64,
    width: u32,
    height: u32,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    created_at: Option<Timestamp>,
}

impl Occupied {
    /// Applies a change of the feed. Ignores rows of other applications.
    pub(super) fn apply(&mut self, old: &Value, new: Value) {
        let is_deleted = is_deleted(&new);
        match serde_json::from_value::<Row>(new) {
            Ok(row) => {
                let area = Area {
                    x: row.x,
                    y: row.y,
                    w: row.w,
                    h: row.w / tile_aspect(row.width, row.height),
                };
                let image = Image {
                    area,
                    is_deleted,
                    bytes: row.size,
                };
                self.insert(row.id, image);
                if let Some(at) = row.created_at {
                    self.set_newest(at);
                }
            }
            Err(_) => {
                if let Some(id) = id_of(old) {
                    self.remove(id);
                }
            }
        }
    }

    /// Sets the area of an image.
    #[cfg(test)]
    pub(super) fn set(&mut self, id: ImageId, area: Area, is_deleted: bool) {
        let image = Image {
            area,
            is_deleted,
            bytes: 0,
        };
        self.insert(id, image);
    }

    fn insert(&mut self, id: ImageId, image: Image) {
        self.remove(id);
        self.images.insert(id, image);
        if !image.is_deleted {
            self.usage.images += 1;
            self.usage.bytes += image.bytes;
        }
        let area = image.area;
        match buckets(area) {
            Some(buckets) => {
                for bucket in buckets {
                    self.buckets.entry(bucket).or_default().push(id);
                }
            }
            None => self.huge.push(id),
        }
    }

    fn remove(&mut self, id: ImageId) {
        let Some(image) = self.images.remove(&id) else {
            return;
        };
        if !image.is_deleted {
            self.usage.images -= 1;
            self.usage.bytes -= image.bytes;
        }
        let area = image.area;
        let Some(buckets) = buckets(area) else {
            self.huge.retain(|&huge| huge != id);
            return;
        };
        for bucket in buckets {
            if let Some(ids) = self.buckets.get_mut(&bucket) {
                ids.retain(|&other| other != id);
                if ids.is_empty() {
                    self.buckets.remove(&bucket);
                }
            }
        }
    }

    /// Moves an image that lies at one of these areas. The feed delivers the change later.
    pub(super) fn move_image(&mut self, id: ImageId, from: &[Area], to: Area) {
        if let Some(&image) = self.images.get(&id)
            && from.iter().any(|from| from.is_at(image.area))
        {
            self.insert(id, Image { area: to, ..image });
        }
    }

    /// The number and the bytes of the images that are not deleted. Counted as they change, so asking costs nothing.
    pub(super) fn usage(&self) -> BoardUsage {
        self.usage
    }

    /// The time of the newest image.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// Sets the time of the newest image. The feed delivers it later.
    pub(super) fn set_newest(&mut self, at: Timestamp) {
        self.newest = self.newest.max(Some(at));
    }

    /// Returns `true` for an image that is on the board and not deleted.
    pub(super) fn is_shown(&self, id: ImageId) -> bool {
        self.images.get(&id).is_some_and(|image| !image.is_deleted)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    pub(super) fn area_of(&self, id: ImageId) -> Option<Area> {
        self.images.get(&id).map(|image| image.area)
    }

    /// The areas that overlap `area`, in no order. An image can be returned more than once.
    pub(super) fn overlapping(&self, area: Area) -> impl Iterator<Item = (ImageId, Area)> {
        let (indexed, all) = match buckets(area) {
            Some(buckets) => (Some(buckets), None),
            None => (None, Some(self.images.keys())),
        };
        let indexed = indexed
            .into_iter()
            .flatten()
            .filter_map(|bucket| self.buckets.get(&bucket))
            .flatten();
        indexed
            .chain(&self.huge)
            .chain(all.into_iter().flatten())
            .map(|id| (*id, self.images[id].area))
            .filter(move |(_, other)| other.overlaps(area))
    }

    /// The bounds of the images that are shown, without outliers; `None` if there are none.
    pub(super) fn bounds(&self) -> Option<Area> {
        let near = |area: &Area| {
            [area.x, area.y, area.right(), area.bottom()]
                .iter()
                .all(|edge| edge.abs() < FAR)
        };
        let shown = self.images.values().filter(|image| !image.is_deleted);
        let areas: Vec<Area> = shown.map(|image| image.area).filter(near).collect();
        if areas.is_empty() {
            return None;
        }
        let left = quantile(&areas, OUTLIERS, |area| area.x);
        let top = quantile(&areas, OUTLIERS, |area| area.y);
        let right = quantile(&areas, 1.0 - OUTLIERS, |area| area.right());
        let bottom = quantile(&areas, 1.0 - OUTLIERS, |area| area.bottom());
        Some(Area {
            x: left,
            y: top,
            w: (right - left).max(0.0),
            h: (bottom - top).max(0.0),
        })
    }
}

/// The edge that a share of the areas does not exceed. For few areas, the extreme edge.
fn quantile(areas: &[Area], share: f64, edge: impl Fn(Area) -> f64) -> f64 {
    let mut edges: Vec<f64> = areas.iter().map(|&area| edge(area)).collect();
    let share = if edges.len() < MIN_FOR_OUTLIERS {
        share.round()
    } else {
        share
    };
    let at = ((edges.len() - 1) as f64 * share).round() as usize;
    *edges.select_nth_unstable_by(at, f64::total_cmp).1
}

/// The buckets that an area overlaps; `None` if they are too many.
fn buckets(area: Area) -> Option<impl Iterator<Item = (i64, i64)>> {
    // Casting saturates, and maps NaN to 0.
    let of = |edge: f64| (edge / BUCKET).floor() as i64;
    let (left, right) = (of(area.x), of(area.right()).max(of(area.x)));
    let (top, bottom) = (of(area.y), of(area.bottom()).max(of(area.y)));
    let count = (right.saturating_sub(left).saturating_add(1) as u64)
        .saturating_mul(bottom.saturating_sub(top).saturating_add(1) as u64);
    (count <= MAX_BUCKETS as u64)
        .then(|| (left..=right).flat_map(move |x| (top..=bottom).map(move |y| (x, y))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::rows::DELETED_AT;

    fn area(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    fn overlapped(occupied: &Occupied, area: Area) -> usize {
        let ids: std::collections::HashSet<ImageId> =
            occupied.overlapping(area).map(|(id, _)| id).collect();
        ids.len()
    }

    #[test]
    fn an_image_is_found_wherever_it_was_moved_last() {
        let mut occupied = Occupied::default();
        let id = ImageId::new();
        let row = |x: f64| json!({"id": id, "x": x, "y": -700, "w": 300, "width": 2, "height": 1});
        occupied.apply(&Value::Null, row(500.0));
        assert_eq!(
            occupied.area_of(id),
            Some(area(500.0, -700.0, 300.0, 150.0))
        );
        assert_eq!(overlapped(&occupied, area(790.0, -560.0, 50.0, 50.0)), 1);
        occupied.apply(&row(500.0), row(-9000.0));
        assert_eq!(overlapped(&occupied, area(790.0, -560.0, 50.0, 50.0)), 0);
        assert_eq!(overlapped(&occupied, area(-9010.0, -700.0, 50.0, 50.0)), 1);
        // Touching is not overlapping.
        assert_eq!(overlapped(&occupied, area(-8700.0, -700.0, 50.0, 50.0)), 0);
        occupied.apply(&row(-9000.0), Value::Null);
        assert!(occupied.is_empty() && occupied.buckets.is_empty());
    }

    #[test]
    fn huge_images_and_huge_searches_are_compared_directly() {
        let mut occupied = Occupied::default();
        let (huge, small) = (ImageId::new(), ImageId::new());
        occupied.set(huge, area(-1e5, -1e5, 2e5, 2e5), false);
        occupied.set(small, area(3e5, 0.0, 10.0, 10.0), false);
        assert_eq!(overlapped(&occupied, area(9e4, 9e4, 1.0, 1.0)), 1);
        assert_eq!(overlapped(&occupied, area(-1e7, -1e7, 2e7, 2e7)), 2);
        occupied.set(huge, area(0.0, 0.0, 1.0, 1.0), false);
        assert_eq!(overlapped(&occupied, area(9e4, 9e4, 1.0, 1.0)), 0);
        assert!(occupied.huge.is_empty());
        occupied.set(huge, area(f64::NAN, f64::INFINITY, f64::NAN, 1.0), false);
        assert_eq!(overlapped(&occupied, area(3e5, 0.0, 1.0, 1.0)), 1);
    }

    #[test]
    fn the_bounds_leave_out_deleted_images_and_outliers() {
        let mut occupied = Occupied::default();
        assert_eq!(occupied.bounds(), None);
        for number in 0..40 {
            let x = f64::from(number % 10) * 100.0;
            let y = f64::from(number / 10) * 100.0;
            occupied.set(ImageId::new(), area(x, y, 90.0, 90.0), false);
        }
        let bounds = Some(area(0.0, 0.0, 990.0, 390.0));
        assert_eq!(occupied.bounds(), bounds);
        occupied.set(ImageId::new(), area(2000.0, 0.0, 90.0, 90.0), true);
        occupied.set(ImageId::new(), area(4e4, -7e4, 90.0, 90.0), false);
        occupied.set(ImageId::new(), area(9e6, 0.0, 90.0, 90.0), false);
        assert_eq!(occupied.bounds(), bounds);
    }

    #[test]
    fn images_and_bytes_are_counted_without_those_in_the_bin() {
        let mut occupied = Occupied::default();
        let (one, other) = (ImageId::new(), ImageId::new());
        let row = |id: ImageId, size: u64| json!({"id": id, "x": 0, "y": 0, "w": 100, "width": 4, "height": 3, "size": size});
        let mut deleted = row(other, 7);
        deleted[DELETED_AT] = json!("2025-01-31T12:00:00.000Z");
        let mut count = |old: Value, new: Value| {
            occupied.apply(&old, new);
            let BoardUsage { images, bytes } = occupied.usage();
            (images, bytes)
        };
        assert_eq!(count(Value::Null, row(one, 5)), (1, 5));
        assert_eq!(count(Value::Null, row(other, 7)), (2, 12));
        assert_eq!(count(row(other, 7), row(other, 7)), (2, 12));
        assert_eq!(count(row(other, 7), deleted.clone()), (1, 5));
        assert_eq!(count(deleted, Value::Null), (1, 5));
        assert_eq!(count(row(one, 5), Value::Null), (0, 0));
    }
}
