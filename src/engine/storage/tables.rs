//! The redb tables of a write transaction, and the steps of a commit.

use std::collections::{HashMap, hash_map};

use bytes::Bytes;
use redb::WriteTransaction;

use super::blobs::{self, ChunkTable};
use super::catalog::{Catalog, IndexId, TableId};
use super::checksum;
use super::layout;

/// One step of a commit, in a form that can be applied again.
pub(super) enum Redo {
    /// Inserts or replaces a document.
    Put {
        table: TableId,
        key: Vec<u8>,
        document: Vec<u8>,
    },
    /// Deletes a document.
    Delete { table: TableId, key: Vec<u8> },
    /// Stores a blob.
    StoreBlob {
        table: TableId,
        blob: u64,
        bytes: Bytes,
    },
    /// Removes a blob.
    RemoveBlob { table: TableId, blob: u64 },
    /// Removes a table with its documents and blobs.
    DropTable(TableId),
    /// Adds an entry to an index.
    AddEntry {
        index: IndexId,
        entry: Vec<u8>,
        key: Vec<u8>,
    },
    /// Removes an entry from an index.
    RemoveEntry { index: IndexId, entry: Vec<u8> },
    /// Removes all entries of an index.
    DropIndex(IndexId),
}

/// The documents of one table, open for writing.
pub(super) type DocumentTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// The entries of one index, open for writing.
type EntryTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

/// The tables of a write transaction, each opened on first use.
pub(super) struct WriteTables<'txn> {
    transaction: &'txn WriteTransaction,
    open: HashMap<TableId, OpenTable<'txn>>,
    open_indexes: HashMap<IndexId, EntryTable<'txn>>,
    added: usize,
    removed: usize,
}

#[derive(Default)]
struct OpenTable<'txn> {
    documents: Option<DocumentTable<'txn>>,
    blobs: Option<ChunkTable<'txn>>,
}

impl<'txn> WriteTables<'txn> {
    pub(super) fn new(transaction: &'txn WriteTransaction) -> Self {
        Self {
            transaction,
            open: HashMap::new(),
            open_indexes: HashMap::new(),
            added: 0,
            removed: 0,
        }
    }

    /// The bytes of the blobs that were stored.
    pub(super) fn added(&self) -> usize {
        self.added
    }

    /// The bytes of the blobs that were removed, except those of dropped tables.
    pub(super) fn removed(&self) -> usize {
        self.removed
    }

    /// The documents of a table. Creates the redb table if it is missing.
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

    fn blobs(&mut self, table: TableId) -> Result<&mut ChunkTable<'txn>, redb::Error> {
        let open = self.open.entry(table).or_default();
        match &mut open.blobs {
            Some(blobs) => Ok(blobs),
            empty => {
                let name = layout::blobs_name(table);
                Ok(empty.insert(self.transaction.open_table(layout::chunks(&name))?))
            }
        }
    }

    /// The entries of an index. Creates the redb table if it is missing.
    fn entries(&mut self, index: IndexId) -> Result<&mut EntryTable<'txn>, redb::Error> {
        match self.open_indexes.entry(index) {
            hash_map::Entry::Occupied(open) => Ok(open.into_mut()),
            hash_map::Entry::Vacant(empty) => {
                let name = layout::entries_name(index);
                Ok(empty.insert(self.transaction.open_table(layout::entries(&name))?))
            }
        }
    }

    /// Adds an entry that leads to the document with this primary key. Returns `false` if the index has it already.
    pub(super) fn add_entry(
        &mut self,
        index: IndexId,
        entry: &[u8],
        key: &[u8],
    ) -> Result<bool, redb::Error> {
        let sealed = checksum::seal_entry(index, entry, key);
        Ok(self
            .entries(index)?
            .insert(entry, sealed.as_slice())?
            .is_none())
    }

    /// Removes an entry. Returns `false` if the index does not have it.
    pub(super) fn remove_entry(
        &mut self,
        index: IndexId,
        entry: &[u8],
    ) -> Result<bool, redb::Error> {
        Ok(self.entries(index)?.remove(entry)?.is_some())
    }

    /// Creates the redb table of an index.
    pub(super) fn create_index(&mut self, index: IndexId) -> Result<(), redb::Error> {
        self.entries(index).map(drop)
    }

    /// Removes an index with all its entries. It is no error if it does not exist.
    pub(super) fn drop_index(&mut self, index: IndexId) -> Result<(), redb::Error> {
        self.open_indexes.remove(&index);
        self.transaction
            .delete_table(layout::entries(&layout::entries_name(index)))?;
        Ok(())
    }

    /// Creates the redb tables of documents and of index entries that are missing.
    pub(super) fn create_missing(&mut self, catalog: &Catalog) -> Result<(), redb::Error> {
        for table in catalog.tables() {
            self.documents(table.id)?;
            for index in &table.indexes {
                self.entries(index.id)?;
            }
        }
        Ok(())
    }

    /// The bytes of a blob of `len` bytes that a release before format 2 has stored; `None` if there is none of that
    /// length.
    pub(super) fn plain_blob(
        &mut self,
        table: TableId,
        blob: u64,
        len: u64,
    ) -> Result<Option<Bytes>, redb::Error> {
        let name = layout::chunks_name(table);
        let chunks = self.transaction.open_table(layout::chunks(&name))?;
        Ok(blobs::load_plain(&chunks, blob, len)?.ok())
    }

    /// Removes a blob, also one that a release before format 2 has stored.
    fn remove_blob(&mut self, table: TableId, blob: u64) -> Result<(), redb::Error> {
        let mut removed = blobs::remove(self.blobs(table)?, blob)?;
        if removed == 0 {
            let name = layout::chunks_name(table);
            let mut chunks = self.transaction.open_table(layout::chunks(&name))?;
            removed = blobs::remove(&mut chunks, blob)?;
        }
        self.removed += removed;
        Ok(())
    }

    /// Removes a table with all its documents and blobs. It is no error if it has none.
    pub(super) fn drop_table(&mut self, table: TableId) -> Result<(), redb::Error> {
        // redb refuses to delete a table that is open.
        self.open.remove(&table);
        self.transaction
            .delete_table(layout::documents(&layout::documents_name(table)))?;
        self.transaction
            .delete_table(layout::chunks(&layout::blobs_name(table)))?;
        self.transaction
            .delete_table(layout::chunks(&layout::chunks_name(table)))?;
        Ok(())
    }

    /// Applies one step.
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
            Redo::StoreBlob { table, blob, bytes } => {
                blobs::store(self.blobs(*table)?, *table, *blob, bytes)?;
                self.added += bytes.len();
            }
            Redo::RemoveBlob { table, blob } => self.remove_blob(*table, *blob)?,
            Redo::DropTable(table) => self.drop_table(*table)?,
            Redo::AddEntry { index, entry, key } => drop(self.add_entry(*index, entry, key)?),
            Redo::RemoveEntry { index, entry } => drop(self.remove_entry(*index, entry)?),
            Redo::DropIndex(index) => self.drop_index(*index)?,
        }
        Ok(())
    }
}
