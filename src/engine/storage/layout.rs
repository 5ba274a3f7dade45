//! The format of the database file: its redb tables, and the entries of the meta table.
//!
//! Folders of earlier releases must open, so nothing here may change without a new [`FORMAT`].

use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};

use super::catalog::{Catalog, IndexId, TableId};
use super::catalog_json;
use super::checksum;

/// The format number that this version writes. A change that older versions cannot read increments it; all lower
/// formats must still open.
///
/// - 1: documents and chunks without checksums, and no entries of secondary indexes.
/// - 2: documents, chunks, state and catalog with checksums. Those of format 1 are still read. Entries of secondary
///   indexes, which an older version would not keep.
pub(super) const FORMAT: u64 = 2;

/// The meta table: format, state and catalog of the whole database.
pub(super) const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");

const FORMAT_KEY: &str = "format";
const STATE_KEY: &str = "state";
const CATALOG_KEY: &str = "catalog";

/// The documents of one table, by encoded primary key.
pub(super) type Documents<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

/// The number of a blob, and the number of a chunk within it.
pub(super) type ChunkKey = (u64, u32);

/// The chunks of the blobs of one table. In the table of [`blobs_name`] each has a checksum in front.
pub(super) type Chunks<'a> = TableDefinition<'a, ChunkKey, &'static [u8]>;

/// The entries of one secondary index: the primary keys of the documents, by [entry key](super::index_entry).
pub(super) type Entries<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

pub(super) fn documents_name(table: TableId) -> String {
    format!("documents/{table}")
}

/// The redb table of the chunks with checksums.
pub(super) fn blobs_name(table: TableId) -> String {
    format!("blobs/{table}")
}

/// The redb table of the chunks without checksums, which releases before format 2 have written.
pub(super) fn chunks_name(table: TableId) -> String {
    format!("chunks/{table}")
}

pub(super) fn entries_name(index: IndexId) -> String {
    format!("index/{index}")
}

pub(super) fn entries(name: &str) -> Entries<'_> {
    TableDefinition::new(name)
}

pub(super) fn documents(name: &str) -> Documents<'_> {
    TableDefinition::new(name)
}

pub(super) fn chunks(name: &str) -> Chunks<'_> {
    TableDefinition::new(name)
}

/// The size in bytes of a state without checksum.
const STATE_BYTES: usize = 24;

/// The entry of the meta table that changes with every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredState {
    /// The number of the last commit.
    pub(super) seq: u64,
    /// The number of the next blob. Numbers are never reused.
    pub(super) next_blob: u64,
    /// The number of the last commit that changed the catalog. It saves snapshots from parsing an unchanged catalog.
    pub(super) catalog_seq: u64,
}

/// A failure to read the meta table.
#[derive(Debug, thiserror::Error)]
pub(super) enum MetaError {
    #[error(transparent)]
    Disk(#[from] redb::StorageError),
    #[error("the entry `{0}` is missing or damaged")]
    Damaged(&'static str),
    #[error("the catalog is damaged: {0}")]
    Catalog(String),
}

impl From<MetaError> for redb::Error {
    fn from(error: MetaError) -> Self {
        match error {
            MetaError::Disk(error) => error.into(),
            other => Self::Corrupted(other.to_string()),
        }
    }
}

type Meta<'a> = &'a dyn MetaTable;

/// The meta table, open for reading or for writing.
pub(super) trait MetaTable {
    /// The bytes of one entry, if it exists.
    fn entry(&self, key: &str) -> Result<Option<Vec<u8>>, redb::StorageError>;
}

impl<T: ReadableTable<&'static str, &'static [u8]>> MetaTable for T {
    fn entry(&self, key: &str) -> Result<Option<Vec<u8>>, redb::StorageError> {
        Ok(self.get(key)?.map(|value| value.value().to_vec()))
    }
}

pub(super) fn read_format(meta: Meta<'_>) -> Result<u64, MetaError> {
    let bytes = meta
        .entry(FORMAT_KEY)?
        .ok_or(MetaError::Damaged(FORMAT_KEY))?;
    Ok(u64::from_le_bytes(
        bytes
            .try_into()
            .map_err(|_| MetaError::Damaged(FORMAT_KEY))?,
    ))
}

pub(super) fn read_state(meta: Meta<'_>) -> Result<StoredState, MetaError> {
    let stored = meta
        .entry(STATE_KEY)?
        .ok_or(MetaError::Damaged(STATE_KEY))?;
    let bytes = match stored.len() {
        STATE_BYTES => &*stored,
        _ => checksum::open_meta(STATE_KEY, &stored).ok_or(MetaError::Damaged(STATE_KEY))?,
    };
    let (numbers, rest) = bytes.as_chunks::<8>();
    match (numbers, rest) {
        ([seq, next_blob, catalog_seq], []) => Ok(StoredState {
            seq: u64::from_le_bytes(*seq),
            next_blob: u64::from_le_bytes(*next_blob),
            catalog_seq: u64::from_le_bytes(*catalog_seq),
        }),
        _ => Err(MetaError::Damaged(STATE_KEY)),
    }
}

pub(super) fn read_catalog(meta: Meta<'_>) -> Result<Arc<Catalog>, MetaError> {
    let stored = meta
        .entry(CATALOG_KEY)?
        .ok_or(MetaError::Damaged(CATALOG_KEY))?;
    let json = match stored.first() {
        Some(b'{') => &*stored,
        _ => checksum::open_meta(CATALOG_KEY, &stored).ok_or(MetaError::Damaged(CATALOG_KEY))?,
    };
    Ok(Arc::new(
        catalog_json::decode(json).map_err(MetaError::Catalog)?,
    ))
}

type MetaWriter<'a, 'txn> = &'a mut redb::Table<'txn, &'static str, &'static [u8]>;

pub(super) fn write_format(
    meta: MetaWriter<'_, '_>,
    format: u64,
) -> Result<(), redb::StorageError> {
    meta.insert(FORMAT_KEY, &format.to_le_bytes()[..]).map(drop)
}

fn write_state(meta: MetaWriter<'_, '_>, state: StoredState) -> Result<(), redb::StorageError> {
    let bytes = [state.seq, state.next_blob, state.catalog_seq]
        .map(u64::to_le_bytes)
        .concat();
    let sealed = checksum::seal_meta(STATE_KEY, &bytes);
    meta.insert(STATE_KEY, &sealed[..]).map(drop)
}

/// Writes the state, and the catalog if it changed.
pub(super) fn write_meta(
    meta: MetaWriter<'_, '_>,
    state: StoredState,
    catalog: Option<&Catalog>,
) -> Result<(), redb::StorageError> {
    write_state(meta, state)?;
    if let Some(catalog) = catalog {
        let sealed = checksum::seal_meta(CATALOG_KEY, &catalog_json::encode(catalog));
        meta.insert(CATALOG_KEY, &sealed[..])?;
    }
    Ok(())
}
