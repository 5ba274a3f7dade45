//! Reads of a table by key: scans of a range and lookups of single keys.

use std::collections::VecDeque;
use std::ops::{Bound, RangeBounds};

use super::env::Env;
use super::selection::Table;
use crate::engine::datum::Datum;
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::Direction;

/// The number of documents that a scan reads at once.
const READ_AHEAD: usize = 64;

/// The documents of a table with given keys.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) table: Table,
    pub(crate) keys: VecDeque<Vec<u8>>,
}

impl Lookup {
    /// Looks up keys in the given order.
    pub(crate) fn new(table: Table, keys: Vec<Vec<u8>>) -> Self {
        Self {
            table,
            keys: keys.into(),
        }
    }

    /// The next existing document; `None` at the end.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        while let Some(key) = self.keys.pop_front() {
            if let Some(document) = env.snapshot()?.get(self.table.id, &key)? {
                return Ok(Some(document));
            }
        }
        Ok(None)
    }

    /// The next existing document that is not damaged; `None` at the end. A damaged one has been logged, and must not
    /// keep the others from being read.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn next_readable(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        loop {
            match self.next(env) {
                Err(error) if error.kind == ErrorKind::Internal => {}
                found => return found,
            }
        }
    }
}

/// The documents of a table between two keys, read in pieces, so that an idle cursor holds no snapshot.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) table: Table,
    pub(crate) lower: Bound<Vec<u8>>,
    pub(crate) upper: Bound<Vec<u8>>,
    pub(crate) direction: Direction,
    /// `true` if the query asked for this order; a plain scan has it by accident.
    pub(crate) is_ordered: bool,
    ahead: VecDeque<(Vec<u8>, Datum)>,
    is_exhausted: bool,
}

impl Scan {
    /// Scans the documents between two keys.
    pub(crate) fn new(table: Table, lower: Bound<Vec<u8>>, upper: Bound<Vec<u8>>) -> Self {
        Self {
            table,
            lower,
            upper,
            direction: Direction::Ascending,
            is_ordered: false,
            ahead: VecDeque::new(),
            is_exhausted: false,
        }
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.ahead.is_empty() && !self.is_exhausted {
            self.read_ahead(env)?;
        }
        let Some((key, document)) = self.ahead.pop_front() else {
            return Ok(None);
        };
        // The range shrinks with each document, so that a later read, even of another snapshot, continues after it.
        match self.direction {
            Direction::Ascending => self.lower = Bound::Excluded(key),
            Direction::Descending => self.upper = Bound::Excluded(key),
        }
        Ok(Some(document))
    }

    fn read_ahead(&mut self, env: &Env) -> Result<(), ReqlError> {
        let snapshot = env.snapshot()?;
        let documents = snapshot.scan(
            self.table.id,
            self.lower.clone(),
            self.upper.clone(),
            self.direction,
        )?;
        self.ahead = documents.take(READ_AHEAD).collect::<Result<_, _>>()?;
        self.is_exhausted = self.ahead.len() < READ_AHEAD;
        Ok(())
    }

    /// Returns `true` if the scan covers a key.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        let range = (
            self.lower.as_ref().map(Vec::as_slice),
            self.upper.as_ref().map(Vec::as_slice),
        );
        <(Bound<&[u8]>, Bound<&[u8]>) as RangeBounds<[u8]>>::contains(&range, key)
    }

    /// Returns `true` if the scan covers the whole table.
    pub(crate) fn is_whole(&self) -> bool {
        // Below and above all keys.
        self.contains(&[]) && self.contains(&[0xff; 256])
    }

    /// Drops the documents that were read ahead. The next call reads them again.
    pub(crate) fn pause(&mut self) {
        if !self.ahead.is_empty() {
            self.ahead.clear();
            self.is_exhausted = false;
        }
    }
}
