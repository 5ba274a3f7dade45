//! The space of disks.

use std::path::Path;

/// The space in bytes that is left on the disk of a file or folder; `None` if that is unknown.
#[cfg(unix)]
pub(crate) fn available_bytes(path: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(path).ok()?;
    Some(space.f_bavail * space.f_frsize)
}

/// The space in bytes that is left on the disk of a file or folder; `None` if that is unknown.
#[cfg(not(unix))]
pub(crate) fn available_bytes(_: &Path) -> Option<u64> {
    None
}
