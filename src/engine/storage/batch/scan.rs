//! Scans of a table inside a batch.

use super::first_error::FirstError;
use super::reader::BatchReader;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::{Catalog, TableId};
use crate::engine::storage::key_range::Direction;

/// The documents of a range of keys; see [`Batch::scan`](super::Batch::scan).
pub struct BatchScan<'a, 'txn> {
    /// `None` if the bounds exclude every key.
    pub(super) range: Option<redb::Range<'a, &'static [u8], &'static [u8]>>,
    pub(super) reader: &'a mut BatchReader<'txn>,
    pub(super) error: &'a mut FirstError,
    pub(super) catalog: &'a Catalog,
    pub(super) table: TableId,
    pub(super) direction: Direction,
    /// The last key.
    pub(super) last: Option<Vec<u8>>,
}

impl Iterator for BatchScan<'_, '_> {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.direction.next(self.range.as_mut()?)?;
            let (key, value) = match self.error.check(entry) {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let (key, stored) = (key.value(), value.value());
            let (catalog, table) = (self.catalog, self.table);
            if !self.direction.follows(self.last.as_deref(), key) {
                self.range = None;
                let damage = self.reader.damage();
                let error = damage.table(catalog, table, "its keys are not in order");
                return Some(Err(error));
            }
            self.last = Some(key.to_vec());
            let decoded = self
                .reader
                .try_decode(catalog, table, key, stored, &mut Vec::new());
            match decoded {
                Ok(Ok(datum)) => return Some(Ok((key.to_vec(), datum))),
                // A damaged document has been logged, and must not keep the others from being changed.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
