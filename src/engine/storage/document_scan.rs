//! Scans of the documents of a table.

use std::sync::Arc;

use redb::OwnedRange;

use super::catalog::TableId;
use super::key_range::Direction;
use super::snapshot::Snapshot;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// The key of a document, and its bytes as they are stored.
pub(super) type StoredDocument = (Vec<u8>, Vec<u8>);

pub(super) type DocumentRange = OwnedRange<&'static [u8], &'static [u8]>;

/// The documents of a range of keys; see [`Snapshot::scan`].
pub struct Scan {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) table: TableId,
    /// `None` if the table does not exist, the bounds exclude every key, or the scan has failed.
    pub(super) range: Option<DocumentRange>,
    pub(super) direction: Direction,
    /// The last key.
    pub(super) last: Option<Vec<u8>>,
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
