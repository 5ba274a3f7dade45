//! Builds secondary indexes of tables that have documents, in steps between the commits of other writes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::error::ReqlError;
use crate::engine::storage::batch::Batch;
use crate::engine::storage::build_progress::BuildProgress;
use crate::engine::storage::catalog::{Catalog, Index, IndexId, TableId};
use crate::engine::storage::index_functions::IndexFunctions;

/// The time that a step may take. It delays the writes of the same commit.
const STEP_TIME: Duration = Duration::from_millis(10);

/// The pause between two steps. A disk that fails must not keep the writer busy.
const STEP_PAUSE: Duration = Duration::from_millis(1);

/// The indexes that are being built. A build that a failure interrupted starts again from the first document; adding an
/// entry twice has no effect.
pub(super) struct IndexBuilder {
    cursors: HashMap<IndexId, Cursor>,
    progress: Arc<BuildProgress>,
    /// The time of the next step.
    next_step: Instant,
}

/// The progress of a build.
#[derive(Clone, Default)]
struct Cursor {
    /// The last document with entries.
    last: Option<Vec<u8>>,
    documents: u64,
}

impl IndexBuilder {
    pub(super) fn new(progress: Arc<BuildProgress>) -> Self {
        Self {
            cursors: HashMap::new(),
            progress,
            next_step: Instant::now(),
        }
    }

    /// The time of the next step; `None` if all indexes are ready.
    pub(super) fn due(&self, catalog: &Catalog, functions: &IndexFunctions) -> Option<Instant> {
        next_index(catalog, functions).map(|_| self.next_step)
    }

    /// Puts off the next step for a little while.
    pub(super) fn pause(&mut self) {
        self.next_step = Instant::now() + STEP_PAUSE;
    }

    /// Adds the entries of some documents to the first index that is not ready. It is an operation of its own.
    pub(super) fn step(&mut self, batch: &mut Batch<'_>, functions: &IndexFunctions) {
        let catalog = Arc::clone(batch.catalog());
        let Some((table, index)) = next_index(&catalog, functions) else {
            return;
        };
        batch.begin_operation();
        let built = catch_unwind(AssertUnwindSafe(|| self.build(batch, table, index)));
        match built {
            Ok(Ok(())) => batch.accept(),
            Ok(Err(error)) => {
                batch.reject();
                // A failing disk makes the whole group fail, and the build starts again. Otherwise the same document
                // would fail again, until the next start.
                if batch.error().is_none() {
                    log::error!("the index `{}` is not built: {error}", index.name);
                    functions.disable(index.id);
                }
            }
            Err(panic) => {
                // The group fails. The next one must not, for the same reason.
                log::error!(
                    "the index `{}` is not built: its build panicked",
                    index.name
                );
                functions.disable(index.id);
                resume_unwind(panic);
            }
        }
    }

    fn build(
        &mut self,
        batch: &mut Batch<'_>,
        table: TableId,
        index: &Index,
    ) -> Result<(), ReqlError> {
        let total = batch.count(table)?;
        let cursor = self.cursors.entry(index.id).or_default();
        let deadline = Instant::now() + STEP_TIME;
        let step = batch.build_index(table, index, cursor.last.take(), deadline)?;
        cursor.documents += step.documents;
        self.progress.set(index.id, cursor.documents, total);
        match step.last {
            Some(last) => cursor.last = Some(last),
            None => {
                self.cursors.remove(&index.id);
                self.progress.remove(index.id);
            }
        }
        Ok(())
    }

    /// Starts all builds again, after a commit that failed: the entries of its step may be missing.
    pub(super) fn restart(&mut self) {
        self.cursors.clear();
    }
}

fn next_index<'a>(
    catalog: &'a Catalog,
    functions: &IndexFunctions,
) -> Option<(TableId, &'a Index)> {
    let indexes = catalog.tables().iter().flat_map(|table| {
        let of_table = table.indexes.iter();
        of_table.map(|index| (table.id, index))
    });
    indexes
        .into_iter()
        .find(|(_, index)| !index.ready && functions.is_usable(index))
}
