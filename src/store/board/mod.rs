//! The table `placements`: the images on each board and where they lie.

mod arrange;
pub(super) mod current;
mod feed;
pub(super) mod free_placements;
pub(super) mod handle;
pub(super) mod limits;
mod list;
mod record;
mod reserve;
pub(super) mod stalled_feed;
mod update;

pub use current::CurrentImages;
pub use feed::{BoardEvent, BoardFeed};
pub use free_placements::Area;
pub use handle::Board;
pub use limits::{BoardFull, BoardLimits, BoardUsage};
#[cfg(test)]
pub(super) use list::Position;
pub use list::{ListQuery, Page};
pub use update::{Durability, PlacementChange};
