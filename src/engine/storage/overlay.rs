//! The database file as a check opens it, and a server whose disk is read-only: what is written, for example to repair
//! the file after a crash, stays in memory.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, Builder, Database, DatabaseError, StorageBackend, StorageError};

use super::medium::{CACHE_BYTES, FILE_NAME, Medium};

/// The unit in bytes in which writes are kept.
const BLOCK: usize = 4096;

/// The file in a folder, which is locked like that of a server, but never changed.
pub(super) struct ReadOnlyMedium {
    path: PathBuf,
}

impl ReadOnlyMedium {
    /// The database file in `folder`, which must exist.
    pub(super) fn existing(folder: &Path) -> io::Result<Self> {
        let path = folder.join(FILE_NAME);
        std::fs::metadata(&path)?;
        Ok(Self::of(path))
    }

    /// The database file with this path.
    pub(super) fn of(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Medium for ReadOnlyMedium {
    fn open(&self, _create: bool) -> Result<Database, DatabaseError> {
        let overlay = Overlay::new(&self.path)?;
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        builder.create_with_backend(overlay)
    }
}

/// A file below the blocks that were written over it.
#[derive(Debug)]
struct Overlay {
    file: FileBackend,
    /// `false` if the file cannot be locked, because its file system is read-only. Then nobody else changes it either.
    has_locks: bool,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    len: u64,
    /// The length up to which the file shows where no block is written.
    file_len: u64,
    /// By number.
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

impl Overlay {
    fn new(path: &Path) -> Result<Self, DatabaseError> {
        // For writing, because only such a file can be locked against a server.
        let writable = OpenOptions::new().read(true).write(true).open(path);
        let (file, has_locks) = match writable {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
                (File::open(path), false)
            }
            file => (file, true),
        };
        let file = FileBackend::new(file.map_err(StorageError::from)?)?;
        let len = file.len().map_err(StorageError::from)?;
        Ok(Self {
            file,
            has_locks,
            written: Mutex::new(Written {
                len,
                file_len: len,
                blocks: BTreeMap::new(),
            }),
        })
    }

    // A poisoned lock is usable: each block is written whole.
    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_file(&self, file_len: u64, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let in_file = file_len.saturating_sub(offset).min(out.len() as u64);
        let (file, beyond) = out.split_at_mut(in_file as usize);
        beyond.fill(0);
        match file {
            [] => Ok(()),
            file => self.file.read(offset, file),
        }
    }
}

/// The parts of a range of bytes in blocks: the number of the block, the offset in it, and the length.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + len as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        let (block, start) = (at / BLOCK as u64, (at % BLOCK as u64) as usize);
        let len = (end - at).min((BLOCK - start) as u64) as usize;
        at += len as u64;
        (len > 0).then_some((block, start, len))
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.lock();
        if offset + out.len() as u64 > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(written.file_len, offset, out)?;
        let mut rest = out;
        for (block, start, len) in parts(offset, rest.len()) {
            let (part, more) = rest.split_at_mut(len);
            if let Some(block) = written.blocks.get(&block) {
                part.copy_from_slice(&block[start..start + len]);
            }
            rest = more;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.lock();
        if len < written.len {
            // Bytes that are added later must be zero.
            written.file_len = written.file_len.min(len);
            let (kept, cut) = (len / BLOCK as u64, (len % BLOCK as u64) as usize);
            if let Some(last) = written.blocks.get_mut(&kept) {
                last[cut..].fill(0);
            }
            written
                .blocks
                .retain(|block, _| *block < len.div_ceil(BLOCK as u64));
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.lock();
        let mut rest = data;
        for (block, start, len) in parts(offset, data.len()) {
            let (part, more) = rest.split_at(len);
            if !written.blocks.contains_key(&block) {
                let mut base = Box::new([0; BLOCK]);
                self.read_file(written.file_len, block * BLOCK as u64, &mut base[..])?;
                written.blocks.insert(block, base);
            }
            if let Some(block) = written.blocks.get_mut(&block) {
                block[start..start + len].copy_from_slice(part);
            }
            rest = more;
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        if !self.has_locks {
            return Ok(true);
        }
        self.file.try_lock_range(from, to)
    }

    fn try_lock_shared_range(
        &self,
        from: Bound<u64>,
        to: Bound<u64>,
    ) -> Result<bool, BackendError> {
        if !self.has_locks {
            return Ok(true);
        }
        self.file.try_lock_shared_range(from, to)
    }

    fn lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if !self.has_locks {
            return Ok(());
        }
        self.file.lock_range(from, to)
    }

    fn lock_shared_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if !self.has_locks {
            return Ok(());
        }
        self.file.lock_shared_range(from, to)
    }

    fn unlock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<(), BackendError> {
        if !self.has_locks {
            return Ok(());
        }
        self.file.unlock_range(from, to)
    }

    fn query_lock_range(&self, from: Bound<u64>, to: Bound<u64>) -> Result<bool, BackendError> {
        if !self.has_locks {
            return Ok(false);
        }
        self.file.query_lock_range(from, to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An operation on the overlay.
    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        Length(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let bytes = proptest::collection::vec(1u8.., 1..10_000);
        let step = prop_oneof![
            3 => (0u64..30_000, bytes).prop_map(|(offset, bytes)| Step::Write(offset, bytes)),
            1 => (0u64..40_000).prop_map(Step::Length),
        ];
        proptest::collection::vec(step, 1..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn reads_see_the_writes_and_the_file_stays_as_it_is(len in 0usize..20_000, steps in steps()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            let original: Vec<u8> = (0..len).map(|at| (at % 251) as u8 + 1).collect();
            std::fs::write(&path, &original).unwrap();
            let overlay = Overlay::new(&path).unwrap();
            let mut model = original.clone();
            for step in steps {
                match step {
                    Step::Write(offset, bytes) => {
                        overlay.write(offset, &bytes).unwrap();
                        let (from, to) = (offset as usize, offset as usize + bytes.len());
                        model.resize(model.len().max(to), 0);
                        model[from..to].copy_from_slice(&bytes);
                    }
                    Step::Length(len) => {
                        overlay.set_len(len).unwrap();
                        model.resize(len as usize, 0);
                    }
                }
                let mut read = vec![0; model.len()];
                overlay.read(0, &mut read).unwrap();
                prop_assert!(read == model);
                let middle = model.len() / 3;
                overlay.read(middle as u64, &mut read[middle..]).unwrap();
                prop_assert!(read == model);
                prop_assert_eq!(overlay.len().unwrap(), model.len() as u64);
            }
            prop_assert!(overlay.read(model.len() as u64, &mut [0]).is_err());
            prop_assert!(std::fs::read(&path).unwrap() == original);
        }
    }
}
