//! Large binaries, called blobs. They are stored outside the documents, in chunks, so that an update of another field
//! does not rewrite them.

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadableTable, StorageError, Table};

use super::catalog::TableId;
use super::checksum;
use super::layout::ChunkKey;

/// The size in bytes from which a binary becomes a blob. Below it, a page of its own (4 KiB) costs more than rewriting
/// the bytes with the document.
pub(super) const MIN_BLOB: usize = 1024;

/// The space of the largest chunk on disk, including redb's overhead. redb rounds each value up to 4 KiB times a power
/// of two. Measured with 100 binaries of 1 MiB: whole values take 2.0 times their size (2.7 in a growing file), chunks
/// of 64 KiB take 1.006 times. Larger chunks save nothing and fragment the file.
const MAX_CHUNK: usize = 64 * 1024;

/// The size of a redb page. Smaller chunks save nothing.
const PAGE: usize = 4096;

/// The overhead in a page with one chunk: redb's header (4 bytes), offset (4) and key (12), the checksum (4), and a
/// reserve.
const PAGE_OVERHEAD: usize = 32;

/// The largest valid length of a blob. A query is at most half as long, so a larger length means damage, and must not
/// be allocated.
const MAX_BLOB: u64 = 256 * 1024 * 1024;

/// A table of chunks, open for writing.
pub(super) type ChunkTable<'txn> = Table<'txn, ChunkKey, &'static [u8]>;

/// Stores a blob in chunks, each with its checksum in front.
pub(super) fn store(
    chunks: &mut ChunkTable<'_>,
    table: TableId,
    blob: u64,
    bytes: &[u8],
) -> Result<(), StorageError> {
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(chunk_len(rest.len()));
        let sealed = checksum::seal_chunk(table, blob, number, chunk);
        chunks.insert((blob, number), sealed.as_slice())?;
        rest = more;
        number += 1;
    }
    Ok(())
}

/// Removes all chunks of a blob. Returns their size in bytes.
pub(super) fn remove(chunks: &mut ChunkTable<'_>, blob: u64) -> Result<usize, StorageError> {
    let mut removed = 0;
    chunks.retain_in((blob, 0)..=(blob, u32::MAX), |_, stored| {
        removed += stored.len();
        false
    })?;
    Ok(removed)
}

/// The chunks of the blobs of one table, open for reading.
pub(super) type ChunksRead = ReadOnlyTable<ChunkKey, &'static [u8]>;

/// Reads a blob of `len` bytes and verifies its chunks.
///
/// # Errors
/// The outer error is the disk's; the inner one says what is damaged.
pub(super) fn load(
    chunks: &ChunksRead,
    table: TableId,
    blob: u64,
    len: u64,
) -> Result<Result<Bytes, &'static str>, StorageError> {
    if len > MAX_BLOB {
        return Ok(Err(WRONG_LENGTH));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    for (entry, expected) in chunks.range((blob, 0)..=(blob, u32::MAX))?.zip(0..) {
        let (key, stored) = entry?;
        let chunk = checksum::open_chunk(table, blob, expected, stored.value());
        let Some(chunk) = chunk.filter(|_| key.value() == (blob, expected)) else {
            return Ok(Err("the checksum of its binary does not match"));
        };
        bytes.extend_from_slice(chunk);
    }
    Ok(of_length(bytes, len))
}

/// Reads a blob of `len` bytes that a release before format 2 has stored.
///
/// # Errors
/// As [`load`].
pub(super) fn load_plain(
    chunks: &impl ReadableTable<ChunkKey, &'static [u8]>,
    blob: u64,
    len: u64,
) -> Result<Result<Bytes, &'static str>, StorageError> {
    if len > MAX_BLOB {
        return Ok(Err(WRONG_LENGTH));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    for entry in chunks.range((blob, 0)..=(blob, u32::MAX))? {
        bytes.extend_from_slice(entry?.1.value());
    }
    Ok(of_length(bytes, len))
}

/// The blob has no chunks.
pub(super) const MISSING: &str = "its binary is missing";

const WRONG_LENGTH: &str = "its binary does not have the right length";

fn of_length(bytes: Vec<u8>, len: u64) -> Result<Bytes, &'static str> {
    match bytes.len() as u64 {
        0 => Err(MISSING),
        found if found == len => Ok(bytes.into()),
        _ => Err(WRONG_LENGTH),
    }
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
