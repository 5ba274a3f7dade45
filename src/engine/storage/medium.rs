//! The file that holds the database.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

/// The name of the database file in the data folder.
const FILE_NAME: &str = "board.redb";

/// The size of redb's cache; redb's default is up to 1 GiB. Frequently used documents and indexes fit. Half of it
/// bounds the data that a large batch buffers before it is written to the file.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The medium of the database file. Tests replace it with a disk that fails.
pub(super) trait Medium: Send {
    /// Opens the file. A missing file is created if `create` is set, and is an error otherwise.
    fn open(&self, create: bool) -> Result<Database, DatabaseError>;

    /// Returns `true` if the path still names the open file. Writes to a removed file would be lost.
    fn is_in_place(&self) -> bool {
        true
    }
}

/// A file in a folder.
pub(super) struct FileMedium {
    path: PathBuf,
    /// Device and inode of the file that was opened.
    opened: Cell<Option<(u64, u64)>>,
}

impl FileMedium {
    /// The database file in `folder`. Creates the folder if it is missing.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            path: folder.join(FILE_NAME),
            opened: Cell::new(None),
        })
    }
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

/// Device and inode of a file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Always `None`: other systems do not allow removing an open file.
#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}
