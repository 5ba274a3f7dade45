//! The error of opening a data folder.

use std::io;
use std::path::{Path, PathBuf};

use redb::DatabaseError;
use thiserror::Error;

use super::failure::is_full;

/// The start of redb's message for a file of a later redb, for which it has no error variant.
const NEWER_REDB: &str = "Expected file format version <=";

/// The reason why the data folder cannot be used.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error(
        "the data folder {folder} is in use by another process: stop that one, or choose another folder"
    )]
    Held {
        /// The data folder.
        folder: PathBuf,
    },
    /// It cannot be created or written to.
    #[error(
        "the data folder {folder} cannot be written to ({source}): make it writable, or choose another folder"
    )]
    NotWritable {
        /// The data folder.
        folder: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// It was written by a later version.
    #[error("the data folder {folder} was written by a newer version ({detail}): use that one")]
    Newer {
        /// The data folder.
        folder: PathBuf,
        /// The newer format.
        detail: String,
    },
    /// Its contents were not written by this program, or are damaged.
    #[error(
        "the data folder {folder} is damaged ({detail}): restore it from a backup, or choose another folder"
    )]
    Damaged {
        /// The data folder.
        folder: PathBuf,
        /// The first damage that was found.
        detail: String,
    },
    /// The disk is full.
    #[error(
        "the disk of the data folder {folder} is full: free some space, or choose another folder"
    )]
    DiskFull {
        /// The data folder.
        folder: PathBuf,
    },
    /// The disk failed in another way.
    #[error(
        "the data folder {folder} cannot be opened ({detail}): check the disk, or choose another folder"
    )]
    Disk {
        /// The data folder.
        folder: PathBuf,
        /// The error of the operating system.
        detail: String,
    },
}

impl OpenError {
    pub(super) fn from_database(folder: &Path, error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                Self::Held {
                    folder: folder.to_owned(),
                }
            }
            DatabaseError::Storage(error) => Self::from_redb(folder, error.into()),
            other => Self::damaged(folder, other.to_string()),
        }
    }

    pub(super) fn from_redb(folder: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => Self::from_io(folder, error),
            redb::Error::Corrupted(detail) if detail.starts_with(NEWER_REDB) => Self::Newer {
                folder: folder.to_owned(),
                detail,
            },
            redb::Error::Corrupted(detail) => Self::damaged(folder, detail),
            other => Self::Disk {
                folder: folder.to_owned(),
                detail: other.to_string(),
            },
        }
    }

    pub(super) fn from_io(folder: &Path, error: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let full = is_full(&error);
        let folder = folder.to_owned();
        match error.kind() {
            _ if full => Self::DiskFull { folder },
            Kind::InvalidData | Kind::UnexpectedEof => Self::Damaged {
                folder,
                detail: error.to_string(),
            },
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::AlreadyExists
            | Kind::IsADirectory
            | Kind::NotFound => Self::NotWritable {
                folder,
                source: error,
            },
            _ => Self::Disk {
                folder,
                detail: error.to_string(),
            },
        }
    }

    fn damaged(folder: &Path, detail: String) -> Self {
        Self::Damaged {
            folder: folder.to_owned(),
            detail,
        }
    }
}
