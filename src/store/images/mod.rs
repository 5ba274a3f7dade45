//! The table `images`, and the operations that write both tables.
//!
//! There are no transactions over two tables. Each operation writes them in an order in which every state between the
//! writes is consistent for readers, and the sweep completes operations that a crash interrupted.

mod bin;
mod delete;
mod file;
mod insert;
mod latest;
mod moderation;
mod sweep;
mod thumbnails;
mod undo_clock;
mod unplaced;

pub use bin::{DeletedImage, StoredImage};
pub use delete::Restored;
pub use insert::Insert;
pub use latest::{LatestEvent, LatestFeed};
pub(super) use sweep::spawn as spawn_sweep;
pub(super) use thumbnails::spawn as spawn_thumbnails;
pub(super) use undo_clock::{UndoReading, begin_window};

#[cfg(test)]
pub(super) use sweep::Sweep;
#[cfg(test)]
pub(super) use undo_clock::UndoClock;
