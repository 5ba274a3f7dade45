//! Large binaries: kept beside the documents in chunks, so that moving an image does not rewrite its bytes.

use std::sync::Arc;

use bytes::Bytes;
use redb::{ReadOnlyTable, ReadableTable, StorageError, Table};

use super::catalog::TableId;
use super::snapshot::Snapshot;
use crate::engine::datum::{Binary, BlobSource};
use crate::engine::error::{ErrorKind, ReqlError};

/// Binaries of this size or more become blobs. Below it a page of their own (4 KiB) would cost more than rewriting them.
pub(super) const MIN_BLOB: usize = 1024;

/// The room that one chunk takes on disk with what redb adds to it. redb rounds up to pages of 4 KiB times a power of
/// two; measured for 100 images of 1 MiB, whole values take 2.0 times their size (2.7 in a growing file), chunks of
/// 64 KiB 1.006 times. Larger chunks save nothing more and fragment the file.
const MAX_CHUNK: usize = 64 * 1024;

/// redb's page, below which splitting saves nothing.
const PAGE: usize = 4096;

/// What redb adds to a page that holds one chunk: 4 bytes of header, 4 of offset, 12 of key, and some to spare.
const PAGE_OVERHEAD: usize = 32;

/// No query can bring a larger binary; a longer one in a document means damage.
const MAX_BLOB: u64 = 256 * 1024 * 1024;

/// The number of a blob and of the chunk in it.
pub(super) type ChunkKey = (u64, u32);

/// A table of chunks, open for writing.
pub(super) type ChunkTable<'txn> = Table<'txn, ChunkKey, &'static [u8]>;

/// Stores a blob.
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

/// Removes a blob.
pub(super) fn remove(table: &mut ChunkTable<'_>, blob: u64) -> Result<(), StorageError> {
    table.retain_in((blob, 0)..=(blob, u32::MAX), |_, _| false)
}

/// Reads a blob.
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

/// How much of `rest` bytes goes into the next chunk: the most that fills its pages, so that the tail of a binary is
/// cut into smaller and smaller powers of two instead of wasting up to half of a large one.
fn chunk_len(rest: usize) -> usize {
    let mut room = MAX_CHUNK;
    loop {
        let most = room - PAGE_OVERHEAD;
        if rest >= most {
            return most;
        }
        // Filled to seven eighths, one page run is better than two.
        if room <= PAGE || rest > room - room / 8 {
            return rest;
        }
        room /= 2;
    }
}

fn damaged(blob: u64) -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        format!("The stored binary {blob} is damaged."),
    )
}

/// Reads the blobs of one table as they were at one point in time.
pub(super) struct BlobReader {
    snapshot: Arc<Snapshot>,
    table: TableId,
}

impl BlobReader {
    /// A value that reads its bytes through `reader` when it is asked for them. `reader` is made when the first is
    /// needed, and shared.
    pub(super) fn reference(
        reader: &mut Option<Arc<dyn BlobSource>>,
        snapshot: &Arc<Snapshot>,
        table: TableId,
        (blob, len): (u64, u64),
    ) -> Binary {
        let source = reader.get_or_insert_with(|| {
            Arc::new(Self {
                snapshot: Arc::clone(snapshot),
                table,
            })
        });
        Binary::Stored {
            blob,
            len,
            source: Arc::clone(source),
        }
    }
}

impl BlobSource for BlobReader {
    fn load(&self, blob: u64, len: u64) -> Result<Bytes, ReqlError> {
        self.snapshot.load_blob(self.table, blob, len)
    }
}
