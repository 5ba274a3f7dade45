//! The file that holds the database.

use std::cell::Cell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::{Builder, Database, DatabaseError, StorageError};

use super::permissions;
use super::reserve::Reserve;

/// The name of the database file in the data folder.
pub(super) const FILE_NAME: &str = "board.redb";

/// The name of the file that the database is copied to.
const COPY_NAME: &str = "board.redb.new";

/// The name of the file that is given up when the disk is full.
const RESERVE_NAME: &str = "reserve";

/// The name of the file that is written, and removed, to find out if the disk works.
const PROBE_NAME: &str = "probe";

/// The size of redb's cache; redb's default is up to 1 GiB. Frequently used documents and indexes fit. Half of it
/// bounds the data that a large batch buffers before it is written to the file.
pub(super) const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Creates the database that a file is copied to.
pub(super) type CreateCopy = Box<dyn Fn() -> Result<Database, DatabaseError> + Send>;

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

    /// The space that the file takes up on the disk, in bytes; `None` if it cannot be copied.
    fn allocated_bytes(&self) -> Option<u64> {
        None
    }

    /// The space that is left on the disk, in bytes.
    fn available_bytes(&self) -> Option<u64> {
        None
    }

    /// Returns a function that creates a new database beside the file.
    fn creates_copy(&self) -> CreateCopy {
        Box::new(|| Err(StorageError::from(io::Error::from(io::ErrorKind::Unsupported)).into()))
    }

    /// Puts the new database in the place of the file. On success the old file can be given up.
    fn install_copy(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Removes the new database.
    fn discard_copy(&self) {}

    /// Tries to write to the disk, without the database.
    fn probe(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The path of the file, if its disk is read-only.
    fn read_only_path(&self) -> Option<&Path> {
        None
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
    /// The name of the file that the database is copied to.
    copy: PathBuf,
}

impl FileMedium {
    /// The database file in `folder`. Creates the folder if it is missing.
    ///
    /// Folder and file belong to their owner alone, also if an earlier release has made them.
    pub(super) fn in_folder(folder: &Path) -> io::Result<Self> {
        permissions::create_folder(folder)?;
        permissions::create_file(&folder.join(FILE_NAME))?;
        permissions::restrict(folder, &[FILE_NAME, RESERVE_NAME, PROBE_NAME, COPY_NAME]);
        Ok(Self::new(folder))
    }

    /// The database file in `folder`, which must exist.
    pub(super) fn existing(folder: &Path) -> io::Result<Self> {
        fs::metadata(folder.join(FILE_NAME))?;
        Ok(Self::new(folder))
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn new(folder: &Path) -> Self {
        Self {
            path: folder.join(FILE_NAME),
            opened: Cell::new(None),
            reserve: Reserve::new(folder.join(RESERVE_NAME)),
            probe: folder.join(PROBE_NAME),
            copy: folder.join(COPY_NAME),
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
        // Left by a crash during a copy. Not removed before: the process that has the file open may be writing it.
        self.discard_copy();
        self.opened.set(identity(&self.path));
        Ok(database)
    }

    fn is_in_place(&self) -> bool {
        identity(&self.path) == self.opened.get()
    }

    fn allocated_bytes(&self) -> Option<u64> {
        allocated_bytes(&self.path)
    }

    fn available_bytes(&self) -> Option<u64> {
        available_bytes(&self.path)
    }

    fn creates_copy(&self) -> CreateCopy {
        let path = self.copy.clone();
        Box::new(move || {
            // A thread that was told to stop may have left one.
            let _ = fs::remove_file(&path);
            permissions::create_file(&path).map_err(StorageError::from)?;
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES);
            builder.create(&path)
        })
    }

    fn install_copy(&self) -> io::Result<()> {
        fs::rename(&self.copy, &self.path)?;
        self.opened.set(identity(&self.path));
        // Makes the rename durable. It cannot be taken back, so an error must not keep the old file in use: what is
        // written to that would be lost. Some file systems cannot sync a folder.
        let synced = self.path.parent().map(fs::File::open).transpose();
        if let Err(error) =
            synced.and_then(|folder| folder.map_or(Ok(()), |folder| folder.sync_all()))
        {
            log::warn!("the folder of the database file cannot be synced: {error}");
        }
        Ok(())
    }

    fn discard_copy(&self) {
        // There may be none.
        let _ = fs::remove_file(&self.copy);
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

    fn read_only_path(&self) -> Option<&Path> {
        let error = self.probe().err()?;
        (error.kind() == io::ErrorKind::ReadOnlyFilesystem).then_some(&self.path)
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

/// The space that a file takes up on the disk, in bytes.
#[cfg(unix)]
fn allocated_bytes(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    /// The unit of `st_blocks`, whatever the block size of the file system.
    const BLOCK: u64 = 512;
    Some(fs::metadata(path).ok()?.blocks() * BLOCK)
}

#[cfg(unix)]
fn available_bytes(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail * space.f_frsize)
}

/// Other systems do not replace an open file.
#[cfg(not(unix))]
fn allocated_bytes(_path: &Path) -> Option<u64> {
    None
}

#[cfg(not(unix))]
fn available_bytes(_path: &Path) -> Option<u64> {
    None
}
