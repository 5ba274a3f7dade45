//! The check of a data folder that no server uses: reads everything in it, and changes nothing.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use redb::Database;

use super::catalog::{Index, Table};
use super::damage::DamageLog;
use super::database::LiveDatabase;
use super::failure::{catch, explain};
use super::index_functions::{CompileIndex, IndexFunctions};
use super::inspection::{inspect_index, inspect_table};
use super::open::{self, Opened};
use super::open_error::OpenError;
use super::overlay::ReadOnlyMedium;
use super::snapshot::Snapshot;
use super::snapshots::Snapshots;
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::ReqlError;

/// The result of a check of a data folder.
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
    /// The damage, one message for each document or table.
    pub damage: Vec<String>,
    /// Binaries that no document refers to, one message for each table. They only take up space.
    pub orphans: Vec<String>,
}

/// Reads all documents, binaries and index entries in a folder, verifies their checksums, and compares the entries with
/// the documents. If nothing is damaged, reads every page of the file, too. Changes nothing in the folder.
///
/// `inspect` is called with each document that can be read, though its binaries perhaps cannot, and the name of its
/// table, as `database.table`; it returns what else is damaged.
///
/// # Errors
/// If the folder cannot be opened, for example because a server uses it, or the disk fails.
pub fn check(
    folder: &Path,
    compile_index: CompileIndex,
    inspect: &mut dyn FnMut(&str, &Datum) -> Option<String>,
) -> Result<CheckReport, OpenError> {
    let medium =
        ReadOnlyMedium::existing(folder).map_err(|error| OpenError::from_io(folder, error))?;
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
    let functions = IndexFunctions::new(compile_index);
    let mut report = CheckReport::default();
    let failed = |error: ReqlError| OpenError::Disk {
        folder: folder.to_owned(),
        detail: error.message,
    };
    let snapshot = snapshots.latest().map_err(failed)?;
    for table in catalog.tables() {
        let mut indexes = Vec::new();
        for index in table.indexes.iter().filter(|index| index.ready) {
            match inspect_index(&snapshot, table.id, index.id, &|| true) {
                Ok(()) => indexes.push(IndexCheck::new(index)),
                // The damage of an index has been recorded.
                Err(_) if damage.check_index(index.id).is_err() => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let mut found = Found {
            report: &mut report,
            functions: &functions,
            indexes: &mut indexes,
        };
        match check_table(&snapshot, &damage, table, inspect, &mut found) {
            Ok(()) => {}
            // The damage of a table has been recorded.
            Err(_) if damage.check_writable(table.id).is_err() => {}
            Err(error) => return Err(failed(error)),
        }
    }
    report.damage.splice(0..0, damage.messages());
    drop((snapshot, snapshots));
    // Otherwise a damaged page would be listed twice.
    if report.damage.is_empty()
        && let Some(database) = database.take()
    {
        report.damage.extend(check_pages(database));
    }
    Ok(report)
}

/// The results that the check of a table adds to.
struct Found<'a, 'i> {
    report: &'a mut CheckReport,
    functions: &'a IndexFunctions,
    indexes: &'a mut [IndexCheck<'i>],
}

/// The entries that the documents have in an index.
struct IndexCheck<'a> {
    index: &'a Index,
    found: u64,
    missing: u64,
    /// `true` if the entries of a document are not known, because it cannot be read.
    is_uncertain: bool,
}

impl<'a> IndexCheck<'a> {
    fn new(index: &'a Index) -> Self {
        Self {
            index,
            found: 0,
            missing: 0,
            is_uncertain: false,
        }
    }

    /// Looks for the entries of a document.
    fn add(
        &mut self,
        snapshot: &Snapshot,
        functions: &IndexFunctions,
        table: &Table,
        (key, document): (&[u8], &Datum),
    ) -> Result<(), ReqlError> {
        let Ok(entries) = functions.entries(self.index, key, Some(document)) else {
            self.is_uncertain = true;
            return Ok(());
        };
        for entry in entries {
            match snapshot.has_entry(table.id, self.index.id, &entry)? {
                true => self.found += 1,
                false => self.missing += 1,
            }
        }
        Ok(())
    }

    /// The difference between entries and documents.
    fn message(&self, snapshot: &Snapshot, table: &Table) -> Result<Option<String>, ReqlError> {
        let count = snapshot.count_entries(table.id, self.index.id)?;
        let surplus = match self.is_uncertain {
            true => 0,
            false => count - self.found,
        };
        if (surplus, self.missing) == (0, 0) {
            return Ok(None);
        }
        Ok(Some(format!(
            "The index `{}` of table `{}` lacks {} entries of documents, and has {surplus} of no document. Restoring a backup \
             builds it anew.",
            self.index.name,
            snapshot.catalog().full_name(table),
            self.missing,
        )))
    }
}

/// Verifies the pages of the file, which redb does not when it reads them, and the list of those that are free. Returns
/// what is damaged.
fn check_pages(mut database: Database) -> Option<String> {
    match catch(|| Ok(database.check_integrity()?)) {
        Ok(true) => None,
        Ok(false) => Some(
            "The list of free pages in the file is damaged. What is stored is not, but nothing can be added reliably: \
             `realtime-photo compact` writes the list anew."
                .to_owned(),
        ),
        Err(error) => Some(format!(
            "The pages of the file: {} What the server can still read is in a backup of it; restore that into a new \
             folder.",
            explain(error).message
        )),
    }
}

fn check_table(
    snapshot: &Arc<Snapshot>,
    damage: &DamageLog,
    table: &Table,
    inspect: &mut dyn FnMut(&str, &Datum) -> Option<String>,
    Found {
        report,
        functions,
        indexes,
    }: &mut Found<'_, '_>,
) -> Result<(), ReqlError> {
    let name = snapshot.catalog().full_name(table);
    let mut used: HashSet<u64> = HashSet::new();
    let (mut keys, mut readable) = (Vec::new(), 0);
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
        for index in indexes.iter_mut() {
            index.add(snapshot, functions, table, (&key, &document))?;
        }
        readable += 1;
    }
    let is_uncertain = readable < snapshot.count(table.id)?;
    for index in indexes.iter_mut() {
        index.is_uncertain |= is_uncertain;
        report.damage.extend(index.message(snapshot, table)?);
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
