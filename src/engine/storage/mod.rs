//! The engine's storage: documents in redb, large binaries beside them in chunks, and one writer thread that commits
//! concurrent writes together.
//!
//! - A [`Snapshot`] reads the database as of one commit. Readers do not block the writer.
//! - [`Storage::write`] sends an operation to the writer thread, which runs it on a [`Batch`], commits it together with
//!   all other queued operations, and answers.
//! - Commits are numbered. Their changes are passed to `on_commit` in the order of the numbers.
//!
//! A disk error fails only the writes that it affects: the database file is reopened, acknowledged soft writes that are
//! not on disk are applied again, and writing resumes as soon as the disk works.
//!
//! The modules depend on each other in one direction:
//!
//! ```text
//! catalog, codec → checksum → layout, blobs, index_entry, damage → tables → journal → database → snapshot → scans
//! → batch → writer → handle → inspection → assembly
//! ```

mod assembly;
mod batch;
mod blobs;
mod build_progress;
mod catalog;
mod catalog_json;
mod check;
mod checksum;
mod codec;
mod commit;
mod compact;
mod copy;
mod damage;
mod database;
mod document_scan;
mod failure;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod handle;
mod health;
mod held_bytes;
mod index_entry;
mod index_functions;
mod index_scan;
mod inspection;
mod journal;
mod key_range;
mod layout;
mod medium;
mod open;
mod open_error;
mod overlay;
mod permissions;
mod reserve;
mod snapshot;
mod snapshot_blobs;
mod snapshots;
mod stats;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use batch::{Batch, BatchScan};
pub use catalog::{
    Catalog, Database, DatabaseId, Durability, Index, IndexId, NewIndex, NewTable, Table, TableId,
};
pub use check::{CheckReport, check};
pub use commit::{Change, Commit};
pub use compact::compact;
pub use document_scan::Scan;
pub use handle::Storage;
pub use health::DiskState;
pub use index_entry::EntryRange;
pub use index_functions::{CompileIndex, IndexFunction};
pub use index_scan::{IndexScan, IndexedDocument};
pub use key_range::Direction;
pub use open_error::OpenError;
pub use snapshot::Snapshot;
pub use stats::Stats;
