//! Copies of the database file without the space that is not used: of one snapshot, and then of what has changed since.
//!
//! Values are copied as they are stored, damaged ones too, so that they are still reported. A table of which something
//! cannot be found is not copied: the copy would conceal that.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{
    Database, Durability, ReadTransaction, ReadableTable, ReadableTableMetadata, TableHandle,
};

use super::catalog::{IndexId, TableId};
use super::failure::catch;
use super::layout::{self, ChunkKey, META};
use super::snapshot::Snapshot;
use super::tables::Redo;
use crate::engine::error::ReqlError;

/// The size in bytes of the values that are copied in one transaction. It bounds the memory.
const BATCH_BYTES: usize = 8 << 20;

/// The documents, blobs and index entries that were written since a snapshot.
#[derive(Default)]
pub(super) struct Changed {
    documents: HashSet<(TableId, Vec<u8>)>,
    blobs: HashSet<(TableId, u64)>,
    entries: HashSet<(IndexId, Vec<u8>)>,
    /// The bytes of the new blobs.
    bytes: usize,
}

impl Changed {
    /// Adds the steps of a commit. Returns `false` if a table or an index was dropped, for which a copy is begun anew.
    pub(super) fn record(&mut self, steps: &[Redo]) -> bool {
        for step in steps {
            match step {
                Redo::Put { table, key, .. } | Redo::Delete { table, key } => {
                    self.documents.insert((*table, key.clone()));
                }
                Redo::StoreBlob { table, blob, bytes } => {
                    self.blobs.insert((*table, *blob));
                    self.bytes += bytes.len();
                }
                Redo::RemoveBlob { table, blob } => {
                    self.blobs.insert((*table, *blob));
                }
                Redo::AddEntry { index, entry, .. } | Redo::RemoveEntry { index, entry } => {
                    self.entries.insert((*index, entry.clone()));
                }
                Redo::DropTable(_) | Redo::DropIndex(_) => return false,
            }
        }
        true
    }

    /// Returns `true` if so little has changed that writers can wait for it.
    pub(super) fn is_small(&self) -> bool {
        self.documents.len() + self.blobs.len() + self.entries.len() < 400 && self.bytes < 1 << 20
    }
}

/// The reason why a copy was given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    #[error("it is no longer wanted")]
    Stopped,
    #[error("the table `{0}` is unknown")]
    Unknown(String),
    #[error(transparent)]
    Redb(#[from] redb::Error),
    #[error(transparent)]
    Read(#[from] ReqlError),
}

/// Copies a snapshot into a new database and makes that as small as possible.
pub(super) fn copy(
    snapshot: &Snapshot,
    copy: &mut Database,
    stop: &AtomicBool,
) -> Result<(), CopyError> {
    let from = snapshot.transaction();
    let names = catch(|| {
        let tables = from.list_tables()?;
        Ok(tables.map(|table| table.name().to_owned()).collect())
    });
    let names: Vec<String> = names?;
    for name in &names {
        let kind = name.split_once('/').map_or(&**name, |(kind, _)| kind);
        match kind {
            "meta" => copy_table(from, copy, META, |_, value| value.len(), stop)?,
            "documents" => {
                let size = |key: &[u8], value: &[u8]| key.len() + value.len();
                copy_table(from, copy, layout::documents(name), size, stop)?;
            }
            "index" => {
                let size = |key: &[u8], value: &[u8]| key.len() + value.len();
                copy_table(from, copy, layout::entries(name), size, stop)?;
            }
            "blobs" | "chunks" => {
                let size = |_: ChunkKey, value: &[u8]| value.len();
                copy_table(from, copy, layout::chunks(name), size, stop)?;
            }
            _ => return Err(CopyError::Unknown(name.clone())),
        }
    }
    // The commits so far are in memory; this makes them durable, too.
    catch(|| Ok(copy.compact()?)).map(drop)?;
    Ok(())
}

/// Copies one table, in transactions of bounded size.
///
/// # Errors
/// Also when its keys are not in order, or some of them cannot be read.
fn copy_table<K>(
    from: &ReadTransaction,
    to: &Database,
    table: redb::TableDefinition<'_, K, &'static [u8]>,
    size: impl Fn(K::SelfType<'_>, &[u8]) -> usize,
    stop: &AtomicBool,
) -> Result<(), CopyError>
where
    K: redb::Key + 'static,
{
    let source = catch(|| Ok(from.open_table(table)?))?;
    let expected = catch(|| Ok(source.len()?))?;
    let mut entries = catch(|| Ok(source.iter()?))?;
    let (mut is_done, mut count) = (false, 0);
    let mut last: Option<Vec<u8>> = None;
    while !is_done {
        if stop.load(Ordering::Relaxed) {
            return Err(CopyError::Stopped);
        }
        catch(|| {
            let mut transaction = to.begin_write()?;
            transaction.set_durability(Durability::None)?;
            {
                let mut target = transaction.open_table(table)?;
                let mut bytes = 0;
                while bytes < BATCH_BYTES {
                    let Some(entry) = entries.next() else {
                        is_done = true;
                        break;
                    };
                    let (key, value) = entry?;
                    let place = K::as_bytes(&key.value()).as_ref().to_vec();
                    if last
                        .as_ref()
                        .is_some_and(|last| K::compare(last, &place).is_ge())
                    {
                        return Err(incomplete(&table, "its keys are not in order"));
                    }
                    last = Some(place);
                    count += 1;
                    bytes += size(key.value(), value.value());
                    target.insert(key.value(), value.value())?;
                }
            }
            Ok(transaction.commit()?)
        })?;
    }
    if count != expected {
        let detail = format!("of {expected} entries {count} can be read");
        return Err(incomplete(&table, &detail).into());
    }
    Ok(())
}

fn incomplete(table: &impl TableHandle, detail: &str) -> redb::Error {
    redb::Error::Corrupted(format!("the table `{}` is damaged: {detail}", table.name()))
}

/// Brings a copy up to date with a later snapshot. On disk when it returns.
pub(super) fn catch_up(
    snapshot: &Snapshot,
    changed: &Changed,
    copy: &Database,
) -> Result<(), CopyError> {
    let from = snapshot.transaction();
    catch(|| {
        let mut transaction = copy.begin_write()?;
        // As in every commit of the writer: see `Writer::begin`.
        transaction.set_quick_repair(true);
        for (table, key) in &changed.documents {
            let name = layout::documents_name(*table);
            let source = from.open_table(layout::documents(&name))?;
            let mut target = transaction.open_table(layout::documents(&name))?;
            match source.get(&key[..])? {
                Some(value) => drop(target.insert(&key[..], value.value())?),
                None => drop(target.remove(&key[..])?),
            }
        }
        for (index, key) in &changed.entries {
            let name = layout::entries_name(*index);
            let source = from.open_table(layout::entries(&name))?;
            let mut target = transaction.open_table(layout::entries(&name))?;
            match source.get(&key[..])? {
                Some(value) => drop(target.insert(&key[..], value.value())?),
                None => drop(target.remove(&key[..])?),
            }
        }
        for (table, blob) in &changed.blobs {
            for name in [layout::blobs_name(*table), layout::chunks_name(*table)] {
                let mut target = transaction.open_table(layout::chunks(&name))?;
                let range = (*blob, 0)..=(*blob, u32::MAX);
                target.retain_in(range.clone(), |_, _| false)?;
                match from.open_table(layout::chunks(&name)) {
                    Ok(source) => {
                        for entry in source.range(range)? {
                            let (key, value) = entry?;
                            target.insert(key.value(), value.value())?;
                        }
                    }
                    Err(redb::TableError::TableDoesNotExist(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        {
            let source = from.open_table(META)?;
            let mut target = transaction.open_table(META)?;
            for entry in source.iter()? {
                let (key, value) = entry?;
                target.insert(key.value(), value.value())?;
            }
        }
        Ok(transaction.commit()?)
    })?;
    Ok(())
}
