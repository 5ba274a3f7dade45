//! `realtime-photo restore FILE`: writes a backup into an empty data folder, or an empty database of a RethinkDB.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::spawn_blocking;

use super::backup::Progress;
use crate::config::Database;
use crate::engine::{Engine, EngineError, EngineSettings};
use crate::store::{BackupPart, BackupReader, ClusterSettings, InvalidBackup, Store, StoreError};

/// The rows that are written at once. Each image needs several times its size in memory.
const CONCURRENT: usize = 4;

/// Why a backup was not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is no whole backup.
    #[error("{} cannot be restored: {reason}", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database has rows.
    #[error("{0} is not empty: restore into a new folder or database")]
    NotEmpty(String),
    /// The database failed.
    #[error("cannot restore: {0}")]
    Database(#[from] StoreError),
    /// The threads for the engine.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
}

/// Verifies a backup, then restores it. Tables and indexes are made as by a server. Prints the progress to standard error.
///
/// # Errors
///
/// See [`RestoreError`]. What was restored until then stays.
pub async fn restore(file: &Path, database: Database) -> Result<(), RestoreError> {
    let rows = for_each_part(file, |_, _| {})?;
    eprintln!("{}: {rows} rows, verified.", file.display());
    let (engine, cluster, name) = match database {
        Database::Cluster(cluster) => (None, cluster, "the database".to_owned()),
        Database::Embedded(embedded) => {
            let name = format!("the data folder {}", embedded.data.display());
            let settings = EngineSettings {
                data_dir: embedded.data,
                listen: (Ipv4Addr::LOCALHOST, 0).into(),
                password: None,
            };
            let engine = spawn_blocking(|| Engine::start(settings)).await;
            let engine = engine.map_err(|error| RestoreError::Threads(error.into()))??;
            let mut cluster = ClusterSettings::new("127.0.0.1", engine.address().port());
            cluster.password = engine.password().to_owned().into();
            (Some(engine), cluster, name)
        }
    };
    let restored = restore_into(file, rows, cluster, name).await;
    if let Some(engine) = engine {
        // It has a runtime of its own, which must not be dropped on this one's threads.
        let closed = spawn_blocking(move || engine.shutdown()).await;
        closed.map_err(|error| RestoreError::Threads(error.into()))?;
    }
    restored
}

async fn restore_into(
    file: &Path,
    rows: u64,
    cluster: ClusterSettings,
    name: String,
) -> Result<(), RestoreError> {
    let store = Store::for_restore(cluster).await?;
    if !store.is_empty().await? {
        return Err(RestoreError::NotEmpty(name));
    }
    // Parsed on a thread of its own, a few rows ahead.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let path = file.to_owned();
    let reading = spawn_blocking(move || {
        for_each_part(&path, |part, bytes| {
            // Fails if writing has failed.
            let _ = sender.blocking_send((part, bytes));
        })
    });
    let parts = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|part| (part, receiver))
    });
    let mut progress = Progress::default();
    let written = parts
        .map(|(part, bytes)| {
            let store = &store;
            async move {
                match part {
                    BackupPart::Row { table, row } => {
                        store.restore_row(&table, &row).await.map(|()| (1, bytes))
                    }
                    BackupPart::Damaged { .. } => Ok((0, bytes)),
                }
            }
        })
        .buffered(CONCURRENT);
    let mut written = std::pin::pin!(written);
    while let Some((count, bytes)) = written.try_next().await? {
        progress.rows += count;
        progress.add(bytes);
    }
    reading
        .await
        .map_err(|error| RestoreError::Threads(error.into()))??;
    eprintln!("{} of {rows} rows restored into {name}.", progress.rows);
    Ok(())
}

/// Calls `found` with each part of a backup and its size in bytes. Returns the number of rows.
///
/// # Errors
///
/// If the file cannot be read, or is no whole backup.
fn for_each_part(
    file: &Path,
    mut found: impl FnMut(BackupPart, usize),
) -> Result<u64, RestoreError> {
    let unreadable = |source: io::Error| RestoreError::File {
        file: file.to_owned(),
        source,
    };
    let invalid = |reason: InvalidBackup| RestoreError::Invalid {
        file: file.to_owned(),
        reason: reason.to_string(),
    };
    let mut lines = BufReader::new(File::open(file).map_err(unreadable)?);
    let mut reader = BackupReader::default();
    let mut line = Vec::new();
    while lines
        .by_ref()
        .take(reader.max_line())
        .read_until(b'\n', &mut line)
        .map_err(unreadable)?
        > 0
    {
        if let Some(part) = reader.line(&line).map_err(invalid)? {
            found(part, line.len());
        }
        line.clear();
    }
    reader.end().map_err(invalid)
}
