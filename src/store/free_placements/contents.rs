//! What a board holds: the images that the feed has delivered, and those that are being stored.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;

use super::layout::Move;
use super::occupied::Occupied;
use crate::image::{ImageId, Timestamp};
use crate::store::limits::{BoardFull, BoardLimits, BoardUsage};
use crate::store::rows::id_of;

/// Time by which clocks of several servers differ without a warning, in milliseconds.
const TOLERATED_CLOCK_MS: i64 = 60_000;

/// The images on a board.
#[derive(Default)]
pub(super) struct BoardContents {
    occupied: Occupied,
    pending: HashMap<ImageId, Pending>,
    has_warned_of_clock: bool,
}

/// An image that counts although the feed has not delivered it.
struct Pending {
    bytes: u64,
    /// The operations that store it: an upload may be repeated before the first attempt has ended.
    operations: usize,
}

impl BoardContents {
    /// The areas of the images that the feed has delivered.
    pub(super) fn occupied(&self) -> &Occupied {
        &self.occupied
    }

    /// Replaces the images by those that have been read.
    pub(super) fn set(&mut self, occupied: Occupied) {
        self.pending.retain(|&id, _| !occupied.is_shown(id));
        self.occupied = occupied;
    }

    /// Applies a change of the feed.
    pub(super) fn apply(&mut self, old: &Value, new: Value) {
        let id = id_of(&new);
        self.occupied.apply(old, new);
        // It counts as an image on the board from now on.
        if let Some(id) = id.filter(|&id| self.occupied.is_shown(id)) {
            self.pending.remove(&id);
        }
    }

    /// Applies a move that has been written.
    pub(super) fn move_image(&mut self, id: ImageId, planned: &Move) {
        self.occupied.move_image(id, &planned.from, planned.to);
    }

    /// Counts an image from now on if the board has room for it. An image that is counted already has room. Returns the
    /// time that a new image must have if the clock of this server is behind the newest one.
    ///
    /// # Errors
    ///
    /// The limit that the image would exceed.
    pub(super) fn admit(
        &mut self,
        id: ImageId,
        bytes: u64,
        limits: BoardLimits,
    ) -> Result<Option<Timestamp>, BoardFull> {
        let counts_already = self.pending.contains_key(&id) || self.occupied.is_shown(id);
        if !counts_already {
            limits.check(self.usage(), bytes)?;
        }
        let pending = self.pending.entry(id).or_insert(Pending {
            bytes,
            operations: 0,
        });
        pending.operations += 1;
        Ok(self.time_above_newest())
    }

    /// Notes that an operation on an admitted image has not put it on the board.
    pub(super) fn withdraw(&mut self, id: ImageId) {
        if let Some(pending) = self.pending.get_mut(&id) {
            pending.operations -= 1;
            if pending.operations == 0 {
                self.pending.remove(&id);
            }
        }
    }

    /// The usage of the board, including the images that are being stored.
    fn usage(&self) -> BoardUsage {
        let BoardUsage { images, bytes } = self.occupied.usage();
        let pending = self.pending.values();
        BoardUsage {
            images: images + pending.len() as u64,
            bytes: bytes + pending.map(|pending| pending.bytes).sum::<u64>(),
        }
    }

    /// Returns the time of the next image if the clock is behind the newest one: the clock of this server has been set
    /// back, or that of another server is ahead. New images are still the newest then, in the order in which they are
    /// added.
    fn time_above_newest(&mut self) -> Option<Timestamp> {
        let now = Timestamp::now();
        let newest = self.occupied.newest().filter(|newest| *newest >= now)?;
        let ahead = newest.as_millis() - now.as_millis();
        if ahead > TOLERATED_CLOCK_MS && !std::mem::replace(&mut self.has_warned_of_clock, true) {
            let ahead = Duration::from_secs(ahead.unsigned_abs() / 1_000);
            let ahead = humantime::format_duration(ahead);
            log::warn!("the clock of this server is {ahead} behind the newest photo; check it");
        }
        let next = Timestamp::from_millis(newest.as_millis() + 1);
        self.occupied.set_newest(next);
        Some(next)
    }
}
