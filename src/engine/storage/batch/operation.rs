//! One operation of a batch: completed if it succeeds, undone if it fails.

use super::Batch;
use super::operation_log::OperationLog;
use crate::engine::storage::tables::Redo;

impl Batch<'_> {
    /// Starts an operation: if it fails, the batch is rolled back to this point.
    pub(in crate::engine::storage) fn begin_operation(&mut self) {
        self.operation = OperationLog {
            changes: self.changes.len(),
            redo: self.redo.len(),
            ..OperationLog::default()
        };
    }

    /// Ends an operation that succeeded: stores its blobs and removes those that it replaced.
    pub(in crate::engine::storage) fn accept(&mut self) {
        let operation = std::mem::take(&mut self.operation);
        if self.error.get().is_none() {
            let completed = self.complete(&operation);
            // The writer reads the error from `self.error`.
            let _ = self.error.check(completed);
        }
    }

    fn complete(&mut self, operation: &OperationLog) -> Result<(), redb::Error> {
        // A blob that is added and removed in one operation is never stored, and `DropTable` removes the blobs of its
        // table.
        for &(table, blob) in &operation.added_blobs {
            if operation.unused_blobs.contains(&(table, blob)) || operation.dropped.contains(&table)
            {
                self.reader.added.remove(&blob);
            } else if let Some(bytes) = self.reader.added.get(&blob).cloned() {
                self.redo.push(Redo::StoreBlob { table, blob, bytes });
            }
        }
        for &(table, blob) in &operation.unused_blobs {
            if !operation.added_blobs.contains(&(table, blob))
                && !operation.dropped.contains(&table)
            {
                // An earlier operation of this batch may have added it.
                self.reader.added.remove(&blob);
                self.redo.push(Redo::RemoveBlob { table, blob });
            }
        }
        self.redo.extend(
            operation
                .dropped
                .iter()
                .map(|table| Redo::DropTable(*table)),
        );
        self.dropped.extend(&operation.dropped);
        self.redo.extend(
            operation
                .dropped_indexes
                .iter()
                .map(|index| Redo::DropIndex(*index)),
        );
        for redo in &self.redo[operation.redo..] {
            match redo {
                // In redb already, so that the operation could read its own writes.
                Redo::Put { .. }
                | Redo::Delete { .. }
                | Redo::AddEntry { .. }
                | Redo::RemoveEntry { .. } => {}
                redo => self.tables.apply(redo)?,
            }
        }
        Ok(())
    }

    /// Ends an operation that failed: undoes its writes. The blob numbers that it took are skipped, not reused.
    pub(in crate::engine::storage) fn reject(&mut self) {
        let operation = std::mem::take(&mut self.operation);
        self.changes.truncate(operation.changes);
        self.redo.truncate(operation.redo);
        for (_, blob) in &operation.added_blobs {
            self.reader.added.remove(blob);
        }
        let restored = self.restore(&operation);
        if let Some(catalog) = operation.catalog {
            self.catalog = catalog;
        }
        // The writer reads the error from `self.error`.
        let _ = self.error.check(restored);
    }

    fn restore(&mut self, operation: &OperationLog) -> Result<(), redb::Error> {
        // In reverse, so that a document written twice ends with the bytes from before the first write.
        for (table, key, old) in operation.documents.iter().rev() {
            let documents = self.tables.documents(*table)?;
            match old {
                Some(old) => drop(documents.insert(key.as_slice(), old.as_slice())?),
                None => drop(documents.remove(key.as_slice())?),
            }
        }
        for change in operation.entries.iter().rev() {
            if change.is_added {
                self.tables.remove_entry(change.index, &change.entry)?;
            } else {
                self.tables
                    .add_entry(change.index, &change.entry, &change.key)?;
            }
        }
        operation
            .created_indexes
            .iter()
            .try_for_each(|index| self.tables.drop_index(*index))?;
        operation
            .created
            .iter()
            .try_for_each(|table| self.tables.drop_table(*table))
    }
}
