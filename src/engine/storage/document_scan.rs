//! Scans of the documents of a table.

use std::ops::Bound;
use std::sync::Arc;

use redb::OwnedRange;

use super::catalog::TableId;
use super::key_range::{self, Direction};
use super::snapshot::Snapshot;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The key of a document, and its bytes as they are stored.
pub(super) type StoredDocument = (Vec<u8>, Vec<u8>);

type DocumentRange = OwnedRange<&'static [u8], &'static [u8]>;

/// The documents of a range of keys; see [`Snapshot::scan`].
pub struct Scan {
    snapshot: Arc<Snapshot>,
    table: TableId,
    /// `None` if the table does not exist, the bounds exclude every key, or the scan has failed.
    range: Option<DocumentRange>,
    direction: Direction,
    /// The last key.
    last: Option<Vec<u8>>,
}

impl Snapshot {
    /// The documents with keys between two bounds, read lazily. The scan keeps the snapshot alive.
    ///
    /// Skips damaged documents, which are logged: one of them must not keep the others from being read.
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
        Ok(Scan {
            snapshot: Arc::clone(self),
            table,
            range: self.range(table, &lower, &upper)?,
            direction,
            last: None,
        })
    }

    fn range(
        &self,
        table: TableId,
        lower: &Bound<Vec<u8>>,
        upper: &Bound<Vec<u8>>,
    ) -> Result<Option<DocumentRange>, ReqlError> {
        match self.documents(table)? {
            Some(documents) if !key_range::is_empty(lower, upper) => {
                let bounds = key_range::borrow(lower, upper);
                let range = || Ok(documents.range_owned::<&[u8]>(bounds)?);
                let range = self.errors.read(range);
                let range = range.map_err(|error| self.name_damage(error, table, None));
                range.map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl Scan {
    /// The next key and document as they are stored, damaged ones too.
    ///
    /// # Errors
    /// When the disk fails, or the structure of the table is damaged. That ends the scan.
    pub(super) fn next_stored(&mut self) -> Option<Result<StoredDocument, ReqlError>> {
        let range = self.range.as_mut()?;
        let direction = self.direction;
        let entry = self.snapshot.errors.read(|| {
            let Some(entry) = direction.next(range) else {
                return Ok(None);
            };
            let (key, value) = entry?;
            Ok(Some((key.value().to_vec(), value.value().to_vec())))
        });
        let entry = match entry {
            Ok(Some((key, _))) if !direction.follows(self.last.as_deref(), &key) => {
                let Snapshot {
                    damage, catalog, ..
                } = &*self.snapshot;
                Err(damage.table(catalog, self.table, "its keys are not in order"))
            }
            Ok(entry) => Ok(entry?),
            Err(error) => Err(self.snapshot.name_damage(error, self.table, None)),
        };
        match &entry {
            Ok((key, _)) => self.last = Some(key.clone()),
            // A damaged page can be its own successor.
            Err(_) => self.range = None,
        }
        Some(entry)
    }
}

impl Iterator for Scan {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (key, stored) = match self.next_stored()? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            // A damaged document has been logged.
            if let Ok(datum) = self.snapshot.decode(self.table, &key, &stored) {
                return Some(Ok((key, datum)));
            }
        }
    }
}
