//! How much space the contents of a database need.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use super::checksum;
use super::codec;
use super::index_entry::EntryRange;
use super::key_range::Direction;
use super::snapshot::Snapshot;
use crate::engine::datum::Binary;
use crate::engine::error::ReqlError;

/// The bytes that redb needs for a document besides its own, about.
const DOCUMENT_OVERHEAD: usize = 32;

/// The size of a page of redb in bytes.
const PAGE: u64 = 4096;

/// The size in bytes of all documents, their blobs and index entries, with the space that redb needs for them. Damaged
/// documents do not count.
///
/// # Errors
/// When the disk fails, or the structure of a table is damaged.
pub(super) fn held_bytes(snapshot: &Arc<Snapshot>) -> Result<u64, ReqlError> {
    let mut held = 0;
    for table in snapshot.catalog.tables() {
        let (from, to) = (Bound::Unbounded, Bound::Unbounded);
        let mut scan = snapshot.scan(table.id, from, to, Direction::Ascending)?;
        while let Some(entry) = scan.next_stored() {
            let (key, stored) = entry?;
            held += (key.len() + stored.len() + DOCUMENT_OVERHEAD) as u64;
            let mut resolve = |_, len: u64| {
                held += len.next_multiple_of(PAGE);
                Binary::Inline(Bytes::new())
            };
            // Only the lengths are of interest.
            let _ = checksum::open_document(table.id, &key, &stored)
                .and_then(|document| codec::decode(document, &mut resolve));
        }
        for index in &table.indexes {
            let all = EntryRange::all();
            // A damaged index is built anew.
            let Ok(mut entries) =
                snapshot.scan_index(table.id, index.id, &all, Direction::Ascending)
            else {
                continue;
            };
            while let Some(Ok(entry)) = entries.next_entry() {
                let size = entry.key.len() + checksum::CHECKSUM + entry.primary_key.len();
                held += (size + DOCUMENT_OVERHEAD) as u64;
            }
        }
    }
    Ok(held)
}
