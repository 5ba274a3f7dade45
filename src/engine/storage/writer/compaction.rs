//! Compaction while the database is in use: the file is copied in the background, and replaced by the copy.
//!
//! redb reuses the space of what is deleted, but returns it to the disk only from the end of the file, and can move
//! pages there only while nobody reads or writes. A copy needs space on the disk, but delays nobody: what is written
//! meanwhile is copied afterwards, until so little is left that writers can wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redb::Database;

use super::queue::{Copied, Queue};
use super::timing::WriterTiming;
use crate::engine::storage::copy::{self, Changed, CopyError};
use crate::engine::storage::held_bytes::held_bytes;
use crate::engine::storage::medium::Medium;
use crate::engine::storage::snapshot::Snapshot;
use crate::engine::storage::tables::Redo;

/// The bytes that must have been removed since the last compaction for another one.
const MIN_REMOVED: usize = 1 << 20;

/// A file is copied if it takes up more than this many times the space of its contents, as a fraction: 6 / 5.
const MAX_RATIO: (u64, u64) = (6, 5);

/// The part of the time that compaction may take, as 1 / 20: the next one waits for 20 times as long as the last one
/// took.
const SHARE: u32 = 20;

/// The space in bytes that must be left on the disk beside the copy.
const SPARE_BYTES: u64 = 64 << 20;

/// Compaction as the writer thread sees it.
pub(super) struct Compactor {
    timing: WriterTiming,
    /// The bytes of blobs that were removed since the last attempt.
    removed: usize,
    /// The time of the next attempt; `None` if nothing was removed.
    due: Option<Instant>,
    /// The earliest time of the next attempt.
    not_before: Instant,
    running: Option<Running>,
}

struct Running {
    start: Instant,
    generation: u64,
    stop: Arc<AtomicBool>,
    changed: Changed,
}

impl Compactor {
    pub(super) fn new(timing: WriterTiming) -> Self {
        let now = Instant::now();
        Self {
            timing,
            // An earlier run may have left space, or an earlier release.
            removed: MIN_REMOVED,
            due: Some(now + timing.compaction_delay),
            not_before: now,
            running: None,
        }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.running.is_none())
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Waits for better times.
    pub(super) fn postpone(&mut self) {
        self.due = Some(Instant::now() + self.timing.compaction_delay);
    }

    /// Records a commit.
    pub(super) fn record(&mut self, steps: &[Redo], removed: usize, catalog_changed: bool) {
        let drops = steps.iter().any(|step| matches!(step, Redo::DropTable(_)));
        self.removed += if drops { MIN_REMOVED } else { removed };
        if self.removed >= MIN_REMOVED && (removed > 0 || drops) {
            // More is mostly removed soon.
            let quiet = Instant::now() + self.timing.compaction_delay;
            self.due = Some(quiet.max(self.not_before));
        }
        if let Some(running) = &mut self.running
            && (!running.changed.record(steps) || catalog_changed)
        {
            self.abort();
        }
    }

    /// Starts to copy a snapshot, of which nothing has been written since.
    pub(super) fn start(
        &mut self,
        snapshot: Arc<Snapshot>,
        generation: u64,
        medium: &dyn Medium,
        queue: &Arc<Queue>,
    ) {
        self.due = None;
        self.removed = 0;
        let Some(allocated) = medium.allocated_bytes() else {
            return;
        };
        let Some(available) = medium.available_bytes() else {
            return;
        };
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let create = medium.creates_copy();
        let work = move || {
            let held = held_bytes(&snapshot)?;
            if allocated * MAX_RATIO.1 <= held * MAX_RATIO.0 {
                return Ok(None);
            }
            if available < held + held / 10 + SPARE_BYTES {
                log::warn!(
                    "the database file takes up {allocated} bytes for {held}, and there is no space to copy it; the \
                     space will be used for new images"
                );
                return Ok(None);
            }
            let mut new = create().map_err(|error| CopyError::Redb(error.into()))?;
            copy::copy(&snapshot, &mut new, &stopped)?;
            Ok(Some(new))
        };
        self.spawn(queue, generation, stop, Instant::now(), work);
    }

    fn spawn(
        &mut self,
        queue: &Arc<Queue>,
        generation: u64,
        stop: Arc<AtomicBool>,
        start: Instant,
        work: impl FnOnce() -> Result<Option<Database>, CopyError> + Send + 'static,
    ) {
        let reports = Arc::clone(queue);
        let copying = move || {
            reports.report_copy(match work() {
                Ok(Some(copy)) => Copied::Done(copy),
                Ok(None) => Copied::NotNeeded,
                Err(error) => Copied::Failed(error),
            });
        };
        let thread = thread::Builder::new().name("storage-copy".to_owned());
        match thread.spawn(copying) {
            Ok(_) => {
                self.running = Some(Running {
                    start,
                    generation,
                    stop,
                    changed: Changed::default(),
                });
            }
            Err(error) => log::warn!("the database file cannot be compacted: {error}"),
        }
    }

    /// The changes since the copy and the time it took; `None` if the copy is no longer of use.
    pub(super) fn finished(&mut self, generation: u64) -> Option<(Changed, Duration)> {
        let running = self.running.take()?;
        let took = running.start.elapsed();
        self.not_before = Instant::now() + took * SHARE;
        let is_wanted = running.generation == generation && !running.stop.load(Ordering::Relaxed);
        if !is_wanted {
            // Tried again, since the space is still there.
            self.removed = MIN_REMOVED;
            self.due = Some(self.not_before + self.timing.compaction_delay);
        }
        is_wanted.then_some((running.changed, took))
    }

    /// Continues a copy in the background with the changes since it was made. `took` is the time that it took so far.
    pub(super) fn resume(
        &mut self,
        snapshot: Arc<Snapshot>,
        generation: u64,
        copy: Database,
        (changed, took): (Changed, Duration),
        queue: &Arc<Queue>,
    ) {
        let start = Instant::now().checked_sub(took);
        let work = move || {
            copy::catch_up(&snapshot, &changed, &copy)?;
            Ok(Some(copy))
        };
        let stop = Arc::new(AtomicBool::new(false));
        let start = start.unwrap_or_else(Instant::now);
        self.spawn(queue, generation, stop, start, work);
    }

    /// Makes a copy that is being made of no use.
    pub(super) fn abort(&mut self) {
        if let Some(running) = &self.running {
            running.stop.store(true, Ordering::Relaxed);
        }
    }
}
