//! Opening the data folder.

use std::cell::Cell;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, StorageError, TableError,
};
use thiserror::Error;

use super::catalog::Catalog;
use super::failure::{explain, is_full};
use super::journal::{Journal, write_meta};
use super::layout::{self, FORMAT, META, MetaError, State};
use crate::engine::error::{ErrorKind, ReqlError};

/// The database file in the data folder.
const FILE_NAME: &str = "board.redb";

/// What redb may keep in memory: by default it takes up to 1 GiB. Hot documents and indexes fit in here, and half of it
/// bounds what a large batch of writes holds back before it goes to the disk.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// What redb says of a file that a later redb wrote; it has no error of its own for that.
const NEWER_REDB: &str = "Expected file format version <=";

/// Why the data folder cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the data folder {folder} is in use by another process: stop that one, or choose another folder"
    )]
    Held {
        /// The folder.
        folder: PathBuf,
    },
    /// It cannot be made or written to.
    #[error(
        "the data folder {folder} cannot be written to ({source}): make it writable, or choose another folder"
    )]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was written by a later version.
    #[error("the data folder {folder} was written by a newer version ({detail}): use that one")]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// What is newer.
        detail: String,
    },
    /// What is in it is not what this program writes.
    #[error(
        "the data folder {folder} is damaged ({detail}): restore it from a backup, or choose another folder"
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// There is no room.
    #[error("the disk of the data folder {folder} is full: make room, or choose another folder")]
    DiskFull {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk fails in another way.
    #[error(
        "the data folder {folder} cannot be opened ({detail}): check the disk, or choose another folder"
    )]
    Disk {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        detail: String,
    },
}

/// Where the database file is. Tests put a disk here that fails.
pub(super) trait Medium: Send {
    /// Opens the file, making it if `create` is set.
    fn open(&self, create: bool) -> Result<Database, DatabaseError>;

    /// Whether the open file can still be found where it was: what is written to a removed one is lost.
    fn is_in_place(&self) -> bool {
        true
    }
}

/// A file in a folder.
pub(super) struct FileMedium {
    path: PathBuf,
    /// Device and number of the file that was opened.
    opened: Cell<Option<(u64, u64)>>,
}

impl Medium for FileMedium {
    fn open(&self, create: bool) -> Result<Database, DatabaseError> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let database = match create {
            true => builder.create(&self.path),
            false => builder.open(&self.path),
        }?;
        self.opened.set(identity(&self.path));
        Ok(database)
    }

    fn is_in_place(&self) -> bool {
        identity(&self.path) == self.opened.get()
    }
}

/// Device and number of a file, where the system has them.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}

/// An open database and what it held.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) state: State,
    pub(super) catalog: Arc<Catalog>,
}

/// Makes the folder if need be.
pub(super) fn folder_medium(folder: &Path) -> Result<FileMedium, OpenError> {
    fs::create_dir_all(folder).map_err(|source| from_io(folder, source))?;
    Ok(FileMedium {
        path: folder.join(FILE_NAME),
        opened: Cell::new(None),
    })
}

/// Opens the database in `folder`, making it if it is not there.
pub(super) fn open(folder: &Path, medium: &dyn Medium) -> Result<Opened, OpenError> {
    let database = open_checked(medium, true).map_err(|error| from_database(folder, error))?;
    let (state, catalog) = match read(&database) {
        Ok(Some(found)) => found,
        Ok(None) => initialise(&database).map_err(|error| from_redb(folder, error))?,
        Err(ReadError::Newer(found)) => {
            return Err(OpenError::Newer {
                folder: folder.to_owned(),
                detail: format!("format {found}, and this one knows up to {FORMAT}"),
            });
        }
        Err(ReadError::Redb(error)) => return Err(from_redb(folder, error)),
    };
    // The file's name has to survive a power cut too. Not every file system can do this.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(Opened {
        database,
        state,
        catalog,
    })
}

impl dyn Medium + '_ {
    /// Opens the file after a failure and writes the journal again. Returns what was on disk. `known` goes from the last
    /// commit that was acknowledged to the last one that was tried.
    pub(super) fn reopen(
        &self,
        journal: &Journal,
        known: RangeInclusive<u64>,
    ) -> Result<(Database, State), ReqlError> {
        // Never creating: an empty database in the place of a lost one would look like lost data.
        let database = open_checked(self, false).map_err(explain)?;
        let disk = match read(&database) {
            Ok(Some((state, _))) => state,
            Ok(None) | Err(ReadError::Newer(_)) => return Err(replaced()),
            Err(ReadError::Redb(error)) => return Err(explain(error)),
        };
        if disk.seq > *known.end() {
            return Err(replaced());
        }
        if disk.seq < *known.start() {
            if !journal.continues(disk.seq, *known.start()) {
                return Err(replaced());
            }
            replay(&database, journal, disk.seq).map_err(explain)?;
        }
        Ok((database, disk))
    }
}

fn replay(database: &Database, journal: &Journal, seq: u64) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // In memory again, so that it needs no room on a full disk.
    transaction.set_durability(Durability::None)?;
    journal.replay(&transaction, seq)?;
    Ok(transaction.commit()?)
}

fn replaced() -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        "The database file was replaced while it was in use; restart the server.",
    )
}

/// redb can panic over a file that was altered.
fn open_checked(medium: &dyn Medium, create: bool) -> Result<Database, DatabaseError> {
    catch_unwind(AssertUnwindSafe(|| medium.open(create))).unwrap_or_else(|_| {
        Err(DatabaseError::Storage(StorageError::Corrupted(
            "the file is not consistent".to_owned(),
        )))
    })
}

enum ReadError {
    Newer(u64),
    Redb(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

/// Reads what the database holds; `None` if it is new.
fn read(database: &Database) -> Result<Option<(State, Arc<Catalog>)>, ReadError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return Ok(None);
        }
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(MetaError::Damaged("meta").into()),
    };
    let format = layout::read_format(&meta)?;
    // Formats below ours are brought up to date here, once there are any.
    if format > FORMAT {
        return Err(ReadError::Newer(format));
    }
    let state = layout::read_state(&meta)?;
    let catalog = layout::read_catalog(&meta)?;
    Ok(Some((state, catalog)))
}

fn initialise(database: &Database) -> Result<(State, Arc<Catalog>), redb::Error> {
    let (state, catalog) = (State::default(), Catalog::default());
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut meta = transaction.open_table(META)?;
        layout::write_format(&mut meta, FORMAT)?;
        write_meta(&mut meta, state, Some(&catalog))?;
    }
    transaction.commit()?;
    Ok((state, Arc::new(catalog)))
}

fn from_database(folder: &Path, error: DatabaseError) -> OpenError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            OpenError::Held {
                folder: folder.to_owned(),
            }
        }
        DatabaseError::Storage(error) => from_redb(folder, error.into()),
        other => damaged(folder, other.to_string()),
    }
}

fn from_redb(folder: &Path, error: redb::Error) -> OpenError {
    match error {
        redb::Error::Io(error) => from_io(folder, error),
        redb::Error::Corrupted(detail) if detail.starts_with(NEWER_REDB) => OpenError::Newer {
            folder: folder.to_owned(),
            detail,
        },
        redb::Error::Corrupted(detail) => damaged(folder, detail),
        other => OpenError::Disk {
            folder: folder.to_owned(),
            detail: other.to_string(),
        },
    }
}

fn from_io(folder: &Path, error: io::Error) -> OpenError {
    use io::ErrorKind as Kind;
    let full = is_full(&error);
    let folder = folder.to_owned();
    match error.kind() {
        _ if full => OpenError::DiskFull { folder },
        Kind::InvalidData | Kind::UnexpectedEof => OpenError::Damaged {
            folder,
            detail: error.to_string(),
        },
        Kind::PermissionDenied
        | Kind::ReadOnlyFilesystem
        | Kind::NotADirectory
        | Kind::AlreadyExists
        | Kind::IsADirectory
        | Kind::NotFound => OpenError::NotWritable {
            folder,
            source: error,
        },
        _ => OpenError::Disk {
            folder,
            detail: error.to_string(),
        },
    }
}

fn damaged(folder: &Path, detail: String) -> OpenError {
    OpenError::Damaged {
        folder: folder.to_owned(),
        detail,
    }
}
