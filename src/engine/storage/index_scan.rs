//! Reads of the entries of a secondary index.

use std::sync::Arc;

use redb::OwnedRange;

use super::catalog::{IndexId, TableId};
use super::checksum;
use super::index_entry::{self, EntryRange};
use super::key_range::{self, Direction};
use super::snapshot::Snapshot;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};

/// A range of an index; see [`Snapshot::scan_index`].
pub struct IndexScan {
    snapshot: Arc<Snapshot>,
    table: TableId,
    index: IndexId,
    /// `None` if the bounds exclude every entry, or the scan has failed.
    entries: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    direction: Direction,
    /// The last key.
    last: Option<Vec<u8>>,
}

impl Snapshot {
    /// The entries of a range of an index, read lazily. The scan keeps the snapshot alive.
    ///
    /// Skips damaged documents, as [`Snapshot::scan`] does.
    ///
    /// # Errors
    /// When the disk fails, the index is damaged, or it was dropped.
    pub fn scan_index(
        self: &Arc<Self>,
        table: TableId,
        index: IndexId,
        range: &EntryRange,
        direction: Direction,
    ) -> Result<IndexScan, ReqlError> {
        let known = self.catalog.table_by_id(table);
        if !known.is_some_and(|table| table.indexes.iter().any(|known| known.id == index)) {
            return Err(ReqlError::op_failed("The index does not exist any more."));
        }
        self.damage.check_index(index)?;
        // A table of which nothing can be read is an error, not an index without documents.
        self.documents(table)?;
        let EntryRange { lower, upper } = range;
        let entries = self.errors.read(|| {
            let entries = self.entries(index)?;
            if key_range::is_empty(lower, upper) {
                return Ok(None);
            }
            let bounds = key_range::borrow(lower, upper);
            Ok(Some(entries.range_owned::<&[u8]>(bounds)?))
        });
        Ok(IndexScan {
            entries: entries.map_err(|error| self.name_index_damage(error, table, index))?,
            snapshot: Arc::clone(self),
            table,
            index,
            direction,
            last: None,
        })
    }
}

/// An entry of an index.
pub(super) struct Entry {
    pub(super) key: Vec<u8>,
    /// The primary key of the document.
    pub(super) primary_key: Vec<u8>,
}

/// An entry of an index and its document.
#[derive(Debug)]
pub struct IndexedDocument {
    /// The key of the entry.
    pub entry: Vec<u8>,
    /// The encoded value and its position in the array of a multi index.
    pub value: (Vec<u8>, u32),
    /// The document.
    pub document: Datum,
}

impl IndexScan {
    /// The primary key of the next entry, without reading the document.
    ///
    /// # Errors
    /// When the disk fails, or the index is damaged. That ends the scan.
    pub fn next_primary_key(&mut self) -> Option<Result<Vec<u8>, ReqlError>> {
        Some(self.next_entry()?.map(|entry| entry.primary_key))
    }

    pub(super) fn next_entry(&mut self) -> Option<Result<Entry, ReqlError>> {
        let entries = self.entries.as_mut()?;
        let direction = self.direction;
        let found = self.snapshot.errors.read(|| {
            let Some(entry) = direction.next(entries) else {
                return Ok(None);
            };
            let (key, value) = entry?;
            Ok(Some((key.value().to_vec(), value.value().to_vec())))
        });
        let entry = match found {
            Ok(found) => {
                let (key, stored) = found?;
                let is_in_order = direction.follows(self.last.as_deref(), &key);
                match checksum::open_entry(self.index, &key, &stored) {
                    _ if !is_in_order => Err(self.damaged("its keys are not in order")),
                    Some(primary_key) => Ok(Entry {
                        primary_key: primary_key.to_vec(),
                        key,
                    }),
                    None => Err(self.damaged("an entry is not what was written")),
                }
            }
            Err(error) => {
                let Self { table, index, .. } = *self;
                Err(self.snapshot.name_index_damage(error, table, index))
            }
        };
        match &entry {
            Ok(entry) => self.last = Some(entry.key.clone()),
            // A damaged page can be its own successor.
            Err(_) => self.entries = None,
        }
        Some(entry)
    }

    /// The document of an entry; `None` if it is damaged.
    fn document(&self, entry: Entry) -> Result<Option<IndexedDocument>, ReqlError> {
        let document = match self.snapshot.get(self.table, &entry.primary_key) {
            // It has been logged, and must not keep the others from being read.
            Err(error) if error.kind == ErrorKind::Internal => return Ok(None),
            document => document?,
        };
        let value = index_entry::parse(&entry.key, &entry.primary_key)
            .map(|(value, position)| (value.to_vec(), position));
        match (document, value) {
            (Some(document), Some(value)) => Ok(Some(IndexedDocument {
                entry: entry.key,
                value,
                document,
            })),
            // Entries are written in the same commit as their documents.
            _ => Err(self.damaged("it has an entry of a document that does not exist")),
        }
    }

    /// Records that the index is damaged. Returns the error for the client.
    pub(super) fn damaged(&self, detail: &str) -> ReqlError {
        let Snapshot {
            damage, catalog, ..
        } = &*self.snapshot;
        damage.index(catalog, (self.table, self.index), detail)
    }
}

impl Iterator for IndexScan {
    type Item = Result<IndexedDocument, ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.next_entry()?;
            let found = entry.and_then(|entry| self.document(entry));
            if let Some(found) = found.transpose() {
                return Some(found);
            }
        }
    }
}
