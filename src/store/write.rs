//! Writes to single rows: conditional updates, and inserts that are retried.

use std::time::Duration;

use reql::cmd::{Durability, insert, replace, update};
use reql::types::WriteStatus;
use reql::{Command, Func, func, r};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::client::{Pool, single_value};
use super::error::StoreError;
use super::rows::DELETED_AT;

/// Message of the error that a conditional write raises for a row that it must not change. Clients never see it.
pub(super) const CONDITION_NOT_MET: &str = "condition not met";

/// Time limit for storing one row, on disk. A slow disk writes 90 MiB, the largest permitted file, in about ten
/// seconds.
const INSERT_TIMEOUT: Duration = Duration::from_secs(30);

/// Time after which an insert is no longer retried.
const RETRY_TIMEOUT: Duration = Duration::from_secs(4);

/// Pause before the first retry. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Outcome of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// This insert wrote the row.
    Now,
    /// The row existed before.
    Before,
    /// The row exists; most likely an earlier attempt of this insert wrote it and its answer was lost.
    Perhaps,
}

/// Outcome of an update or replace of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowWrite {
    /// The row is as wanted.
    Done,
    /// There is no such row.
    NoRow,
    /// The row exists, and its condition raised [`CONDITION_NOT_MET`].
    ConditionNotMet,
}

impl RowWrite {
    /// Interprets the answer to an update or replace of one row.
    ///
    /// # Errors
    ///
    /// [`StoreError::Refused`] if the database did not execute it.
    pub(super) fn from_status(status: &WriteStatus) -> Result<Self, StoreError> {
        match &status.first_error {
            Some(message) if message == CONDITION_NOT_MET => Ok(Self::ConditionNotMet),
            Some(message) => Err(StoreError::refused(message)),
            None if status.skipped > 0 => Ok(Self::NoRow),
            None => Ok(Self::Done),
        }
    }
}

/// Runs an update or replace of one row; see [`RowWrite`].
pub(super) async fn write_row(pool: &Pool, command: Command) -> Result<RowWrite, StoreError> {
    RowWrite::from_status(&pool.write(command).await?)
}

/// Runs an update or replace of several rows. Returns the number of rows that are as wanted; those that do not exist or
/// whose condition raised [`CONDITION_NOT_MET`] are skipped.
pub(super) async fn write_rows(pool: &Pool, command: Command) -> Result<u64, StoreError> {
    let status: WriteStatus = pool.write(command).await?;
    match status.first_error {
        Some(message) if message != CONDITION_NOT_MET => Err(StoreError::refused(&message)),
        _ => Ok(u64::from(status.replaced) + u64::from(status.unchanged)),
    }
}

/// Makes an update conditional: a row that is marked as deleted stays as it is, with [`RowWrite::ConditionNotMet`].
pub(super) fn unless_deleted(change: Command) -> Func {
    func!(|row| r.branch(r.args((
        row.has_fields(DELETED_AT),
        r.error(CONDITION_NOT_MET),
        change
    ))))
}

/// Options for an update that is answered once it is on disk.
pub(super) fn hard_update() -> update::Options {
    update::Options::new().durability(Durability::Hard)
}

/// Options for a replace that is answered once it is on disk.
pub(super) fn hard_replace() -> replace::Options {
    replace::Options::new().durability(Durability::Hard)
}

/// A command that inserts a row unless its key exists, answered once it is on disk.
pub(super) fn insert_row(table: Command, row: impl Serialize) -> Command {
    let options = insert::Options::new().durability(Durability::Hard);
    table.insert(r.args((row, options)))
}

/// Runs an insert, and retries it with exponential backoff while the database is unavailable or recovers from an error
/// of its disk. A retry is safe because an existing row is never overwritten.
///
/// `command` is called for each attempt, so that no copy of a large row is kept meanwhile.
///
/// # Errors
///
/// The error of the last attempt. The row may have been written nevertheless.
pub(super) async fn insert_with_retry(
    pool: &Pool,
    command: impl Fn() -> Command,
) -> Result<Inserted, StoreError> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut is_retry = false;
    loop {
        let answer = pool.query_once(command(), INSERT_TIMEOUT).await;
        match answer.and_then(single_value) {
            Ok(status) => return inserted(&status, is_retry),
            Err(StoreError::Unavailable(reason) | StoreError::DiskFailed(reason))
                if start.elapsed() + pause < RETRY_TIMEOUT =>
            {
                log::warn!("retrying an insert in {pause:?}: {reason}");
                sleep(pause).await;
                pause *= 2;
                is_retry = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Interprets the answer to an insert of one row.
fn inserted(status: &WriteStatus, is_retry: bool) -> Result<Inserted, StoreError> {
    match &status.first_error {
        None if status.errors == 0 => Ok(Inserted::Now),
        None => Err(StoreError::Refused("no reason given".to_owned())),
        // The rest of the message prints both documents.
        Some(message) if message.starts_with("Duplicate primary key") => Ok(if is_retry {
            Inserted::Perhaps
        } else {
            Inserted::Before
        }),
        Some(message) => Err(StoreError::refused(message)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(fields: serde_json::Value) -> WriteStatus {
        let mut status = json!({
            "inserted": 0, "replaced": 0, "unchanged": 0, "skipped": 0, "deleted": 0, "errors": 0
        });
        for (key, value) in fields.as_object().unwrap() {
            status[key] = value.clone();
        }
        serde_json::from_value(status).unwrap()
    }

    fn error(message: &str) -> WriteStatus {
        status(json!({"errors": 1, "first_error": message}))
    }

    #[test]
    fn a_duplicate_key_is_an_outcome_of_an_insert() {
        let created = status(json!({"inserted": 1}));
        assert_eq!(inserted(&created, false), Ok(Inserted::Now));
        let duplicate = error("Duplicate primary key `id`:\n{…");
        assert_eq!(inserted(&duplicate, false), Ok(Inserted::Before));
        assert_eq!(inserted(&duplicate, true), Ok(Inserted::Perhaps));
        let other = inserted(&error("Array over size limit"), true);
        assert!(matches!(other, Err(StoreError::Refused(_))));
    }

    #[test]
    fn an_unmet_condition_and_a_missing_row_are_outcomes_of_a_write() {
        let unchanged = status(json!({"unchanged": 1}));
        assert_eq!(RowWrite::from_status(&unchanged), Ok(RowWrite::Done));
        let skipped = status(json!({"skipped": 1}));
        assert_eq!(RowWrite::from_status(&skipped), Ok(RowWrite::NoRow));
        let unmet = RowWrite::from_status(&error(CONDITION_NOT_MET));
        assert_eq!(unmet, Ok(RowWrite::ConditionNotMet));
        let other = RowWrite::from_status(&error("Array over size limit"));
        assert!(matches!(other, Err(StoreError::Refused(_))));
    }
}
