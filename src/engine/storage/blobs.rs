//! Large binaries, called blobs. They are stored outside the documents, in chunks, so that an update of another field
//! does not rewrite them.

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadableTable, StorageError, Table};

use super::layout::ChunkKey;
use crate::engine::error::{ErrorKind, ReqlError};

/// The size in bytes from which a binary becomes a blob. Below it, a page of its own (4 KiB) costs more than rewriting
/// the bytes with the document.
pub(super) const MIN_BLOB: usize = 1024;

/// The space of the largest chunk on disk, including redb's overhead. redb rounds each value up to 4 KiB times a power
/// of two. Measured with 100 binaries of 1 MiB: whole values take 2.0 times their size (2.7 in a growing file), chunks
/// of 64 KiB take 1.006 times. Larger chunks save nothing and fragment the file.
const MAX_CHUNK: usize = 64 * 1024;

/// The size of a redb page. Smaller chunks save nothing.
const PAGE: usize = 4096;

/// redb's overhead in a page with one chunk: header (4 bytes), offset (4), key (12), and a reserve.
const PAGE_OVERHEAD: usize = 32;

/// The largest valid length of a blob. A query is at most half as long, so a larger length means damage, and must not
/// be allocated.
const MAX_BLOB: u64 = 256 * 1024 * 1024;

/// A table of chunks, open for writing.
pub(super) type ChunkTable<'txn> = Table<'txn, ChunkKey, &'static [u8]>;

/// Stores a blob in chunks.
pub(super) fn store(
    table: &mut ChunkTable<'_>,
    blob: u64,
    bytes: &[u8],
) -> Result<(), StorageError> {
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(chunk_len(rest.len()));
        table.insert((blob, number), chunk)?;
        rest = more;
        number += 1;
    }
    Ok(())
}

/// Removes all chunks of a blob.
pub(super) fn remove(table: &mut ChunkTable<'_>, blob: u64) -> Result<(), StorageError> {
    table.retain_in((blob, 0)..=(blob, u32::MAX), |_, _| false)
}

/// Reads a blob of `len` bytes.
///
/// # Errors
/// The outer error is the disk's; the inner one says that the blob is damaged.
pub(super) fn load(
    table: &ReadOnlyTable<ChunkKey, &'static [u8]>,
    blob: u64,
    len: u64,
) -> Result<Result<Bytes, ReqlError>, StorageError> {
    if len > MAX_BLOB {
        return Ok(Err(damaged(blob)));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    for entry in ReadableTable::range(table, (blob, 0)..=(blob, u32::MAX))? {
        bytes.extend_from_slice(entry?.1.value());
    }
    Ok(if bytes.len() as u64 == len {
        Ok(bytes.into())
    } else {
        Err(damaged(blob))
    })
}

/// The length of the next chunk when `rest` bytes are left. The tail of a blob is split into smaller and smaller powers
/// of two, instead of wasting up to half of a large one.
fn chunk_len(rest: usize) -> usize {
    let mut space = MAX_CHUNK;
    loop {
        let max = space - PAGE_OVERHEAD;
        if rest >= max {
            return max;
        }
        // At least seven eighths full: one run of pages is cheaper than two.
        if space <= PAGE || rest > space - space / 8 {
            return rest;
        }
        space /= 2;
    }
}

fn damaged(blob: u64) -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        format!("The stored binary {blob} is damaged."),
    )
}
