//! What one operation of a batch has done.

use std::sync::Arc;

use crate::engine::storage::catalog::{Catalog, IndexId, TableId};

/// The effects of one operation: what to undo if it fails, and what to complete if it succeeds.
#[derive(Default)]
pub(super) struct OperationLog {
    /// The changed documents: table, key, and the bytes before the change.
    pub(super) documents: Vec<(TableId, Vec<u8>, Option<Vec<u8>>)>,
    /// The blobs of new documents, stored when the operation succeeds.
    pub(super) added_blobs: Vec<(TableId, u64)>,
    /// The blobs that no document refers to any more, removed when the operation succeeds.
    pub(super) unused_blobs: Vec<(TableId, u64)>,
    /// The added and removed index entries.
    pub(super) entries: Vec<EntryChange>,
    pub(super) created: Vec<TableId>,
    pub(super) created_indexes: Vec<IndexId>,
    pub(super) dropped: Vec<TableId>,
    pub(super) dropped_indexes: Vec<IndexId>,
    /// The catalog before the operation, if it changed it.
    pub(super) catalog: Option<Arc<Catalog>>,
    /// The lengths of the batch's `changes` and `redo` before the operation.
    pub(super) changes: usize,
    pub(super) redo: usize,
}

/// A change of an index: the entry was added or removed.
pub(super) struct EntryChange {
    pub(super) index: IndexId,
    pub(super) entry: Vec<u8>,
    /// The primary key that the entry leads to.
    pub(super) key: Vec<u8>,
    pub(super) is_added: bool,
}
