//! The permissions of the data folder: it and its files belong to their owner alone.

use std::fs;
use std::io;
use std::path::Path;

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};

/// The permissions of the folder.
#[cfg(unix)]
const FOLDER: u32 = 0o700;

/// The permissions of its files.
#[cfg(unix)]
const FILE: u32 = 0o600;

/// Creates the folder, and those above it, if it is missing.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    builder.mode(FOLDER);
    builder.recursive(true).create(folder)
}

/// Creates an empty file if it is missing.
pub(super) fn create_file(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    #[cfg(unix)]
    options.mode(FILE);
    options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    Ok(())
}

/// Takes the permissions of others from the files of a folder that an earlier release has made, and from the folder
/// itself, unless it holds anything else: `--data /tmp` must not close /tmp to all others.
///
/// A failure is logged: the files of another user, or a file system without permissions, are no reason not to start.
#[cfg(unix)]
pub(super) fn restrict(folder: &Path, files: &[&str]) {
    for file in files {
        restrict_to(&folder.join(file), FILE);
    }
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(_) => return,
    };
    let is_ours = entries.all(|entry| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            files.iter().any(|file| name == **file)
        })
    });
    if is_ours {
        restrict_to(folder, FOLDER);
    }
}

/// Other systems give a folder the permissions of the one that it is in.
#[cfg(not(unix))]
pub(super) fn restrict(_folder: &Path, _files: &[&str]) {}

#[cfg(unix)]
fn restrict_to(path: &Path, allowed: u32) {
    let Ok(metadata) = fs::metadata(path) else {
        return;
    };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & !allowed == 0 {
        return;
    }
    let restricted = fs::Permissions::from_mode(mode & allowed);
    if let Err(error) = fs::set_permissions(path, restricted) {
        log::warn!("others can read {}: {error}", path.display());
    }
}
