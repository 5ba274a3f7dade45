//! The clock of the undo window: the time for which servers have run while the database had deleted images.
//!
//! It is a row of the database, so it continues after a restart, and stands still while no server runs. Steps of the
//! system's clock do not change it: a server whose clock is set ahead by days purges nothing early.
//!
//! Each server adds the time that has passed since it read the row, unless another server has added some meanwhile, so
//! the clock never goes faster than time. A delete records the reading. The clock may be behind by the time
//! that a server is about to add, which is at most [`step`], so an image is due when the clock has advanced by that
//! much more than the undo window.

use std::time::{Duration, Instant};

use reql::{Command, func, r};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::replace::{new_revision, replace_revision};
use crate::store::rows::{DELETED_AT, UNDO_CLOCK, document};
use crate::store::write::{CONDITION_NOT_MET, RowWrite, hard_update, write_row, write_rows};

/// The key of the row, in the table of layouts. No board has it.
const KEY: &str = "undo-clock";

/// The longest and shortest time that is added at once.
const MAX_STEP: Duration = Duration::from_secs(60);
const MIN_STEP: Duration = Duration::from_secs(2);

/// The reading of the clock when a row was deleted, in milliseconds.
///
/// `None` for a row that was deleted by an earlier release. The sweep adds what is missing.
pub(crate) type UndoReading = Option<i64>;

/// A row of the database.
#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    /// The reading of the clock, in milliseconds.
    ms: i64,
    /// Identifies the write of this reading.
    revision: String,
}

/// Advances the clock of a database.
#[derive(Default)]
pub(crate) struct UndoClock {
    /// The last reading, and the latest time at which it was written.
    last: Option<(Row, Instant)>,
}

/// A reading of the clock, and the length of the undo window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UndoTime {
    ms: i64,
    window: Duration,
}

/// The most that a server with this undo window adds at once.
pub(super) fn step(window: Duration) -> Duration {
    (window / 4).clamp(MIN_STEP, MAX_STEP)
}

impl UndoTime {
    /// The reading of the clock, in milliseconds.
    pub(crate) fn ms(self) -> i64 {
        self.ms
    }

    /// Returns `true` if the undo window of a row has ended.
    pub(crate) fn is_due(self, at_delete: UndoReading) -> bool {
        self.until_due(at_delete).is_some_and(|rest| rest.is_zero())
    }

    /// The time until the undo window of a row ends. `None` for a row that the clock does not cover yet, because it was
    /// deleted by an earlier release or comes from another database.
    pub(crate) fn until_due(self, at_delete: UndoReading) -> Option<Duration> {
        if self.window.is_zero() {
            return Some(Duration::ZERO);
        }
        let passed = self.ms.checked_sub(at_delete?)?;
        let passed = Duration::from_millis(u64::try_from(passed).ok()?);
        Some((self.window + step(self.window)).saturating_sub(passed))
    }
}

impl UndoClock {
    /// Adds the time since the last call, and returns the reading.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub(crate) async fn advance(&mut self, store: &Store) -> Result<UndoTime, StoreError> {
        let window = store.inner.undo_window;
        if let Some((before, at)) = self.last.take() {
            let now = Instant::now();
            let added = now.duration_since(at).min(step(window));
            let row = Row {
                id: KEY.to_owned(),
                ms: before.ms + added.as_millis() as i64,
                revision: new_revision(),
            };
            let replace = replace_revision(
                store.layouts().get(KEY),
                &before.revision,
                &row.revision,
                &row,
            );
            if write_row(store.pool(), replace).await? == RowWrite::Done {
                let ms = row.ms;
                self.last = Some((row, now));
                return Ok(UndoTime { ms, window });
            }
            // Another server was faster.
        }
        let row = store.undo_clock_row().await?;
        let ms = row.ms;
        self.last = Some((row, Instant::now()));
        Ok(UndoTime { ms, window })
    }
}

impl Store {
    /// Reads the clock.
    pub(crate) async fn undo_time(&self) -> Result<UndoTime, StoreError> {
        Ok(UndoTime {
            ms: self.undo_clock_row().await?.ms,
            window: self.inner.undo_window,
        })
    }

    async fn undo_clock_row(&self) -> Result<Row, StoreError> {
        let row: Value = self.pool().value(self.layouts().get(KEY)).await?;
        let row = document(row, "layouts")?;
        Ok(row.unwrap_or_else(|| Row {
            id: KEY.to_owned(),
            ms: 0,
            revision: String::new(),
        }))
    }
}

/// Lets the undo window of deleted rows begin now.
pub(crate) async fn begin_window(
    store: &Store,
    rows: Command,
    now: UndoTime,
) -> Result<(), StoreError> {
    let begins = func!(|row| r.branch(r.args((
        row.has_fields(DELETED_AT),
        r.expr(json!({ UNDO_CLOCK: now.ms })),
        r.error(CONDITION_NOT_MET),
    ))));
    let write = rows.update(r.args((begins, hard_update())));
    write_rows(store.pool(), write).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_undo_window_is_counted_from_what_the_clock_read_at_the_delete() {
        let at = |ms| UndoTime { ms, window: HOUR };
        let window = (HOUR + MAX_STEP).as_millis() as i64;
        assert_eq!(at(500).until_due(Some(500)), Some(HOUR + MAX_STEP));
        assert!(!at(499 + window).is_due(Some(500)));
        assert!(at(500 + window).is_due(Some(500)));
        // Deleted by an earlier release, or restored from a database whose clock read more.
        assert_eq!(at(i64::MAX).until_due(None), None);
        assert_eq!(at(500).until_due(Some(501)), None);
        assert!(!at(500).is_due(Some(501)));
    }

    #[test]
    fn without_an_undo_window_everything_is_due() {
        let time = UndoTime {
            ms: 5,
            window: Duration::ZERO,
        };
        assert!(time.is_due(None) && time.is_due(Some(9)));
    }

    #[test]
    fn a_short_undo_window_is_counted_in_short_steps() {
        assert_eq!(step(Duration::from_secs(40)), Duration::from_secs(10));
        assert_eq!(step(HOUR), MAX_STEP);
        assert_eq!(step(Duration::from_millis(100)), MIN_STEP);
    }
}
