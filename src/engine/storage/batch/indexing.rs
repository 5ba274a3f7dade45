//! The entries of secondary indexes.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Instant;

use super::Batch;
use super::operation_log::EntryChange;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{Index, IndexId, TableId};
use crate::engine::storage::key_range::Direction;
use crate::engine::storage::tables::Redo;

/// The number of documents that a step of a build reads at once.
const BUILD_CHUNK: usize = 64;

/// The entries that a change of a document removes and adds.
#[derive(Default)]
pub(super) struct IndexChanges {
    removed: Vec<(IndexId, Vec<u8>)>,
    added: Vec<(IndexId, Vec<u8>)>,
}

/// The result of a step of a build.
pub(in crate::engine::storage) struct BuildStep {
    /// The number of documents that were read.
    pub(in crate::engine::storage) documents: u64,
    /// The last of them; `None` once the index is ready.
    pub(in crate::engine::storage) last: Option<Vec<u8>>,
}

impl Batch<'_> {
    /// The changes of a table's indexes that a change of a document needs. Called before anything is written: a write
    /// that fails must leave the document as it was, too.
    ///
    /// # Errors
    /// A stored binary that cannot be read.
    pub(super) fn index_changes(
        &self,
        table: TableId,
        key: &[u8],
        old: Option<&Datum>,
        new: Option<&Datum>,
    ) -> Result<IndexChanges, ReqlError> {
        let mut changes = IndexChanges::default();
        let indexes = self.catalog.table_by_id(table).map(|table| &table.indexes);
        for index in indexes.into_iter().flatten() {
            // Sets, because a multi index has an entry for each element of an array.
            let old = BTreeSet::from_iter(self.functions.entries(index, key, old)?);
            let new = BTreeSet::from_iter(self.functions.entries(index, key, new)?);
            let of_index = |entry: &Vec<u8>| (index.id, entry.clone());
            changes.removed.extend(old.difference(&new).map(of_index));
            changes.added.extend(new.difference(&old).map(of_index));
        }
        Ok(changes)
    }

    /// Updates the indexes.
    pub(super) fn update_indexes(
        &mut self,
        changes: &IndexChanges,
        key: &[u8],
    ) -> Result<(), ReqlError> {
        for (index, entry) in &changes.removed {
            self.remove_entry(*index, entry, key)?;
        }
        for (index, entry) in &changes.added {
            self.add_entry(*index, entry, key)?;
        }
        Ok(())
    }

    /// Adds the entries of the documents after the key `after`, until `deadline` has passed, and marks the index as
    /// ready once it has those of all documents.
    ///
    /// # Errors
    /// When the table does not exist, the disk fails, or a document is damaged.
    pub(in crate::engine::storage) fn build_index(
        &mut self,
        table: TableId,
        index: &Index,
        after: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<BuildStep, ReqlError> {
        let (mut documents, mut last) = (0, after);
        loop {
            let lower = last.clone().map_or(Bound::Unbounded, Bound::Excluded);
            let chunk = self
                .scan(table, lower, Bound::Unbounded, Direction::Ascending)?
                .take(BUILD_CHUNK)
                .collect::<Result<Vec<_>, _>>()?;
            for (key, document) in &chunk {
                for entry in self.functions.entries(index, key, Some(document))? {
                    self.add_entry(index.id, &entry, key)?;
                }
            }
            documents += chunk.len() as u64;
            if chunk.len() < BUILD_CHUNK {
                self.edit_catalog().set_index_ready(table, index.id)?;
                return Ok(BuildStep {
                    documents,
                    last: None,
                });
            }
            last = chunk.into_iter().next_back().map(|(key, _)| key);
            if Instant::now() >= deadline {
                return Ok(BuildStep { documents, last });
            }
        }
    }

    fn add_entry(&mut self, index: IndexId, entry: &[u8], key: &[u8]) -> Result<(), ReqlError> {
        let added = self.tables.add_entry(index, entry, key);
        if self.error.check(added)? {
            self.redo.push(Redo::AddEntry {
                index,
                entry: entry.to_vec(),
                key: key.to_vec(),
            });
            self.log_entry(index, entry, key, true);
        }
        Ok(())
    }

    fn remove_entry(&mut self, index: IndexId, entry: &[u8], key: &[u8]) -> Result<(), ReqlError> {
        let removed = self.tables.remove_entry(index, entry);
        // An index that is being built may not have it yet.
        if self.error.check(removed)? {
            self.redo.push(Redo::RemoveEntry {
                index,
                entry: entry.to_vec(),
            });
            self.log_entry(index, entry, key, false);
        }
        Ok(())
    }

    fn log_entry(&mut self, index: IndexId, entry: &[u8], key: &[u8], is_added: bool) {
        self.bytes += entry.len() + key.len();
        self.operation.entries.push(EntryChange {
            index,
            entry: entry.to_vec(),
            key: key.to_vec(),
            is_added,
        });
    }
}
