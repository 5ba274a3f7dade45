//! `realtime-photo restore FILE`: writes a backup into an empty data folder, or an empty database of a RethinkDB.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::mpsc;
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
        /// The defect.
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

/// Verifies a backup, then restores it. Tables and indexes are made as by a server. Prints the progress to standard
/// error.
///
/// # Errors
///
/// See [`RestoreError`]. What was restored until then stays.
pub async fn restore(file: &Path, database: Database) -> Result<(), RestoreError> {
    let rows = count_rows(Parts::open(file)?)?;
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
    let (sender, receiver) = mpsc::channel(1);
    let parts = Parts::open(file)?;
    let reading = spawn_blocking(move || send_parts(parts, &sender));
    let written = write_parts(&store, receiver).await;
    let read = reading.await;
    let written = written?;
    read.map_err(|error| RestoreError::Threads(error.into()))??;
    eprintln!("{written} of {rows} rows restored into {name}.");
    Ok(())
}

/// Writes the parts of a backup, and returns the number of rows. Ends with the first error, and drops the receiver
/// then.
async fn write_parts(
    store: &Store,
    receiver: mpsc::Receiver<(BackupPart, usize)>,
) -> Result<u64, StoreError> {
    let parts = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|part| (part, receiver))
    });
    let written = parts
        .map(|(part, bytes)| async move {
            match part {
                BackupPart::Row { table, row } => {
                    store.restore_row(&table, &row).await.map(|()| (1, bytes))
                }
                BackupPart::Damaged { .. } => Ok((0, bytes)),
            }
        })
        .buffered(CONCURRENT);
    let mut written = std::pin::pin!(written);
    let mut progress = Progress::default();
    while let Some((count, bytes)) = written.try_next().await? {
        progress.rows += count;
        progress.add(bytes);
    }
    Ok(progress.rows)
}

/// Sends the parts of a backup, and stops when nobody receives them: writing has failed then.
///
/// # Errors
///
/// If a part cannot be read.
fn send_parts(
    parts: impl Iterator<Item = Result<(BackupPart, usize), RestoreError>>,
    sender: &mpsc::Sender<(BackupPart, usize)>,
) -> Result<(), RestoreError> {
    for part in parts {
        if sender.blocking_send(part?).is_err() {
            break;
        }
    }
    Ok(())
}

fn count_rows(parts: Parts) -> Result<u64, RestoreError> {
    let mut rows = 0;
    for part in parts {
        rows += u64::from(matches!(part?, (BackupPart::Row { .. }, _)));
    }
    Ok(rows)
}

/// The parts of a backup, each with its size in bytes. The last item is an error if the file cannot be read, or is no
/// whole backup.
struct Parts {
    file: PathBuf,
    lines: BufReader<File>,
    /// `None` after the end.
    reader: Option<BackupReader>,
    line: Vec<u8>,
}

impl Parts {
    fn open(file: &Path) -> Result<Self, RestoreError> {
        let opened = File::open(file).map_err(|source| RestoreError::File {
            file: file.to_owned(),
            source,
        })?;
        Ok(Self {
            file: file.to_owned(),
            lines: BufReader::new(opened),
            reader: Some(BackupReader::default()),
            line: Vec::new(),
        })
    }

    /// Reads up to the next part; `None` at the end.
    fn read(&mut self) -> Result<Option<(BackupPart, usize)>, RestoreError> {
        let invalid = |reason: InvalidBackup| RestoreError::Invalid {
            file: self.file.clone(),
            reason: reason.to_string(),
        };
        while let Some(reader) = &mut self.reader {
            self.line.clear();
            let mut limited = self.lines.by_ref().take(reader.max_line());
            let length = limited.read_until(b'\n', &mut self.line);
            let length = length.map_err(|source| RestoreError::File {
                file: self.file.clone(),
                source,
            })?;
            if length > 0 {
                if let Some(part) = reader.line(&self.line).map_err(invalid)? {
                    return Ok(Some((part, length)));
                }
            } else if let Some(reader) = self.reader.take() {
                reader.end().map_err(invalid)?;
            }
        }
        Ok(None)
    }
}

impl Iterator for Parts {
    type Item = Result<(BackupPart, usize), RestoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.read();
        if part.is_err() {
            self.reader = None;
        }
        part.transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::json;

    use super::*;
    use crate::config::EmbeddedSettings;
    use crate::store::BackupWriter;

    fn layout(id: &str) -> BackupPart {
        BackupPart::Row {
            table: "layouts".to_owned(),
            row: json!({ "id": id }),
        }
    }

    #[test]
    fn reading_a_backup_ends_when_writing_has_failed() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let read = Cell::new(0);
        let parts = (0..1000).map(|number| {
            read.set(number);
            Ok((layout("a"), 1))
        });
        send_parts(parts, &sender).unwrap();
        assert_eq!(read.get(), 0);
    }

    #[tokio::test]
    async fn the_first_row_that_cannot_be_written_ends_the_restoration() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.jsonl");
        let (mut writer, mut backup) = BackupWriter::new();
        for id in ["a", "a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            backup += &writer.part(layout(id));
        }
        backup += &writer.end();
        std::fs::write(&file, backup).unwrap();
        let database = Database::Embedded(EmbeddedSettings {
            data: folder.path().join("data"),
            publish: None,
        });
        let error = restore(&file, database).await.unwrap_err();
        let expected =
            "cannot restore: the database refused the query: the key \"a\" exists already";
        assert_eq!(error.to_string(), expected);
    }
}
