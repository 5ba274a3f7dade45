//! Storage of images and their placements in RethinkDB or the embedded engine. No other module names the driver `reql`.
//!
//! [`Store`] is a cheap handle that all parts of the server share. Two tables describe each image: `images` holds its
//! description, file and thumbnail, `placements` its description and where it lies on the board. Moving an image
//! therefore does not rewrite the file, and the initial state of a viewer is read without the files.
//!
//! ```text
//! connect, backup, boards ──> images (insert, file, latest, delete, sweep, thumbnails)
//!     ──> board (feed, list, update) ──> handle ──> free_placements, current_reads, stalled_feed
//!     ──> write, rows, tables ──> client (pool, changefeeds, watchdog) ──> database
//! ```

mod backup;
mod board;
mod boards;
mod byte_budget;
mod client;
mod connect;
mod current_reads;
mod damaged_images;
mod error;
mod feed;
mod free_placements;
mod handle;
mod images;
mod issues;
mod keys;
mod limits;
mod metrics;
mod replace;
mod replicas;
mod rows;
mod schema;
mod stalled_feed;
mod tables;
mod write;

#[cfg(test)]
mod tests;

pub use backup::BackupPart;
pub(crate) use backup::{BackupReader, BackupWriter, InvalidBackup};
pub use board::{Board, BoardEvent, BoardFeed, Durability, ListQuery, Page, PlacementChange};
pub use boards::{
    AdminLinks, BoardChange, BoardRecord, BoardSettings, BoardsEvent, BoardsFeed, InvalidToken,
    Link, LinkId, MAX_LINKS, Role, Token, TokenHash,
};
pub use client::{
    Address, ClusterSettings, DEFAULT_DATABASE, DEFAULT_PORT, DEFAULT_USER, Password,
};
pub use connect::DEFAULT_UNDO_WINDOW;
pub use current_reads::CurrentImages;
pub use error::StoreError;
pub use feed::{Feed, FeedEvent, FeedState};
pub use free_placements::Area;
pub use handle::Store;
pub use images::{DeletedImage, Insert, LatestEvent, LatestFeed, Restored, StoredImage};
pub use issues::IssueKind;
pub use limits::{BoardFull, BoardLimits, BoardUsage};
