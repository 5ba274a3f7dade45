//! The redb tables that the storage is made of.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadableTable, TableDefinition};

use super::blobs::ChunkKey;
use super::catalog::{Catalog, TableId};

/// The format of the folder that this version writes. Raise it when an older version could not read the folder any
/// more, and keep opening every number below it.
pub(super) const FORMAT: u64 = 1;

/// Facts about the whole database, by name.
pub(super) const META: TableDefinition<'static, &str, &[u8]> = TableDefinition::new("meta");

const FORMAT_KEY: &str = "format";
const STATE_KEY: &str = "state";
const CATALOG_KEY: &str = "catalog";

/// The documents of one table, by encoded key.
pub(super) type Documents<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;

pub(super) fn documents_name(table: TableId) -> String {
    format!("documents/{table}")
}

pub(super) fn chunks_name(table: TableId) -> String {
    format!("chunks/{table}")
}

pub(super) fn documents(name: &str) -> Documents<'_> {
    TableDefinition::new(name)
}

pub(super) fn chunks(name: &str) -> TableDefinition<'_, ChunkKey, &'static [u8]> {
    TableDefinition::new(name)
}

/// What changes with every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The number of the commit.
    pub(super) seq: u64,
    /// The number for the next blob. None is ever given twice.
    pub(super) next_blob: u64,
    /// The commit that changed the catalog last.
    pub(super) catalog_seq: u64,
}

/// What is wrong with the meta table.
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
    /// The bytes of one entry.
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

pub(super) fn read_state(meta: Meta<'_>) -> Result<State, MetaError> {
    let bytes = meta
        .entry(STATE_KEY)?
        .ok_or(MetaError::Damaged(STATE_KEY))?;
    let (numbers, rest) = bytes.as_chunks::<8>();
    match (numbers, rest) {
        ([seq, next_blob, catalog_seq], []) => Ok(State {
            seq: u64::from_le_bytes(*seq),
            next_blob: u64::from_le_bytes(*next_blob),
            catalog_seq: u64::from_le_bytes(*catalog_seq),
        }),
        _ => Err(MetaError::Damaged(STATE_KEY)),
    }
}

pub(super) fn read_catalog(meta: Meta<'_>) -> Result<Arc<Catalog>, MetaError> {
    let json = meta
        .entry(CATALOG_KEY)?
        .ok_or(MetaError::Damaged(CATALOG_KEY))?;
    Ok(Arc::new(
        Catalog::from_json(&json).map_err(MetaError::Catalog)?,
    ))
}

type MetaWriter<'a, 'txn> = &'a mut redb::Table<'txn, &'static str, &'static [u8]>;

pub(super) fn write_format(
    meta: MetaWriter<'_, '_>,
    format: u64,
) -> Result<(), redb::StorageError> {
    meta.insert(FORMAT_KEY, &format.to_le_bytes()[..]).map(drop)
}

pub(super) fn write_state(
    meta: MetaWriter<'_, '_>,
    state: State,
) -> Result<(), redb::StorageError> {
    let bytes = [state.seq, state.next_blob, state.catalog_seq]
        .map(u64::to_le_bytes)
        .concat();
    meta.insert(STATE_KEY, &bytes[..]).map(drop)
}

pub(super) fn write_catalog(
    meta: MetaWriter<'_, '_>,
    json: &[u8],
) -> Result<(), redb::StorageError> {
    meta.insert(CATALOG_KEY, json).map(drop)
}

/// Bounds as redb takes them.
pub(super) fn borrow<'a>(
    lower: &'a Bound<Vec<u8>>,
    upper: &'a Bound<Vec<u8>>,
) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    (
        lower.as_ref().map(Vec::as_slice),
        upper.as_ref().map(Vec::as_slice),
    )
}

/// Whether no key lies between two bounds.
pub(super) fn is_empty(lower: &Bound<Vec<u8>>, upper: &Bound<Vec<u8>>) -> bool {
    use Bound::{Excluded, Included, Unbounded};
    match (lower, upper) {
        (Unbounded, _) | (_, Unbounded) => false,
        (Included(lower), Included(upper)) => lower > upper,
        (Included(lower) | Excluded(lower), Included(upper) | Excluded(upper)) => lower >= upper,
    }
}
