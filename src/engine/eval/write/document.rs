//! Writing documents in batches.

use std::sync::Arc;

use super::options::Options;
use super::stats::Stats;
use super::storable::check_storable;
use crate::engine::datum::{Datum, Object, primary_key};
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::selection::Table;
use crate::engine::storage::Batch;

/// The most documents in one batch. The writer runs operations of other queries between batches.
const MAX_BATCH_DOCUMENTS: usize = 500;

/// The size in bytes from which a batch is full. A batch is held in memory.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// Writes documents in batches of bounded size. Each batch is atomic, but the whole write is not.
pub(super) fn write_all<T: Send + 'static>(
    env: &Env,
    options: Options,
    table: &Table,
    items: Vec<T>,
    write: impl Fn(&Env, &mut Batch<'_>, &Table, T, &mut Stats) -> Result<(), ReqlError>
    + Send
    + Sync
    + 'static,
) -> Result<Stats, ReqlError> {
    let mut total = Stats::new(options.return_changes, env.array_limit());
    let mut left = items;
    let write = Arc::new(write);
    while !left.is_empty() {
        let (table, write) = (table.clone(), Arc::clone(&write));
        let (stats, rest) = env.write(options.durability, move |env, batch| {
            check_table(batch, &table)?;
            let mut stats = Stats::new(options.return_changes, env.array_limit());
            let mut items = left.into_iter();
            for item in items.by_ref().take(MAX_BATCH_DOCUMENTS) {
                write(env, batch, &table, item, &mut stats)?;
                if batch.bytes() > MAX_BATCH_BYTES {
                    break;
                }
            }
            Ok((stats, items.collect::<Vec<_>>()))
        })?;
        total.add(stats);
        left = rest;
    }
    Ok(total)
}

/// Checks that the table was not dropped between the evaluation of the query and the write.
fn check_table(batch: &Batch<'_>, table: &Table) -> Result<(), ReqlError> {
    match batch.catalog().table_by_id(table.id) {
        Some(_) => Ok(()),
        None => Err(ReqlError::op_failed(format!(
            "Table `{}` does not exist.",
            table.full_name()
        ))),
    }
}

/// Replaces a document and counts the outcome. An error of the document is counted and does not fail the write.
///
/// # Errors
/// A failing storage.
pub(super) fn write_one(
    batch: &mut Batch<'_>,
    table: &Table,
    key: &[u8],
    old: Datum,
    new: Result<Datum, ReqlError>,
    stats: &mut Stats,
) -> Result<(), ReqlError> {
    match new
        .and_then(|new| check_storable(&new).map(|()| new))
        .and_then(|new| check_document(table, key, &old, new))
    {
        Err(error) => stats.failed(error, &old),
        Ok(new) => {
            let is_same = old.equals(&new)?;
            // An unchanged document is not written, so that feeds do not report it (golden:
            // `a_write_that_changes_nothing_is_not_streamed`).
            match (&old, &new) {
                (_, Datum::Null) if is_same => {}
                (_, Datum::Null) => drop(batch.delete(table.id, key)?),
                _ if is_same => {}
                _ => batch.put(table.id, key, &new)?,
            }
            stats.written(old, new, is_same);
        }
    }
    Ok(())
}

/// Checks that a value may replace a document.
fn check_document(table: &Table, key: &[u8], old: &Datum, new: Datum) -> Result<Datum, ReqlError> {
    let name = &table.primary_key;
    let fields: &Object = match &new {
        Datum::Null => return Ok(new),
        Datum::Object(fields) => fields,
        other => {
            return Err(ReqlError::logic(format!(
                "Inserted value must be an OBJECT (got {}):\n{}",
                other.type_name(),
                other.print()
            )));
        }
    };
    let Some(new_key) = fields.get(name) else {
        return Err(ReqlError::missing(format!(
            "Inserted object must have primary key `{name}`:\n{}",
            new.print()
        )));
    };
    if primary_key(new_key)? != key {
        return Err(ReqlError::logic(format!(
            "Primary key `{name}` cannot be changed (`{}` -> `{}`).",
            old.print(),
            new.print()
        )));
    }
    Ok(new)
}
