//! The soft commits that are not on disk yet, kept in memory so that reopening the database file does not lose them.

use std::sync::Arc;

use redb::WriteTransaction;

use super::catalog::Catalog;
use super::layout::{self, META, StoredState};
use super::tables::{Redo, WriteTables};

/// The commits since the last durable one.
#[derive(Default)]
pub(super) struct Journal {
    entries: Vec<JournalEntry>,
    bytes: usize,
}

/// One commit that is not on disk yet.
pub(super) struct JournalEntry {
    pub(super) state: StoredState,
    pub(super) redo: Vec<Redo>,
    /// The catalog, if the commit changed it.
    pub(super) catalog: Option<Arc<Catalog>>,
    /// The size of the keys, documents and blobs in `redo`.
    pub(super) bytes: usize,
}

impl Journal {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of the keys, documents and blobs of all entries.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, entry: JournalEntry) {
        self.bytes += entry.bytes;
        self.entries.push(entry);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if the journal holds every commit after `disk` up to `last`.
    pub(super) fn continues(&self, disk: u64, last: u64) -> bool {
        let seqs = self.entries.iter().map(|entry| entry.state.seq);
        seqs.clone().min().is_some_and(|first| first <= disk + 1) && seqs.max() == Some(last)
    }

    /// Applies the commits after `seq` again.
    pub(super) fn replay(
        &self,
        transaction: &WriteTransaction,
        seq: u64,
    ) -> Result<(), redb::Error> {
        let mut tables = WriteTables::new(transaction);
        let mut meta = transaction.open_table(META)?;
        for entry in self.entries.iter().filter(|entry| entry.state.seq > seq) {
            entry.redo.iter().try_for_each(|redo| tables.apply(redo))?;
            layout::write_meta(&mut meta, entry.state, entry.catalog.as_deref())?;
            if let Some(catalog) = &entry.catalog {
                tables.create_missing(catalog)?;
            }
        }
        Ok(())
    }
}
