//! The table `placements`: the images on the board and where they lie.

mod arrange;
mod feed;
pub(super) mod free_placements;
mod list;
mod record;
mod reserve;
mod update;

pub use feed::{BoardEvent, BoardFeed};
pub use free_placements::Area;
pub use list::{ListQuery, Page};
pub use update::{Durability, PlacementChange};
