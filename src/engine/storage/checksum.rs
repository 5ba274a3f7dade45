//! Checksums of what is stored: documents, chunks, entries of indexes, and the meta table. Each covers the place of the
//! value as well as its bytes, so that a value that is read from a wrong place is found, too.
//!
//! redb has checksums of its pages, but verifies them only when it repairs a file, not when it reads.

use super::catalog::{IndexId, TableId};
use super::codec::DecodeError;

/// The first byte of a document, or an entry of the meta table, with a checksum. Four bits differ from [`PLAIN`], so
/// that no small damage turns one into the other.
const SEALED: u8 = 0xA2;

/// The first byte of a document without a checksum, as releases before format 2 stored it.
const PLAIN: u8 = 1;

/// The size of a checksum in bytes.
pub(super) const CHECKSUM: usize = 4;

/// Adds the checksum to an encoded document.
pub(super) fn seal_document(table: TableId, key: &[u8], document: &[u8]) -> Vec<u8> {
    let checksum = of_document(table, key, document);
    [&[SEALED], &checksum[..], document].concat()
}

/// Returns `true` if a stored document has a checksum.
pub(super) fn is_sealed(stored: &[u8]) -> bool {
    stored.first() == Some(&SEALED)
}

/// Verifies a stored document and returns the encoded one. A document of an earlier release has no checksum and is
/// returned as it is.
///
/// # Errors
/// [`DecodeError::Checksum`] if the checksum does not match, [`DecodeError::Version`] for anything else.
pub(super) fn open_document<'a>(
    table: TableId,
    key: &[u8],
    stored: &'a [u8],
) -> Result<&'a [u8], DecodeError> {
    match stored {
        [PLAIN, ..] => Ok(stored),
        [SEALED, rest @ ..] => {
            let (checksum, document) = rest
                .split_first_chunk::<CHECKSUM>()
                .ok_or(DecodeError::Truncated)?;
            if *checksum == of_document(table, key, document) {
                Ok(document)
            } else {
                Err(DecodeError::Checksum)
            }
        }
        [other, ..] => Err(DecodeError::Version(*other)),
        [] => Err(DecodeError::Truncated),
    }
}

/// Adds the checksum to a chunk.
pub(super) fn seal_chunk(table: TableId, blob: u64, number: u32, chunk: &[u8]) -> Vec<u8> {
    [&of_chunk(table, blob, number, chunk), chunk].concat()
}

/// Verifies a chunk and returns its bytes; `None` if it is damaged.
pub(super) fn open_chunk(table: TableId, blob: u64, number: u32, stored: &[u8]) -> Option<&[u8]> {
    let (checksum, chunk) = stored.split_first_chunk::<CHECKSUM>()?;
    (*checksum == of_chunk(table, blob, number, chunk)).then_some(chunk)
}

/// The value that an entry of an index is stored with: the primary key and a checksum of both.
pub(super) fn seal_entry(index: IndexId, entry: &[u8], primary_key: &[u8]) -> Vec<u8> {
    [&of_entry(index, entry, primary_key), primary_key].concat()
}

/// Verifies an entry of an index and returns the primary key; `None` if the entry is damaged.
pub(super) fn open_entry<'a>(index: IndexId, entry: &[u8], stored: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, primary_key) = stored.split_first_chunk::<CHECKSUM>()?;
    (*checksum == of_entry(index, entry, primary_key)).then_some(primary_key)
}

/// Adds the checksum to an entry of the meta table.
pub(super) fn seal_meta(key: &str, bytes: &[u8]) -> Vec<u8> {
    [&[SEALED], &of_meta(key, bytes)[..], bytes].concat()
}

/// Verifies an entry of the meta table and returns its bytes; `None` if it is damaged.
pub(super) fn open_meta<'a>(key: &str, stored: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, bytes) = stored
        .strip_prefix(&[SEALED])?
        .split_first_chunk::<CHECKSUM>()?;
    (*checksum == of_meta(key, bytes)).then_some(bytes)
}

fn of_meta(key: &str, bytes: &[u8]) -> [u8; CHECKSUM] {
    crc(&[b"meta", key.as_bytes(), &[0], bytes])
}

fn of_entry(index: IndexId, entry: &[u8], primary_key: &[u8]) -> [u8; CHECKSUM] {
    let length = (entry.len() as u64).to_le_bytes();
    crc(&[b"entry", index.0.as_bytes(), &length, entry, primary_key])
}

fn of_document(table: TableId, key: &[u8], document: &[u8]) -> [u8; CHECKSUM] {
    let length = (key.len() as u64).to_le_bytes();
    crc(&[b"document", table.0.as_bytes(), &length, key, document])
}

fn of_chunk(table: TableId, blob: u64, number: u32, chunk: &[u8]) -> [u8; CHECKSUM] {
    let (blob, number) = (blob.to_le_bytes(), number.to_le_bytes());
    crc(&[b"chunk", table.0.as_bytes(), &blob, &number, chunk])
}

/// CRC-32 finds all damage of up to 32 bits in a row, and any other with a probability of 1 − 2⁻³².
fn crc(parts: &[&[u8]]) -> [u8; CHECKSUM] {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}
