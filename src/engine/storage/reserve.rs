//! Space on the disk that is kept back, so that on a full disk photos can still be deleted and moved.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The size of the reserve in bytes. A delete or move writes a few pages of 4 KiB, so it suffices for hundreds of them.
const SIZE: u64 = 16 << 20;

/// The bytes that are added at a time. It bounds the pause of the writer on a slow disk.
const STEP: usize = 1 << 20;

/// A file of no use, which is removed when the disk is full.
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds a step to the file. Returns `true` if it is complete.
    ///
    /// If the disk `was_full`, it must have as much space again. Otherwise the space that was just given up would be
    /// taken for new, and the next image fill it.
    ///
    /// # Errors
    /// If the disk is full, or fails. The file is removed then.
    pub(super) fn grow(&self, was_full: bool) -> io::Result<bool> {
        let grown = self.try_grow(if was_full { 2 * SIZE } else { SIZE });
        if grown.is_err() {
            self.release();
        }
        grown
    }

    fn try_grow(&self, wanted: u64) -> io::Result<bool> {
        super::permissions::create_file(&self.path)?;
        let mut file = fs::OpenOptions::new().append(true).open(&self.path)?;
        let length = file.metadata()?.len();
        if length < wanted {
            file.write_all(&noise(length))?;
            file.sync_data()?;
        }
        let is_complete = length + STEP as u64 >= wanted;
        if is_complete && wanted > SIZE {
            file.set_len(SIZE)?;
        }
        Ok(is_complete)
    }

    /// Removes the file. Returns `true` if there was one.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

/// Bytes that no file system compresses or leaves out.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = (0..STEP / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect()
}
