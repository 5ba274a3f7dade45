//! Reading: the database as it was at one point in time.

use std::ops::Bound;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use redb::{OwnedRange, ReadOnlyTable, ReadTransaction, ReadableTableMetadata, TableError};

use super::blobs::{self, BlobReader, ChunkKey};
use super::catalog::{Catalog, TableId};
use super::codec::{self, DecodeError};
use super::failure::{ends_database, explain};
use super::layout::{self, Documents};
use super::shared::Shared;
use crate::engine::datum::{BlobSource, Datum};
use crate::engine::error::{ErrorKind, ReqlError};

/// In which order a scan goes through the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key on.
    Ascending,
    /// From the largest key on.
    Descending,
}

/// The whole database at one point in time. It blocks no writer; while it lives, the room of what was deleted since is
/// not reused. All methods may block on the disk.
pub struct Snapshot {
    transaction: ReadTransaction,
    seq: u64,
    catalog: Arc<Catalog>,
    shared: Weak<Shared>,
    generation: u64,
}

/// The documents of one table, open for reading.
type DocumentsRead = ReadOnlyTable<&'static [u8], &'static [u8]>;

impl Snapshot {
    pub(super) fn new(
        transaction: ReadTransaction,
        (seq, catalog): (u64, Arc<Catalog>),
        shared: Weak<Shared>,
        generation: u64,
    ) -> Self {
        Self {
            transaction,
            seq,
            catalog,
            shared,
            generation,
        }
    }

    /// The number of the last commit that this snapshot contains.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The databases and tables.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The document with the given key. A table that is not there has no documents.
    ///
    /// # Errors
    /// When the disk fails or the document is damaged.
    pub fn get(self: &Arc<Self>, table: TableId, key: &[u8]) -> Result<Option<Datum>, ReqlError> {
        let Some(documents) = self.documents(table)? else {
            return Ok(None);
        };
        let Some(found) = self.check(documents.get_owned(key))? else {
            return Ok(None);
        };
        let mut reader = None;
        self.decode(table, &mut reader, found.value()).map(Some)
    }

    /// How many documents a table has, without counting them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn count(&self, table: TableId) -> Result<u64, ReqlError> {
        match self.documents(table)? {
            Some(documents) => self.check(documents.len()),
            None => Ok(0),
        }
    }

    /// The documents whose keys lie between two bounds, read as they are asked for. The scan keeps the snapshot alive.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn scan(
        self: &Arc<Self>,
        table: TableId,
        lower: Bound<Vec<u8>>,
        upper: Bound<Vec<u8>>,
        direction: Direction,
    ) -> Result<Scan, ReqlError> {
        let range = match self.documents(table)? {
            Some(documents) if !layout::is_empty(&lower, &upper) => {
                Some(self.check(documents.range_owned::<&[u8]>(layout::borrow(&lower, &upper)))?)
            }
            _ => None,
        };
        Ok(Scan {
            snapshot: Arc::clone(self),
            table,
            range,
            direction,
            reader: None,
        })
    }

    pub(super) fn load_blob(
        &self,
        table: TableId,
        blob: u64,
        len: u64,
    ) -> Result<Bytes, ReqlError> {
        let name = layout::chunks_name(table);
        let chunks: ReadOnlyTable<ChunkKey, &[u8]> =
            self.check(self.transaction.open_table(layout::chunks(&name)))?;
        self.check(blobs::load(&chunks, blob, len))?
    }

    fn documents(&self, table: TableId) -> Result<Option<DocumentsRead>, ReqlError> {
        let name = layout::documents_name(table);
        let definition: Documents<'_> = layout::documents(&name);
        match self.transaction.open_table(definition) {
            Ok(documents) => Ok(Some(documents)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => self.check(Err(error)),
        }
    }

    fn decode(
        self: &Arc<Self>,
        table: TableId,
        reader: &mut Option<Arc<dyn BlobSource>>,
        bytes: &[u8],
    ) -> Result<Datum, ReqlError> {
        let mut reference = |blob, len| BlobReader::reference(reader, self, table, (blob, len));
        codec::decode(bytes, &mut reference).map_err(|error| damaged(&error))
    }

    /// Words an error for the client, and has the storage recover from it.
    fn check<T, E: Into<redb::Error>>(&self, result: Result<T, E>) -> Result<T, ReqlError> {
        result.map_err(|error| {
            let error = error.into();
            if ends_database(&error)
                && let Some(shared) = self.shared.upgrade()
            {
                shared.queue.report_failure(self.generation);
            }
            explain(error)
        })
    }
}

/// The documents of a range of keys; see [`Snapshot::scan`].
pub struct Scan {
    snapshot: Arc<Snapshot>,
    table: TableId,
    range: Option<OwnedRange<&'static [u8], &'static [u8]>>,
    direction: Direction,
    reader: Option<Arc<dyn BlobSource>>,
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.range.as_mut()?;
        let entry = match self.direction {
            Direction::Ascending => range.next()?,
            Direction::Descending => range.next_back()?,
        };
        Some(self.snapshot.check(entry).and_then(|(key, value)| {
            let datum = self
                .snapshot
                .decode(self.table, &mut self.reader, value.value())?;
            Ok((key.value().to_vec(), datum))
        }))
    }
}

/// Tells of a document that cannot be decoded.
pub(super) fn damaged(error: &DecodeError) -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        format!("A stored document is damaged: {error}."),
    )
}
