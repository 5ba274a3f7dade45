//! Reading and writing whole rows, for backups.

mod format;

use std::collections::BTreeMap;
use std::time::Duration;

use async_stream::try_stream;
use futures::Stream;
use reql::r;
use serde_json::{Value, json};

pub use format::BackupPart;
pub(crate) use format::{BackupReader, BackupWriter, InvalidBackup};

use super::client::{ClusterSettings, single_value};
use super::error::StoreError;
use super::handle::Store;
use super::rows::without_bytes;
use super::tables::{BOARDS, IMAGES, LAYOUTS, PLACEMENTS};
use super::write::{Inserted, insert_row, insert_with_retry};

/// Time limit for the descriptions of all images.
const ROWS_TIMEOUT: Duration = Duration::from_secs(120);

/// Time limit for one image.
const IMAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The field that names the table of a row while all are read together.
const TABLE: &str = "backupTable";

/// The fields of an image that hold bytes.
const BYTES: [&str; 2] = ["file", "thumb"];

impl Store {
    /// A store to restore a backup into: creates the tables, and starts no background tasks.
    ///
    /// # Errors
    ///
    /// As [`Store::connect`].
    pub async fn for_restore(settings: ClusterSettings) -> Result<Self, StoreError> {
        let (store, _shutdown) = Self::open(settings, super::DEFAULT_UNDO_WINDOW).await?;
        Ok(store)
    }

    /// Returns the rows of all tables as of one moment, images first. The bytes of an image never change, so they are
    /// read one image at a time; an image that is purged meanwhile is left out, with its placement.
    ///
    /// The embedded engine answers the query for all rows from one snapshot. A RethinkDB reads one table after the
    /// other.
    pub fn backup(&self) -> impl Stream<Item = Result<BackupPart, StoreError>> + use<> {
        let store = self.clone();
        try_stream! {
            let mut tables = store.rows_by_table().await?;
            let mut absent = Vec::new();
            for row in tables.remove(IMAGES).unwrap_or_default() {
                let id = row["id"].as_str().unwrap_or_default().to_owned();
                match store.with_bytes(&id, row).await {
                    Ok(Some(row)) => yield part(IMAGES, row),
                    Ok(None) => absent.push(id),
                    Err(StoreError::Damaged(reason)) => {
                        absent.push(id.clone());
                        yield BackupPart::Damaged { id, reason };
                    }
                    Err(error) => Err(error)?,
                }
            }
            for table in [PLACEMENTS, LAYOUTS, BOARDS] {
                for row in tables.remove(table).unwrap_or_default() {
                    let is_absent = table == PLACEMENTS
                        && absent.iter().any(|id| row["id"] == id.as_str());
                    if !is_absent {
                        yield part(table, row);
                    }
                }
            }
        }
    }

    /// All rows, by table, those of images without bytes. One query, so that the embedded engine uses one snapshot.
    async fn rows_by_table(&self) -> Result<BTreeMap<String, Vec<Value>>, StoreError> {
        let named = |rows: reql::Command, table: &str| rows.merge(r.expr(json!({ TABLE: table })));
        let rows = named(without_bytes(self.images()), IMAGES)
            .union(named(self.placements(), PLACEMENTS))
            .union(named(self.layouts(), LAYOUTS))
            .union(named(self.boards(), BOARDS));
        let mut tables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for mut row in self
            .pool()
            .query_within::<Value>(rows, ROWS_TIMEOUT)
            .await?
        {
            let table = row.as_object_mut().and_then(|row| row.remove(TABLE));
            if let Some(Value::String(table)) = table {
                tables.entry(table).or_default().push(row);
            }
        }
        for rows in tables.values_mut() {
            rows.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        }
        Ok(tables)
    }

    /// Adds the bytes to the row of an image; `None` if it is gone.
    async fn with_bytes(&self, id: &str, mut row: Value) -> Result<Option<Value>, StoreError> {
        let size = row["size"].as_u64().unwrap_or_default();
        let _permit = self.inner.download_budget.acquire(size).await?;
        let bytes = self.images().get(id).pluck(r.expr(BYTES[0]));
        let bytes = bytes.with_arg(r.expr(BYTES[1])).default(r.expr(()));
        let bytes = self.pool().query_within(bytes, IMAGE_TIMEOUT).await?;
        let Value::Object(mut bytes) = single_value(bytes)? else {
            return Ok(None);
        };
        for field in BYTES {
            if let Some(value) = bytes.remove(field) {
                row[field] = value;
            }
        }
        Ok(row["file"].is_object().then_some(row))
    }

    /// Returns `true` if no table has a row.
    ///
    /// # Errors
    ///
    /// If the database is unavailable.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        for table in [
            self.images(),
            self.placements(),
            self.layouts(),
            self.boards(),
        ] {
            if self.pool().value::<u64>(r.count(table)).await? > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Stores a row of a backup, on disk.
    ///
    /// # Errors
    ///
    /// If the database is unavailable, backups have no such table, or the table has a row with this key already.
    pub async fn restore_row(&self, table: &str, row: &Value) -> Result<(), StoreError> {
        let table = match table {
            IMAGES => self.images(),
            PLACEMENTS => self.placements(),
            LAYOUTS => self.layouts(),
            BOARDS => self.boards(),
            other => {
                return Err(StoreError::Corrupt(format!(
                    "a backup has no table {other:?}"
                )));
            }
        };
        let inserted = insert_with_retry(self.pool(), || insert_row(table.clone(), row)).await?;
        match inserted {
            Inserted::Now | Inserted::Perhaps => Ok(()),
            Inserted::Before => Err(StoreError::Refused(format!(
                "the key {} exists already",
                row["id"]
            ))),
        }
    }
}

fn part(table: &str, row: Value) -> BackupPart {
    BackupPart::Row {
        table: table.to_owned(),
        row,
    }
}
