//! The folder of temporary files that hold uploads while they arrive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::Builder;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::disk;

/// The beginning of the names of the files, by which leftovers are recognised. The folder may have other files in it.
const PREFIX: &str = "realtime-photo-upload-";

/// The number of threads that write at once. A slow disk must not take a thread for each upload.
const MAX_WRITERS: usize = 8;

/// The folder of the temporary files of uploads. Cheap to clone.
///
/// A file loses its name as soon as it is open, so the system removes it when it is closed, however the upload or the
/// process ends. Until then, only its owner can read it.
#[derive(Debug, Clone)]
pub struct UploadFolder {
    path: Arc<Path>,
    writers: Arc<Semaphore>,
}

impl UploadFolder {
    /// Opens the folder, which is created if it is missing, and removes the files that a server left when it was killed
    /// between creating one and removing its name. Blocks on the disk.
    ///
    /// # Errors
    ///
    /// If no file can be created in it.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        create_folder(&path)?;
        remove_leftovers(&path)?;
        let folder = Self::new(path);
        folder.create_file()?;
        Ok(folder)
    }

    /// The folder of the system for temporary files.
    pub fn of_system() -> Self {
        Self::new(std::env::temp_dir())
    }

    fn new(path: PathBuf) -> Self {
        Self {
            path: path.into(),
            writers: Arc::new(Semaphore::new(MAX_WRITERS)),
        }
    }

    /// Runs a function that writes, on a blocking thread.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = self.writers.clone().acquire_owned().await;
        let turn = turn.expect("the semaphore is never closed");
        let folder = self.clone();
        let writing = spawn_blocking(move || {
            // Held by the thread, which goes on if the upload is cancelled.
            let _turn = turn;
            write(&folder)
        });
        writing.await.map_err(io::Error::other)?
    }

    /// The space in bytes that is left on its disk; `None` if that is unknown.
    pub(super) async fn available_bytes(&self) -> Option<u64> {
        let path = Arc::clone(&self.path);
        // A network disk may take a while to answer.
        spawn_blocking(move || disk::available_bytes(&path))
            .await
            .ok()?
    }

    /// Creates a file without a name, for reading and writing.
    pub(super) fn create_file(&self) -> io::Result<File> {
        let named = Builder::new().prefix(PREFIX).tempfile_in(&self.path)?;
        Ok(named.into_file())
    }
}

#[cfg(unix)]
fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(not(unix))]
fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_ours && let Err(error) = fs::remove_file(entry.path()) {
            // Another server of this system removes its own.
            log::debug!("cannot remove {}: {error}", entry.path().display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn leftovers_are_removed_and_other_files_stay() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("uploads");
        fs::create_dir(&path).unwrap();
        fs::write(path.join(format!("{PREFIX}x")), "left").unwrap();
        fs::write(path.join("photo.jpg"), "kept").unwrap();
        UploadFolder::open(path.clone()).unwrap();
        assert_eq!(names(&path), ["photo.jpg"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_and_its_files_belong_to_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("uploads");
        let folder = UploadFolder::open(path.clone()).unwrap();
        let file = folder.create_file().unwrap();
        let mode = |permissions: fs::Permissions| permissions.mode() & 0o777;
        assert_eq!(mode(fs::metadata(&path).unwrap().permissions()), 0o700);
        assert_eq!(mode(file.metadata().unwrap().permissions()), 0o600);
        assert!(names(&path).is_empty());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(UploadFolder::open(file.path().join("uploads")).is_err());
    }
}
