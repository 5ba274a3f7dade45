//! The check of a data folder that no server uses: reads everything in it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::OpenError;
use super::catalog::Table;
use super::damage::DamageLog;
use super::database::LiveDatabase;
use super::inspection::{inspect_index, inspect_table};
use super::medium::FileMedium;
use super::open::{self, Opened};
use super::snapshot::Snapshot;
use super::snapshots::Snapshots;
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::ReqlError;

/// What a check of a data folder has found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// The number of documents that can be read.
    pub documents: u64,
    /// The number of their large binaries.
    pub blobs: u64,
    /// The size of these binaries in bytes.
    pub bytes: u64,
    /// The number of documents that a release without checksums has written.
    pub without_checksum: u64,
    /// What is damaged, one message for each document or table.
    pub damage: Vec<String>,
    /// Binaries that no document refers to, one message for each table. They only take up space.
    pub orphans: Vec<String>,
}

/// Reads all documents, binaries and index entries in a folder and verifies their checksums. `inspect` is called with each document that
/// can be read, though its binaries perhaps cannot, and the name of its table, as `database.table`; it returns what else is
/// damaged.
///
/// # Errors
/// If the folder cannot be opened, for example because a server uses it, or the disk fails.
pub fn check(
    folder: &Path,
    inspect: &mut dyn FnMut(&str, &Datum) -> Option<String>,
) -> Result<CheckReport, OpenError> {
    let medium = FileMedium::existing(folder).map_err(|error| OpenError::from_io(folder, error))?;
    let Opened {
        database,
        state,
        catalog,
    } = open::open(folder, &medium)?;
    let database = Arc::new(LiveDatabase::new(database, Arc::new(|_| {})));
    let damage = Arc::new(DamageLog::default());
    let snapshots = Snapshots::new(
        Arc::clone(&database),
        Arc::clone(&damage),
        state,
        Arc::clone(&catalog),
    );
    let mut report = CheckReport::default();
    let failed = |error: ReqlError| OpenError::Disk {
        folder: folder.to_owned(),
        detail: error.message,
    };
    let snapshot = snapshots.latest().map_err(failed)?;
    for table in catalog.tables() {
        let checked = check_table(&snapshot, &damage, table, inspect, &mut report);
        // The damage of a table has been recorded.
        if let Err(error) = checked
            && damage.check_writable(table.id).is_ok()
        {
            return Err(failed(error));
        }
        for index in table.indexes.iter().filter(|index| index.ready) {
            // The damage of an index has been recorded.
            if let Err(error) = inspect_index(&snapshot, table.id, index.id, &|| true)
                && damage.check_index(index.id).is_ok()
            {
                return Err(failed(error));
            }
        }
    }
    report.damage.splice(0..0, damage.messages());
    drop(snapshot);
    database.close();
    Ok(report)
}

fn check_table(
    snapshot: &Arc<Snapshot>,
    damage: &DamageLog,
    table: &Table,
    inspect: &mut dyn FnMut(&str, &Datum) -> Option<String>,
    report: &mut CheckReport,
) -> Result<(), ReqlError> {
    let name = snapshot.catalog().full_name(table);
    let mut used: HashSet<u64> = HashSet::new();
    let mut keys = Vec::new();
    inspect_table(snapshot, damage, table, &|| true, &mut |document| {
        report.without_checksum += u64::from(!document.is_sealed);
        used.extend(&document.blobs);
        keys.push(document.key);
    })?;
    for key in keys {
        let Ok(Some(document)) = snapshot.get(table.id, &key) else {
            continue;
        };
        for binary in binaries(&document) {
            let read = binary.bytes();
            report.blobs += 1;
            report.bytes += read.map_or(0, |bytes| bytes.len() as u64);
        }
        report.documents += 1;
        report.damage.extend(inspect(&name, &document));
    }
    let mut stored = snapshot.blob_numbers(table.id)?;
    stored.retain(|blob| !used.contains(blob));
    if !stored.is_empty() {
        let count = stored.len();
        let message = format!("table `{name}`: {count} binaries belong to no document");
        report.orphans.push(message);
    }
    Ok(())
}

/// The binaries of a document that are stored beside it.
fn binaries(datum: &Datum) -> Vec<&Binary> {
    match datum {
        Datum::Binary(binary @ Binary::Stored { .. }) => vec![binary],
        Datum::Array(items) => items.iter().flat_map(binaries).collect(),
        Datum::Object(fields) => fields.values().flat_map(binaries).collect(),
        _ => Vec::new(),
    }
}
