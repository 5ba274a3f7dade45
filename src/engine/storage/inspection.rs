//! The inspection of a database after it was opened: finds the documents that are damaged, and adds checksums to those
//! that a release before format 2 has stored.
//!
//! It reads all documents and index entries, but no binaries: those are verified when they are read. A damaged index is
//! built anew.

use std::ops::Bound;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::catalog::{Durability, IndexId, Table, TableId};
use super::checksum;
use super::codec;
use super::damage::DamageLog;
use super::handle::{Handle, Storage};
use super::index_entry::EntryRange;
use super::key_range::Direction;
use super::snapshot::Snapshot;
use crate::engine::datum::{Binary, Datum, primary_key};
use crate::engine::error::{ErrorKind, ReqlError};

/// The longest time that opening waits for the inspection, which then goes on beside the work. A key that a damaged
/// page conceals is reported as damaged, instead of as missing, from the end of the inspection on.
const WAIT_LIMIT: Duration = Duration::from_secs(1);

/// The size in bytes of the values that get checksums in one write. It bounds the delay of other writes.
const SEAL_BYTES: usize = 1 << 20;

/// The time limit to look for the end of the storage during a pause.
const PAUSE_LIMIT: Duration = Duration::from_millis(200);

/// Starts the inspection on a thread of its own, and waits for it for a second.
pub(super) fn start(storage: &Storage) {
    let (done, wait) = sync_channel::<()>(1);
    let handle = Arc::downgrade(&storage.handle);
    let inspection = move || {
        let Found {
            unsealed,
            damaged_indexes,
        } = inspect(&handle);
        drop(done);
        rebuild(&handle, &damaged_indexes);
        seal(&handle, unsealed);
    };
    let thread = thread::Builder::new().name("storage-inspection".to_owned());
    match thread.spawn(inspection) {
        Ok(_) => {
            if wait.recv_timeout(WAIT_LIMIT) == Err(RecvTimeoutError::Timeout) {
                log::info!("the documents are being inspected");
            }
        }
        Err(error) => log::warn!("the documents cannot be inspected: {error}"),
    }
}

/// A document without checksum, or with a binary without.
type Unsealed = (TableId, Vec<u8>);

/// The results of an inspection that are to be mended.
#[derive(Default)]
struct Found {
    /// The documents to be given checksums.
    unsealed: Vec<Unsealed>,
    damaged_indexes: Vec<(TableId, IndexId)>,
}

/// Inspects all tables.
fn inspect(handle: &Weak<Handle>) -> Found {
    let mut found = Found::default();
    let Some((snapshot, damage)) = open_snapshot(handle) else {
        return found;
    };
    let catalog = Arc::clone(snapshot.catalog());
    for table in catalog.tables() {
        let goes_on = || handle.strong_count() > 0;
        let inspected = inspect_table(&snapshot, &damage, table, &goes_on, &mut |document| {
            if !document.is_sealed {
                found.unsealed.push((table.id, document.key));
            }
        });
        if let Err(error) = inspected {
            // Nothing can be said of a table while the disk fails or the storage is being closed.
            log::debug!("the inspection of {} ended: {error}", table.name);
        }
        for index in table.indexes.iter().filter(|index| index.ready) {
            match inspect_index(&snapshot, table.id, index.id, &goes_on) {
                Err(error) if is_damage(&error) => {
                    found.damaged_indexes.push((table.id, index.id));
                }
                _ => {}
            }
        }
    }
    found
}

/// Reads all entries of an index, and finds each by its key.
///
/// # Errors
/// When the disk fails, or the index is damaged.
pub(super) fn inspect_index(
    snapshot: &Arc<Snapshot>,
    table: TableId,
    index: IndexId,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), ReqlError> {
    let mut entries =
        snapshot.scan_index(table, index, &EntryRange::all(), Direction::Ascending)?;
    let mut count = 0;
    while let Some(entry) = entries.next_entry() {
        if !goes_on() {
            return Ok(());
        }
        if !snapshot.has_entry(table, index, &entry?.key)? {
            return Err(entries.damaged("an entry cannot be found by its key"));
        }
        count += 1;
    }
    let expected = snapshot.count_entries(table, index)?;
    if count != expected {
        let detail = format!("it has {expected} entries, of which {count} can be read");
        return Err(entries.damaged(&detail));
    }
    Ok(())
}

/// Lets the writer build damaged indexes anew.
fn rebuild(handle: &Weak<Handle>, damaged: &[(TableId, IndexId)]) {
    for &(table, index) in damaged {
        let Some(handle) = handle.upgrade() else {
            return;
        };
        let storage = Storage { handle };
        let write = storage.write(Durability::Hard, move |batch| {
            batch.rebuild_index(table, index)
        });
        if let Err(error) = futures::executor::block_on(write) {
            log::warn!("a damaged index cannot be built anew: {error}");
        }
    }
}

fn open_snapshot(handle: &Weak<Handle>) -> Option<(Arc<Snapshot>, Arc<DamageLog>)> {
    let snapshots = Arc::clone(&handle.upgrade()?.snapshots);
    let damage = Arc::clone(&snapshots.damage);
    Some((snapshots.latest().ok()?, damage))
}

/// A document that is not damaged.
pub(super) struct Inspected {
    pub(super) key: Vec<u8>,
    /// The numbers of its blobs.
    pub(super) blobs: Vec<u64>,
    /// `false` if the document or one of its blobs has no checksum.
    pub(super) is_sealed: bool,
}

/// Inspects the documents of a table until `goes_on` returns `false`. Records in `damage` what is damaged, and calls
/// `found` with each other document.
///
/// # Errors
/// When the disk fails, or the structure of the table is damaged.
pub(super) fn inspect_table(
    snapshot: &Arc<Snapshot>,
    damage: &DamageLog,
    table: &Table,
    goes_on: &dyn Fn() -> bool,
    found: &mut dyn FnMut(Inspected),
) -> Result<(), ReqlError> {
    let catalog = snapshot.catalog();
    let expected = snapshot.count(table.id)?;
    let (from, to) = (Bound::Unbounded, Bound::Unbounded);
    let mut scan = snapshot.scan(table.id, from, to, Direction::Ascending)?;
    let has_plain_blobs = snapshot.has_plain_blobs(table.id)?;
    let mut count = 0;
    while let Some(entry) = scan.next_stored() {
        if !goes_on() {
            return Ok(());
        }
        // A damaged table has been logged.
        let (key, stored) = entry?;
        count += 1;
        match inspect_document(table.id, &key, &stored) {
            Err(detail) => {
                damage.document(catalog, table.id, &key, &detail);
                // The key may be what is damaged: the document then is missing at its own.
                if let Some(own) = own_key(table, &stored)
                    && own != key
                {
                    damage.document(catalog, table.id, &own, &detail);
                }
            }
            Ok(blobs) => {
                match snapshot.stored(table.id, &key) {
                    Ok(Some(_)) => {}
                    Err(error) if !is_damage(&error) => return Err(error),
                    Ok(None) | Err(_) => {
                        let detail = "it cannot be found by its key";
                        damage.document(catalog, table.id, &key, detail);
                    }
                }
                let mut is_sealed = checksum::is_sealed(&stored);
                for blob in blobs.iter().filter(|_| has_plain_blobs) {
                    is_sealed &= !snapshot.is_plain_blob(table.id, *blob)?;
                }
                found(Inspected {
                    key,
                    blobs,
                    is_sealed,
                });
            }
        }
    }
    if count != expected {
        let detail = format!("it has {expected} documents, of which {count} can be read");
        damage.table(catalog, table.id, &detail);
    }
    Ok(())
}

/// Returns `true` if an error is that of a damaged file, rather than of a disk that fails or of a closed database.
fn is_damage(error: &ReqlError) -> bool {
    error.kind == ErrorKind::Internal
}

/// Verifies a document; returns the numbers of its blobs.
///
/// # Errors
/// The damage, as a message.
fn inspect_document(table: TableId, key: &[u8], stored: &[u8]) -> Result<Vec<u64>, String> {
    let mut blobs = Vec::new();
    let mut resolve = |blob, _| {
        blobs.push(blob);
        Binary::Inline(bytes::Bytes::new())
    };
    checksum::open_document(table, key, stored)
        .and_then(|document| codec::decode(document, &mut resolve))
        .map_err(|error| error.to_string())?;
    Ok(blobs)
}

/// The key that a document should have according to its primary key.
fn own_key(table: &Table, stored: &[u8]) -> Option<Vec<u8>> {
    let mut resolve = |_, _| Binary::Inline(bytes::Bytes::new());
    let document = stored.get(1 + checksum::CHECKSUM..)?;
    let Datum::Object(fields) = codec::decode(document, &mut resolve).ok()? else {
        return None;
    };
    primary_key(fields.get(&*table.primary_key)?).ok()
}

/// Gives checksums to documents and their blobs, in small writes with pauses as long as they took.
fn seal(handle: &Weak<Handle>, unsealed: Vec<Unsealed>) {
    if unsealed.is_empty() {
        return;
    }
    log::info!(
        "{} documents of an earlier release get checksums",
        unsealed.len()
    );
    let total = unsealed.len();
    let mut unsealed: Arc<[Unsealed]> = unsealed.into();
    let mut failed = 0;
    while !unsealed.is_empty() {
        let start = Instant::now();
        let Some(handle) = handle.upgrade() else {
            return;
        };
        let storage = Storage { handle };
        let next = Arc::clone(&unsealed);
        let write = storage.write(Durability::Hard, move |batch| {
            let limit = batch.bytes() + SEAL_BYTES;
            let mut count = 0;
            while let Some((table, key)) = next.get(count)
                && batch.bytes() < limit
            {
                // A damaged document is logged, and stays as it is.
                let _ = batch.seal(*table, key);
                count += 1;
            }
            Ok(count)
        });
        match futures::executor::block_on(write) {
            Ok(count) => unsealed = unsealed[count..].into(),
            Err(error) if failed < 10 => {
                log::debug!("no checksums could be added: {error}");
                failed += 1;
            }
            // The next start goes on.
            Err(error) => return log::warn!("some documents have no checksums yet: {error}"),
        }
        drop(storage);
        thread::sleep(start.elapsed().min(PAUSE_LIMIT));
    }
    log::info!("{total} documents have checksums now");
}
