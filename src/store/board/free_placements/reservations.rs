//! The areas that are occupied, by images on the board or by uploads in progress.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::Value;
use tokio::sync::watch;

use super::grid::{Area, Grid, display_size};
use crate::image::{ImageId, ImageMeta, Placement, RequestedPlacement, Timestamp};
use crate::store::rows::id_of;

/// The occupied areas that this server knows of.
pub(super) struct Reservations {
    occupancy: Mutex<Occupancy>,
    /// `true` while the current feed has delivered all initial values.
    is_loaded: watch::Sender<bool>,
}

#[derive(Default)]
struct Occupancy {
    grid: Grid,
    entries: HashMap<ImageId, Entry>,
    is_followed: bool,
    /// Number of the current feed, counted from 1.
    feed: u64,
}

struct Entry {
    /// Number of the last feed that contained the image, or that was open when the image was stored; `None` if it may
    /// never be stored.
    confirmed_by: Option<u64>,
    /// Uploads of this id in progress. More than one if a client repeats an upload before the first attempt ends.
    uploads: u32,
    /// The placement that all of them use.
    reserved: Placement,
}

/// A placement reserved for an upload in progress. Dropping it releases the placement, unless the image was stored.
pub(crate) struct Reservation {
    reservations: Arc<Reservations>,
    id: ImageId,
    placement: Placement,
    is_stored: bool,
}

/// The fields of a row that the feed delivers.
#[derive(Deserialize)]
struct Row {
    id: ImageId,
    x: f64,
    y: f64,
    w: f64,
    width: u32,
    height: u32,
}

impl Default for Reservations {
    fn default() -> Self {
        Self {
            occupancy: Mutex::default(),
            is_loaded: watch::Sender::new(false),
        }
    }
}

impl Reservations {
    /// Reserves a placement for an upload.
    pub(super) fn reserve(
        this: &Arc<Self>,
        meta: &ImageMeta,
        requested: RequestedPlacement,
    ) -> Reservation {
        Reservation {
            reservations: this.clone(),
            id: meta.id,
            placement: this.occupancy().reserve(meta, requested),
            is_stored: false,
        }
    }

    /// Waits until the current feed has delivered the whole board.
    pub(super) async fn loaded(&self) {
        let mut is_loaded = self.is_loaded.subscribe();
        let loaded = is_loaded.wait_for(|is_loaded| *is_loaded).await;
        loaded.expect("`self` keeps the channel open");
    }

    /// Returns `true` on the first call: the caller must then open the feed.
    pub(super) fn start_following(&self) -> bool {
        !std::mem::replace(&mut self.occupancy().is_followed, true)
    }

    pub(super) fn on_feed_opened(&self) {
        self.occupancy().feed += 1;
    }

    pub(super) fn on_change(&self, old: &Value, new: Value) {
        self.occupancy().on_change(old, new);
    }

    /// The current feed has delivered all initial values.
    pub(super) fn on_ready(&self) {
        self.occupancy().remove_unconfirmed();
        self.is_loaded.send_replace(true);
    }

    pub(super) fn on_feed_ended(&self) {
        self.is_loaded.send_replace(false);
    }

    fn occupancy(&self) -> MutexGuard<'_, Occupancy> {
        self.occupancy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The reserved placement.
    pub(crate) fn placement(&self) -> Placement {
        self.placement
    }

    /// Ends the reservation of an image that was stored at its placement.
    pub(crate) fn commit(mut self) {
        self.is_stored = true;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.reservations
            .occupancy()
            .release(self.id, self.is_stored);
    }
}

impl Occupancy {
    fn reserve(&mut self, meta: &ImageMeta, requested: RequestedPlacement) -> Placement {
        let id = meta.id;
        // Also if the image has been stored meanwhile by a faster upload of the same id: releasing a new entry, once the
        // database has refused this one, would free the cells of the stored image.
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.uploads += 1;
            return entry.reserved;
        }
        let (w, h) = display_size(meta.width, meta.height, requested.w);
        let area = match (requested.x, requested.y) {
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
            z: now(),
        };
        let entry = Entry {
            confirmed_by: None,
            uploads: 1,
            reserved: placement,
        };
        self.entries.insert(id, entry);
        placement
    }

    /// Ends an upload. The feed may deliver a stored image before or after this.
    fn release(&mut self, id: ImageId, is_stored: bool) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.uploads -= 1;
        if is_stored && self.is_followed {
            entry.confirmed_by = Some(self.feed);
        }
        if entry.uploads == 0 && entry.confirmed_by.is_none() {
            self.remove(id);
        }
    }

    fn on_change(&mut self, old: &Value, new: Value) {
        let Ok(row) = serde_json::from_value::<Row>(new) else {
            if let Some(id) = id_of(old) {
                self.on_removal(id);
            }
            return;
        };
        let (w, h) = display_size(row.width, row.height, Some(row.w));
        let (x, y) = (row.x, row.y);
        self.grid.set(row.id, Area { x, y, w, h });
        let entry = self.entries.entry(row.id).or_insert(Entry {
            confirmed_by: None,
            uploads: 0,
            reserved: Placement { x, y, w, z: now() },
        });
        entry.confirmed_by = Some(self.feed);
        if entry.uploads == 0 {
            (entry.reserved.x, entry.reserved.y, entry.reserved.w) = (x, y, row.w);
        }
    }

    fn on_removal(&mut self, id: ImageId) {
        match self.entries.get_mut(&id) {
            // The removal of an earlier image with this id. The entry belongs to the uploads, the last of which removes it.
            Some(entry) if entry.uploads > 0 => entry.confirmed_by = None,
            _ => self.remove(id),
        }
    }

    fn remove(&mut self, id: ImageId) {
        self.entries.remove(&id);
        self.grid.remove(id);
    }

    /// Removes every image that the current feed does not contain and no upload reserves: it was deleted while no feed was
    /// open.
    fn remove_unconfirmed(&mut self) {
        let feed = Some(self.feed);
        let gone: Vec<ImageId> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.uploads == 0 && entry.confirmed_by < feed)
            .map(|(&id, _)| id)
            .collect();
        gone.into_iter().for_each(|id| self.remove(id));
    }
}

/// The `z` of a new placement: the time puts later images in front without coordination between servers.
fn now() -> f64 {
    Timestamp::now().as_millis() as f64
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

    fn reserve(occupancy: &mut Occupancy, meta: &ImageMeta) -> Placement {
        occupancy.reserve(meta, RequestedPlacement::default())
    }

    /// The state while the first feed is open.
    fn followed() -> Occupancy {
        Occupancy {
            is_followed: true,
            feed: 1,
            ..Occupancy::default()
        }
    }

    #[test]
    fn a_failed_upload_releases_its_placement_and_a_stored_one_keeps_it() {
        let mut occupancy = followed();
        let metas = [meta(), meta(), meta(), meta()];
        assert_eq!(reserve(&mut occupancy, &metas[0]).x, 0.0);
        assert_eq!(reserve(&mut occupancy, &metas[1]).x, 264.0);
        occupancy.release(metas[0].id, false);
        assert_eq!(reserve(&mut occupancy, &metas[2]).x, 0.0);
        occupancy.release(metas[1].id, true);
        occupancy.release(metas[2].id, true);
        assert_eq!(reserve(&mut occupancy, &metas[3]).x, 528.0);
    }

    #[test]
    fn a_repeated_upload_shares_the_placement_of_the_first() {
        let mut occupancy = followed();
        let meta = meta();
        let first = reserve(&mut occupancy, &meta);
        assert_eq!(reserve(&mut occupancy, &meta), first);
        occupancy.release(meta.id, false);
        assert!(occupancy.entries.contains_key(&meta.id));
        occupancy.release(meta.id, true);
        assert!(occupancy.entries.contains_key(&meta.id));
    }

    #[test]
    fn a_late_repetition_does_not_release_the_placement_of_the_stored_image() {
        let mut occupancy = followed();
        let meta = meta();
        let first = reserve(&mut occupancy, &meta);
        occupancy.release(meta.id, true);
        occupancy.on_change(&Value::Null, row(&meta, first.x));
        assert_eq!(reserve(&mut occupancy, &meta), first);
        occupancy.release(meta.id, false);
        assert_eq!(reserve(&mut occupancy, &self::meta()).x, 264.0);
    }

    #[test]
    fn a_late_removal_of_an_earlier_image_does_not_end_the_upload_that_replaces_it() {
        let mut occupancy = followed();
        let meta = meta();
        occupancy.on_change(&Value::Null, row(&meta, 264.0));
        // The client uploads the purged image again before the feed delivers the removal.
        assert_eq!(reserve(&mut occupancy, &meta).x, 264.0);
        occupancy.on_change(&row(&meta, 264.0), Value::Null);
        occupancy.on_change(&Value::Null, row(&meta, 264.0));
        occupancy.release(meta.id, true);
        let free = [self::meta(), self::meta()].map(|meta| reserve(&mut occupancy, &meta).x);
        assert_eq!(free, [0.0, 528.0]);

        // The same for an upload that then fails.
        assert_eq!(reserve(&mut occupancy, &meta).x, 264.0);
        occupancy.on_change(&row(&meta, 264.0), Value::Null);
        occupancy.release(meta.id, false);
        assert!(!occupancy.entries.contains_key(&meta.id));
    }

    #[test]
    fn a_new_feed_corrects_what_was_missed_between_feeds() {
        let mut occupancy = followed();
        let (kept, gone, uploading, stored) = (meta(), meta(), meta(), meta());
        occupancy.on_change(&Value::Null, row(&kept, 0.0));
        occupancy.on_change(&Value::Null, row(&gone, 264.0));
        reserve(&mut occupancy, &uploading);
        reserve(&mut occupancy, &stored);
        occupancy.feed = 2;
        occupancy.on_change(&Value::Null, row(&kept, 2640.0));
        // Stored after the feed has read its key range, so it is delivered as a change after `ready`.
        occupancy.release(stored.id, true);
        occupancy.remove_unconfirmed();
        let contains = |meta: &ImageMeta| occupancy.entries.contains_key(&meta.id);
        assert!(contains(&kept) && contains(&uploading) && contains(&stored));
        assert!(!contains(&gone));
        let free = [meta(), meta(), meta()].map(|meta| reserve(&mut occupancy, &meta).x);
        assert_eq!(free, [0.0, 264.0, 1056.0]);
        occupancy.on_change(&row(&kept, 2640.0), Value::Null);
        assert!(!occupancy.entries.contains_key(&kept.id));
    }

    #[test]
    fn a_requested_position_is_reserved_too_and_released_if_no_feed_is_open() {
        let requested = RequestedPlacement {
            x: Some(10.0),
            y: Some(10.0),
            w: Some(100.0),
        };
        let mut occupancy = Occupancy::default();
        let (dropped, other) = (meta(), meta());
        assert_eq!(occupancy.reserve(&dropped, requested).x, 10.0);
        assert_eq!(reserve(&mut occupancy, &other).x, 264.0);
        occupancy.release(dropped.id, true);
        occupancy.release(other.id, true);
        assert!(occupancy.entries.is_empty());
    }

    #[test]
    fn rows_of_other_applications_are_ignored() {
        let mut occupancy = followed();
        occupancy.on_change(&Value::Null, json!({"id": 7}));
        occupancy.on_change(&json!({"id": "x"}), Value::Null);
        assert!(occupancy.entries.is_empty());
    }
}
