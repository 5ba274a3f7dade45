//! Writing: what an operation can do inside the writer's transaction.

mod schema;
mod view;

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, ReadableTableMetadata};

use super::Change;
use super::catalog::{Catalog, TableId};
use super::codec;
use super::failure::explain;
use super::journal::{Redo, Tables};
use super::layout;
use super::shared::Shared;
use super::snapshot::Direction;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use view::{Placed, View};

/// The database inside a write: it shows what this operation and those before it wrote. If the operation fails, its
/// own writes are undone.
pub struct Batch<'txn> {
    tables: Tables<'txn>,
    view: View<'txn>,
    catalog: Arc<Catalog>,
    next_blob: u64,
    changes: Vec<Change>,
    dropped: Vec<TableId>,
    redo: Vec<Redo>,
    bytes: usize,
    undo: Undo,
    failure: Option<ReqlError>,
}

/// What has to be taken back if the operation fails, and what has to be done when it succeeds.
#[derive(Default)]
struct Undo {
    documents: Vec<(TableId, Vec<u8>, Option<Vec<u8>>)>,
    stored: Vec<(TableId, u64)>,
    unused: Vec<(TableId, u64)>,
    created: Vec<TableId>,
    dropped: Vec<TableId>,
    catalog: Option<Arc<Catalog>>,
    changes: usize,
    redo: usize,
}

/// What the operations of a batch came to.
pub(super) struct Outcome {
    pub(super) changes: Vec<Change>,
    pub(super) dropped: Vec<TableId>,
    pub(super) redo: Vec<Redo>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) next_blob: u64,
    pub(super) bytes: usize,
}

impl<'txn> Batch<'txn> {
    pub(super) fn new(
        tables: Tables<'txn>,
        shared: &'txn Arc<Shared>,
        catalog: Arc<Catalog>,
        next_blob: u64,
    ) -> Self {
        Self {
            tables,
            view: View {
                shared,
                before: None,
                fresh: HashMap::new(),
            },
            catalog,
            next_blob,
            changes: Vec::new(),
            dropped: Vec::new(),
            redo: Vec::new(),
            bytes: 0,
            undo: Undo::default(),
            failure: None,
        }
    }

    /// The databases and tables.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The document with the given key.
    ///
    /// # Errors
    /// When the table is gone, the disk fails, or the document is damaged.
    pub fn get(&mut self, table: TableId, key: &[u8]) -> Result<Option<Datum>, ReqlError> {
        self.require(table)?;
        let Some(bytes) = self.raw(table, key)? else {
            return Ok(None);
        };
        self.view.decode(table, &bytes, &mut Vec::new()).map(Some)
    }

    /// How many documents a table has, without counting them.
    ///
    /// # Errors
    /// When the table is gone or the disk fails.
    pub fn count(&mut self, table: TableId) -> Result<u64, ReqlError> {
        self.require(table)?;
        let count = self
            .tables
            .documents(table)
            .and_then(|documents| Ok(documents.len()?));
        self.check(count)
    }

    /// The documents whose keys lie between two bounds, read as they are asked for.
    ///
    /// # Errors
    /// When the table is gone or the disk fails.
    pub fn scan(
        &mut self,
        table: TableId,
        lower: Bound<Vec<u8>>,
        upper: Bound<Vec<u8>>,
        direction: Direction,
    ) -> Result<BatchScan<'_, 'txn>, ReqlError> {
        self.require(table)?;
        if layout::is_empty(&lower, &upper) {
            return Ok(BatchScan {
                range: None,
                view: &mut self.view,
                failure: &mut self.failure,
                table,
                direction,
            });
        }
        let range = self.tables.documents(table).and_then(|documents| {
            let range: redb::Range<'_, &'static [u8], &'static [u8]> =
                documents.range::<&[u8]>(layout::borrow(&lower, &upper))?;
            Ok(range)
        });
        match range {
            Ok(range) => Ok(BatchScan {
                range: Some(range),
                view: &mut self.view,
                failure: &mut self.failure,
                table,
                direction,
            }),
            Err(error) => Err(fail(&mut self.failure, error)),
        }
    }

    /// Stores a document in the place of the one with the same key, if there is one.
    ///
    /// Large binaries that the replaced document holds are kept where they are. Others are stored anew.
    ///
    /// # Errors
    /// When the table is gone, the disk fails, or a binary cannot be read.
    pub fn put(&mut self, table: TableId, key: &[u8], new: &Datum) -> Result<(), ReqlError> {
        self.require(table)?;
        let old = self.raw(table, key)?;
        let mut old_blobs = Vec::new();
        let old_datum = match &old {
            Some(bytes) => Some(self.view.decode(table, bytes, &mut old_blobs)?),
            None => None,
        };
        let mut placed = Placed {
            old: &old_blobs,
            kept: Vec::new(),
            new: Vec::new(),
            next: &mut self.next_blob,
        };
        let fresh = &self.view.fresh;
        let encoded = codec::encode(new, &mut |binary| placed.place(binary, fresh))?;
        let Placed {
            kept, new: stored, ..
        } = placed;

        let written = self.tables.documents(table).and_then(|documents| {
            documents.insert(key, encoded.as_slice())?;
            Ok(())
        });
        self.check(written)?;

        self.bytes += key.len() + encoded.len();
        self.undo.unused.extend(
            old_blobs
                .iter()
                .filter(|blob| !kept.contains(blob))
                .map(|blob| (table, *blob)),
        );
        for (blob, bytes) in stored {
            self.bytes += bytes.len();
            self.undo.stored.push((table, blob));
            self.view.fresh.insert(blob, bytes);
        }
        self.redo.push(Redo::Put {
            table,
            key: key.to_vec(),
            document: encoded,
        });
        self.record(table, key, (old, old_datum), Some(new.clone()));
        Ok(())
    }

    /// Deletes a document; `false` if there was none.
    ///
    /// # Errors
    /// When the table is gone, the disk fails, or the document is damaged.
    pub fn delete(&mut self, table: TableId, key: &[u8]) -> Result<bool, ReqlError> {
        self.require(table)?;
        let Some(old) = self.raw(table, key)? else {
            return Ok(false);
        };
        let mut old_blobs = Vec::new();
        let old_datum = self.view.decode(table, &old, &mut old_blobs)?;
        let removed = self.tables.documents(table).and_then(|documents| {
            documents.remove(key)?;
            Ok(())
        });
        self.check(removed)?;
        self.bytes += key.len() + old.len();
        self.undo
            .unused
            .extend(old_blobs.into_iter().map(|blob| (table, blob)));
        self.redo.push(Redo::Delete {
            table,
            key: key.to_vec(),
        });
        self.record(table, key, (Some(old), Some(old_datum)), None);
        Ok(true)
    }

    /// How many bytes this batch has written so far: this operation and those before it, all held in memory until the
    /// commit.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Why the whole batch is lost, if it is.
    pub(super) fn failure(&self) -> Option<&ReqlError> {
        self.failure.as_ref()
    }

    /// Ends an operation that succeeded: stores its blobs and removes what it made superfluous.
    pub(super) fn accept(&mut self) {
        let undo = self.next_operation();
        if self.failure.is_none() {
            let done = self.settle(&undo);
            // Noted in `failure`, from where the writer takes it.
            let _ = self.check(done);
        }
    }

    fn settle(&mut self, undo: &Undo) -> Result<(), redb::Error> {
        for &(table, blob) in &undo.stored {
            if undo.unused.contains(&(table, blob)) || undo.dropped.contains(&table) {
                self.view.fresh.remove(&blob);
            } else if let Some(bytes) = self.view.fresh.get(&blob).cloned() {
                self.redo.push(Redo::Store { table, blob, bytes });
            }
        }
        for &(table, blob) in &undo.unused {
            if !undo.stored.contains(&(table, blob)) && !undo.dropped.contains(&table) {
                self.view.fresh.remove(&blob);
                self.redo.push(Redo::Remove { table, blob });
            }
        }
        self.redo
            .extend(undo.dropped.iter().map(|table| Redo::DropTable(*table)));
        self.dropped.extend(&undo.dropped);
        // The documents are in place already: that is how the operation could read what it wrote.
        for redo in &self.redo[undo.redo..] {
            if !matches!(redo, Redo::Put { .. } | Redo::Delete { .. }) {
                self.tables.apply(redo)?;
            }
        }
        Ok(())
    }

    /// Ends an operation that failed: takes back what it wrote.
    pub(super) fn reject(&mut self) {
        let undo = self.next_operation();
        self.changes.truncate(undo.changes);
        self.redo.truncate(undo.redo);
        for (_, blob) in &undo.stored {
            self.view.fresh.remove(blob);
        }
        let restored = self.restore(&undo);
        if let Some(catalog) = undo.catalog {
            self.catalog = catalog;
        }
        // Noted in `failure`, from where the writer takes it.
        let _ = self.check(restored);
    }

    fn restore(&mut self, undo: &Undo) -> Result<(), redb::Error> {
        for (table, key, old) in undo.documents.iter().rev() {
            let documents = self.tables.documents(*table)?;
            match old {
                Some(old) => drop(documents.insert(key.as_slice(), old.as_slice())?),
                None => drop(documents.remove(key.as_slice())?),
            }
        }
        undo.created
            .iter()
            .try_for_each(|table| self.tables.drop_table(*table))
    }

    /// Begins the next operation; returns the undo of the one before.
    fn next_operation(&mut self) -> Undo {
        let next = Undo::default();
        std::mem::replace(&mut self.undo, next)
    }

    /// Marks the point to which the coming operation is taken back if it fails.
    pub(super) fn begin(&mut self) {
        self.undo = Undo {
            changes: self.changes.len(),
            redo: self.redo.len(),
            ..Undo::default()
        };
    }

    /// Ends the batch. The tables are closed, so that the transaction can be committed.
    pub(super) fn finish(self) -> Outcome {
        Outcome {
            changes: self.changes,
            dropped: self.dropped,
            redo: self.redo,
            catalog: self.catalog,
            next_blob: self.next_blob,
            bytes: self.bytes,
        }
    }

    fn record(
        &mut self,
        table: TableId,
        key: &[u8],
        old: (Option<Vec<u8>>, Option<Datum>),
        new: Option<Datum>,
    ) {
        self.undo.documents.push((table, key.to_vec(), old.0));
        self.changes.push(Change {
            table,
            key: key.to_vec(),
            old: old.1,
            new,
        });
    }

    fn require(&self, table: TableId) -> Result<(), ReqlError> {
        match self.catalog.table_by_id(table) {
            Some(_) => Ok(()),
            None => Err(ReqlError::op_failed("The table does not exist any more.")),
        }
    }

    fn raw(&mut self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>, ReqlError> {
        let found = self.tables.documents(table).and_then(|documents| {
            let found = documents.get(key)?;
            Ok(found.map(|value| value.value().to_vec()))
        });
        self.check(found)
    }

    fn check<T>(&mut self, result: Result<T, redb::Error>) -> Result<T, ReqlError> {
        result.map_err(|error| fail(&mut self.failure, error))
    }
}

/// Notes that the batch is lost: the operation may swallow the error, the writer must not.
fn fail(failure: &mut Option<ReqlError>, error: redb::Error) -> ReqlError {
    failure.get_or_insert(explain(error)).clone()
}

/// The documents of a range of keys; see [`Batch::scan`].
pub struct BatchScan<'a, 'txn> {
    range: Option<redb::Range<'a, &'static [u8], &'static [u8]>>,
    view: &'a mut View<'txn>,
    failure: &'a mut Option<ReqlError>,
    table: TableId,
    direction: Direction,
}

impl Iterator for BatchScan<'_, '_> {
    type Item = Result<(Vec<u8>, Datum), ReqlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.range.as_mut()?;
        let entry = match self.direction {
            Direction::Ascending => range.next()?,
            Direction::Descending => range.next_back()?,
        };
        Some(match entry {
            Ok((key, value)) => self
                .view
                .decode(self.table, value.value(), &mut Vec::new())
                .map(|datum| (key.value().to_vec(), datum)),
            Err(error) => Err(fail(self.failure, error.into())),
        })
    }
}
