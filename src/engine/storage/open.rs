//! Opening the database file at start-up, and reopening it after a disk error.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, DatabaseError, Durability, ReadableDatabase, StorageError, TableError};

use super::catalog::Catalog;
use super::failure::{catch, explain};
use super::journal::Journal;
use super::layout::{self, FORMAT, META, MetaError, StoredState};
use super::medium::Medium;
use super::open_error::OpenError;
use super::tables::WriteTables;
use crate::engine::error::{ErrorKind, ReqlError};

/// An open database and the contents of its meta table.
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) state: StoredState,
    pub(super) catalog: Arc<Catalog>,
}

/// Opens the database in `folder`, creating the file if it is missing.
///
/// # Errors
/// See [`OpenError`].
pub(super) fn open(folder: &Path, medium: &dyn Medium) -> Result<Opened, OpenError> {
    let database =
        open_medium(medium, true).map_err(|error| OpenError::from_database(folder, error))?;
    let (state, catalog) = match read_meta(&database) {
        Ok(Some(Meta {
            format: FORMAT,
            state,
            catalog,
        })) => (state, catalog),
        Ok(Some(older)) => catch(|| upgrade(&database, older))
            .map_err(|error| OpenError::from_redb(folder, error))?,
        Ok(None) => initialise(&database).map_err(|error| OpenError::from_redb(folder, error))?,
        Err(error) => return Err(unreadable(folder, error)),
    };
    // Makes the name of a new file durable. The error is ignored, because some file systems cannot sync a folder.
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(Opened {
        database,
        state,
        catalog,
    })
}

/// Opens the database in `folder` as it is.
///
/// # Errors
/// See [`OpenError`]. Also when the file is not a database of this program.
pub(super) fn open_existing(folder: &Path, medium: &dyn Medium) -> Result<Database, OpenError> {
    let database =
        open_medium(medium, false).map_err(|error| OpenError::from_database(folder, error))?;
    match read_meta(&database) {
        Ok(_) => Ok(database),
        Err(error) => Err(unreadable(folder, error)),
    }
}

/// Opens the file after a failure and applies the commits of the journal that it lacks. Returns the state found on
/// disk. `known` ranges from the last acknowledged commit to the last attempted one.
///
/// # Errors
/// When the disk still fails, or the file is not the one that was in use.
pub(super) fn reopen(
    medium: &dyn Medium,
    journal: &Journal,
    known: RangeInclusive<u64>,
) -> Result<(Database, StoredState), ReqlError> {
    // Never creates the file: an empty database in place of a missing one would look like lost data.
    let database = open_medium(medium, false).map_err(explain)?;
    let disk = match read_meta(&database) {
        Ok(Some(meta)) => meta.state,
        Ok(None) | Err(ReadError::Newer(_)) => return Err(replaced()),
        Err(ReadError::Redb(error)) => return Err(explain(error)),
    };
    // A commit that this process never attempted: another file.
    if disk.seq > *known.end() {
        return Err(replaced());
    }
    if disk.seq < *known.start() {
        // An acknowledged commit is neither in the file nor in the journal: an older copy of the file.
        if !journal.continues(disk.seq, *known.start()) {
            return Err(replaced());
        }
        catch(|| replay(&database, journal, disk.seq)).map_err(explain)?;
    }
    Ok((database, disk))
}

fn replay(database: &Database, journal: &Journal, seq: u64) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // The commit stays in memory, so it succeeds on a full disk.
    transaction.set_durability(Durability::None)?;
    journal.replay(&transaction, seq)?;
    Ok(transaction.commit()?)
}

fn replaced() -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        "The database file was replaced while it was in use; restart the server.",
    )
}

fn open_medium(medium: &dyn Medium, create: bool) -> Result<Database, DatabaseError> {
    // redb can panic on a damaged file.
    catch(|| Ok(medium.open(create))).unwrap_or_else(|_| {
        Err(DatabaseError::Storage(StorageError::Corrupted(
            "the file is not consistent".to_owned(),
        )))
    })
}

enum ReadError {
    /// The format number of a later version.
    Newer(u64),
    Redb(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

fn unreadable(folder: &Path, error: ReadError) -> OpenError {
    match error {
        ReadError::Newer(found) => OpenError::Newer {
            folder: folder.to_owned(),
            detail: format!("format {found}; this version reads formats up to {FORMAT}"),
        },
        ReadError::Redb(error) => OpenError::from_redb(folder, error),
    }
}

/// The contents of the meta table.
struct Meta {
    format: u64,
    state: StoredState,
    catalog: Arc<Catalog>,
}

/// Reads the meta table; `None` if the database is new.
fn read_meta(database: &Database) -> Result<Option<Meta>, ReadError> {
    catch(|| Ok(try_read_meta(database)))?
}

fn try_read_meta(database: &Database) -> Result<Option<Meta>, ReadError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) if transaction.list_tables()?.next().is_none() => {
            return Ok(None);
        }
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Err(MetaError::Damaged("meta").into()),
    };
    let format = layout::read_format(&meta)?;
    if format > FORMAT {
        return Err(ReadError::Newer(format));
    }
    Ok(Some(Meta {
        format,
        state: layout::read_state(&meta)?,
        catalog: layout::read_catalog(&meta)?,
    }))
}

/// Converts the meta table of an older format. Reading the catalog has given its indexes their ids, which must not
/// change any more; the writer builds them.
fn upgrade(database: &Database, older: Meta) -> Result<(StoredState, Arc<Catalog>), redb::Error> {
    let Meta {
        format,
        mut state,
        catalog,
    } = older;
    log::info!("converting the database file from format {format} to {FORMAT}");
    state.seq += 1;
    state.catalog_seq = state.seq;
    write_all(database, state, &catalog)?;
    Ok((state, catalog))
}

fn initialise(database: &Database) -> Result<(StoredState, Arc<Catalog>), redb::Error> {
    let (state, catalog) = (StoredState::default(), Catalog::default());
    write_all(database, state, &catalog)?;
    Ok((state, Arc::new(catalog)))
}

/// Writes the whole meta table.
fn write_all(
    database: &Database,
    state: StoredState,
    catalog: &Catalog,
) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    // As in every commit of the writer: see `Writer::begin`.
    transaction.set_quick_repair(true);
    {
        let mut meta = transaction.open_table(META)?;
        layout::write_format(&mut meta, FORMAT)?;
        layout::write_meta(&mut meta, state, Some(catalog))?;
        // Format 1 created them at the first write.
        WriteTables::new(&transaction).create_missing(catalog)?;
    }
    Ok(transaction.commit()?)
}
