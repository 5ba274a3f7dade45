//! Commits as they are reported to `on_commit`.

use std::sync::Arc;

use super::catalog::{Catalog, TableId};
use crate::engine::datum::Datum;

/// The changes of one commit.
pub struct Commit {
    /// The number of the commit: one more than that of the previous commit.
    pub seq: u64,
    /// The changed documents, in the order in which they were written.
    pub changes: Vec<Change>,
    /// The tables that this commit dropped.
    pub dropped_tables: Vec<TableId>,
    /// The databases and tables after the commit.
    pub catalog: Arc<Catalog>,
    /// `true` if this commit changed the catalog.
    pub catalog_changed: bool,
}

/// The change of one document.
pub struct Change {
    /// The table of the document.
    pub table: TableId,
    /// The encoded primary key.
    pub key: Vec<u8>,
    /// The document before the change. Its blobs are read from a snapshot taken before the commit.
    pub old: Option<Datum>,
    /// The document after the change, as it was passed to [`Batch::put`](super::Batch::put).
    pub new: Option<Datum>,
}

/// Receives each commit, on the writer thread.
pub(super) type OnCommit = Box<dyn Fn(Commit) + Send + Sync>;
