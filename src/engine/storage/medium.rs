//! The file that holds the database.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError};

use super::permissions;
use super::reserve::Reserve;

/// The name of the database file in the data folder.
const FILE_NAME: &str = "board.redb";

/// The name of the file that is given up when the disk is full.
const RESERVE_NAME: &str = "reserve";

/// The name of the file that is written, and removed, to find out if the disk works.
const PROBE_NAME: &str = "probe";

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

    /// Adds to the space that is kept back. Returns `true` if that is complete. If the disk `was_full`, it must have as
    /// much space again.
    fn grow_reserve(&self, _was_full: bool) -> io::Result<bool> {
        Ok(true)
    }

    /// Gives up the space that is kept back. Returns `true` if there was any.
    fn release_reserve(&self) -> bool {
        false
    }

    /// Tries to write to the disk, without the database.
    fn probe(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A file in a folder.
pub(super) struct FileMedium {
    path: PathBuf,
    /// Device and inode of the file that was opened.
    opened: Cell<Option<(u64, u64)>>,
    reserve: Reserve,
    /// The name of the file that [`Medium::probe`] writes.
    probe: PathBuf,
}

impl FileMedium {
    /// The database file in `folder`. Creates the folder if it is missing.
    ///
    /// Folder and file belong to their owner alone, also if an earlier release has made them.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        permissions::create_folder(folder)?;
        permissions::create_file(&folder.join(FILE_NAME))?;
        permissions::restrict(folder, &[FILE_NAME, RESERVE_NAME, PROBE_NAME]);
        Ok(Self::new(folder))
    }

    /// The database file in `folder`, which must exist.
    pub(super) fn existing(folder: &Path) -> io::Result<Self> {
        fs::metadata(folder.join(FILE_NAME))?;
        Ok(Self::new(folder))
    }

    fn new(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE_NAME),
            opened: Cell::new(None),
            reserve: Reserve::new(folder.join(RESERVE_NAME)),
            probe: folder.join(PROBE_NAME),
        }
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

    fn grow_reserve(&self, was_full: bool) -> io::Result<bool> {
        self.reserve.grow(was_full)
    }

    fn release_reserve(&self) -> bool {
        self.reserve.release()
    }

    fn probe(&self) -> io::Result<()> {
        let written =
            fs::write(&self.probe, [0; 512]).and_then(|()| fs::File::open(&self.probe)?.sync_all());
        let removed = fs::remove_file(&self.probe);
        written.and(removed)
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
