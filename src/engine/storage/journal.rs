//! What was written, in a form that can be written again: soft commits that are not on disk yet survive the reopening
//! of the database file in here.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use redb::WriteTransaction;

use super::blobs::{self, ChunkTable};
use super::catalog::{Catalog, TableId};
use super::layout::{self, META, State};

/// One step of a commit.
pub(super) enum Redo {
    Put {
        table: TableId,
        key: Vec<u8>,
        document: Vec<u8>,
    },
    Delete {
        table: TableId,
        key: Vec<u8>,
    },
    Store {
        table: TableId,
        blob: u64,
        bytes: Bytes,
    },
    Remove {
        table: TableId,
        blob: u64,
    },
    DropTable(TableId),
}

/// The tables of a write transaction, each opened when it is needed first.
pub(super) struct Tables<'txn> {
    transaction: &'txn WriteTransaction,
    open: HashMap<TableId, Open<'txn>>,
}

#[derive(Default)]
struct Open<'txn> {
    documents: Option<DocumentTable<'txn>>,
    chunks: Option<ChunkTable<'txn>>,
}

/// The documents of one table, open for writing.
pub(super) type DocumentTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

impl<'txn> Tables<'txn> {
    pub(super) fn new(transaction: &'txn WriteTransaction) -> Self {
        Self {
            transaction,
            open: HashMap::new(),
        }
    }

    pub(super) fn documents(
        &mut self,
        table: TableId,
    ) -> Result<&mut DocumentTable<'txn>, redb::Error> {
        let open = self.open.entry(table).or_default();
        match &mut open.documents {
            Some(documents) => Ok(documents),
            empty => {
                let name = layout::documents_name(table);
                Ok(empty.insert(self.transaction.open_table(layout::documents(&name))?))
            }
        }
    }

    fn chunks(&mut self, table: TableId) -> Result<&mut ChunkTable<'txn>, redb::Error> {
        let open = self.open.entry(table).or_default();
        match &mut open.chunks {
            Some(chunks) => Ok(chunks),
            empty => {
                let name = layout::chunks_name(table);
                Ok(empty.insert(self.transaction.open_table(layout::chunks(&name))?))
            }
        }
    }

    /// Removes a table with all its documents and blobs, if anything of it is there.
    pub(super) fn drop_table(&mut self, table: TableId) -> Result<(), redb::Error> {
        self.open.remove(&table);
        self.transaction
            .delete_table(layout::documents(&layout::documents_name(table)))?;
        self.transaction
            .delete_table(layout::chunks(&layout::chunks_name(table)))?;
        Ok(())
    }

    pub(super) fn apply(&mut self, redo: &Redo) -> Result<(), redb::Error> {
        match redo {
            Redo::Put {
                table,
                key,
                document,
            } => {
                self.documents(*table)?
                    .insert(key.as_slice(), document.as_slice())?;
            }
            Redo::Delete { table, key } => {
                self.documents(*table)?.remove(key.as_slice())?;
            }
            Redo::Store { table, blob, bytes } => blobs::store(self.chunks(*table)?, *blob, bytes)?,
            Redo::Remove { table, blob } => blobs::remove(self.chunks(*table)?, *blob)?,
            Redo::DropTable(table) => self.drop_table(*table)?,
        }
        Ok(())
    }
}

/// One commit that is not on disk yet.
pub(super) struct Entry {
    pub(super) state: State,
    pub(super) redo: Vec<Redo>,
    /// The catalog, if the commit changed it.
    pub(super) catalog: Option<Arc<Catalog>>,
    pub(super) bytes: usize,
}

/// The commits since the last durable one.
#[derive(Default)]
pub(super) struct Journal {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Journal {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes;
        self.entries.push(entry);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether it holds all commits after `disk`, up to `last`.
    pub(super) fn continues(&self, disk: u64, last: u64) -> bool {
        let seqs = self.entries.iter().map(|entry| entry.state.seq);
        seqs.clone().min().is_some_and(|first| first <= disk + 1) && seqs.max() == Some(last)
    }

    /// Writes the commits that come after `seq` again.
    pub(super) fn replay(
        &self,
        transaction: &WriteTransaction,
        seq: u64,
    ) -> Result<(), redb::Error> {
        let mut tables = Tables::new(transaction);
        let mut meta = transaction.open_table(META)?;
        for entry in self.entries.iter().filter(|entry| entry.state.seq > seq) {
            entry.redo.iter().try_for_each(|redo| tables.apply(redo))?;
            write_meta(&mut meta, entry.state, entry.catalog.as_deref())?;
        }
        Ok(())
    }
}

/// Notes the state, and the catalog if it changed.
pub(super) fn write_meta(
    meta: &mut redb::Table<'_, &'static str, &'static [u8]>,
    state: State,
    catalog: Option<&Catalog>,
) -> Result<(), redb::Error> {
    layout::write_state(meta, state)?;
    if let Some(catalog) = catalog {
        layout::write_catalog(meta, &catalog.to_json())?;
    }
    Ok(())
}
