//! Opening a database: assembles the parts of the storage and starts its threads.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::build_progress::BuildProgress;
use super::commit::{Commit, OnCommit};
use super::damage::DamageLog;
use super::database::LiveDatabase;
use super::failure::OnReadFailure;
use super::handle::{Handle, Storage};
use super::health::Health;
use super::index_functions::{CompileIndex, IndexFunctions};
use super::inspection;
use super::medium::{FileMedium, Medium};
use super::open::{self, Opened};
use super::open_error::OpenError;
use super::snapshots::Snapshots;
use super::stats::Counters;
use super::writer::{Queue, Writer, WriterParts, WriterTiming};

impl Storage {
    /// Opens the database in `folder`, creating both if they are missing. Blocks on the disk.
    ///
    /// `compile_index` compiles the functions of secondary indexes. Indexes that are not ready, such as those of a
    /// folder of an earlier release, are built in the background.
    ///
    /// `on_commit` is called on the writer thread after each commit, before its writes are acknowledged. It must be
    /// quick, because it delays all writes.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        folder: &Path,
        compile_index: CompileIndex,
        on_commit: Box<dyn Fn(Commit) + Send + Sync>,
    ) -> Result<Self, OpenError> {
        let medium =
            FileMedium::in_folder(folder).map_err(|error| OpenError::from_io(folder, error))?;
        let timing = WriterTiming::default();
        Self::open_on(folder, Box::new(medium), compile_index, on_commit, timing)
    }

    pub(super) fn open_on(
        folder: &Path,
        medium: Box<dyn Medium>,
        compile_index: CompileIndex,
        on_commit: OnCommit,
        timing: WriterTiming,
    ) -> Result<Self, OpenError> {
        let Opened {
            database,
            state,
            catalog,
        } = open::open(folder, &*medium)?;
        let queue = Arc::new(Queue::new());
        let reports = Arc::clone(&queue);
        let on_read_failure: OnReadFailure =
            Arc::new(move |failure| reports.report_read_failure(failure));
        let database = Arc::new(LiveDatabase::new(database, on_read_failure));
        let damage = Arc::new(DamageLog::default());
        let snapshots = Arc::new(Snapshots::new(
            Arc::clone(&database),
            damage,
            state,
            Arc::clone(&catalog),
        ));
        let counters = Arc::new(Counters::new(state.seq));
        let progress = Arc::new(BuildProgress::default());
        let health = Arc::new(Health::default());
        let parts = WriterParts {
            timing,
            medium,
            queue: Arc::clone(&queue),
            database,
            snapshots: Arc::clone(&snapshots),
            counters: Arc::clone(&counters),
            functions: IndexFunctions::new(compile_index),
            progress: Arc::clone(&progress),
            health: Arc::clone(&health),
            on_commit,
        };
        let writer = Writer::new(parts, state, catalog);
        let thread = writer.spawn().map_err(|error| OpenError::Disk {
            folder: folder.to_owned(),
            detail: error.to_string(),
        })?;
        let storage = Self {
            handle: Arc::new(Handle {
                queue,
                snapshots,
                counters,
                progress,
                health,
                writer: Mutex::new(Some(thread)),
            }),
        };
        inspection::start(&storage);
        Ok(storage)
    }
}
