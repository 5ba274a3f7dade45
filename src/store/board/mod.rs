//! The table `placements`: the images on each board and where they lie.

mod arrange;
mod current;
mod feed;
mod handle;
mod list;
mod record;
mod reserve;
mod update;

pub use feed::{BoardEvent, BoardFeed};
pub use handle::Board;
#[cfg(test)]
pub(super) use list::Position;
pub use list::{ListQuery, Page};
pub use update::{Durability, PlacementChange};
