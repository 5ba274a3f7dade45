//! Scans of a table inside a batch.

use super::first_error::FirstError;
use super::reader::BatchReader;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::storage::catalog::TableId;
use crate::engine::storage::key_range::Direction;

/// The documents of a range of keys; see [`Batch::scan`](super::Batch::scan).
pub struct BatchScan<'a, 'txn> {
    /// `None` if the bounds exclude every key.
    pub(super) range: Option<redb::Range<'a, &'static [u8], &'static [u8]>>,
    pub(super) reader: &'a mut BatchReader<'txn>,
    pub(super) error: &'a mut FirstError,
    pub(super) table: TableId,
    pub(super) direction: Direction,
}

impl Iterator for BatchScan<'_, '_> {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.direction.next(self.range.as_mut()?)?;
        Some(self.error.check(entry).and_then(|(key, value)| {
            let datum = self
                .reader
                .decode(self.table, value.value(), &mut Vec::new())?;
            Ok((key.value().to_vec(), datum))
        }))
    }
}
