//! Reads of the entries of a secondary index.

use std::sync::Arc;

use redb::OwnedRange;

use super::catalog::{IndexId, TableId};
use super::checksum;
use super::index_entry;
use super::key_range::Direction;
use super::snapshot::Snapshot;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};

/// A range of an index; see [`Snapshot::scan_index`].
pub struct IndexScan {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) table: TableId,
    pub(super) index: IndexId,
    /// `None` if the bounds exclude every entry, or the scan has failed.
    pub(super) entries: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    pub(super) direction: Direction,
    /// The last key.
    pub(super) last: Option<Vec<u8>>,
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
