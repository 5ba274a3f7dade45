//! The snapshot of the last commit, shared by all readers until the next commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use redb::{Database, ReadableDatabase};

use super::catalog::Catalog;
use super::damage::DamageLog;
use super::database::LiveDatabase;
use super::failure::ReadErrors;
use super::layout::{self, META, StoredState};
use super::snapshot::Snapshot;
use crate::engine::error::ReqlError;

/// Takes snapshots of the database.
pub(super) struct Snapshots {
    pub(super) database: Arc<LiveDatabase>,
    pub(super) damage: Arc<DamageLog>,
    cached: Mutex<Cached>,
}

struct Cached {
    /// The snapshot of the last commit. Weak, because a snapshot prevents the reuse of deleted space.
    snapshot: Weak<Snapshot>,
    /// The number of the commit that last changed the catalog, and that catalog.
    catalog: (u64, Arc<Catalog>),
}

impl Snapshots {
    /// `state` and `catalog` are those of the last commit in `database`.
    pub(super) fn new(
        database: Arc<LiveDatabase>,
        damage: Arc<DamageLog>,
        state: StoredState,
        catalog: Arc<Catalog>,
    ) -> Self {
        Self {
            database,
            damage,
            cached: Mutex::new(Cached {
                snapshot: Weak::new(),
                catalog: (state.catalog_seq, catalog),
            }),
        }
    }

    /// The database as of the last commit.
    pub(super) fn latest(&self) -> Result<Arc<Snapshot>, ReqlError> {
        // Locked until the new snapshot is cached. Otherwise `invalidate` could run before an outdated one is cached.
        let mut cached = self.lock();
        self.database.read(|database, errors| {
            if let Some(snapshot) = cached.snapshot.upgrade() {
                return Ok(snapshot);
            }
            let snapshot = begin(database, errors, &self.damage, &mut cached.catalog)?;
            let snapshot = Arc::new(snapshot);
            cached.snapshot = Arc::downgrade(&snapshot);
            Ok(snapshot)
        })
    }

    /// Drops the cached snapshot. Must be called after each commit and each reopening.
    pub(super) fn invalidate(&self) {
        self.lock().snapshot = Weak::new();
    }

    // A poisoned lock is usable: the cache is consistent after each statement.
    fn lock(&self) -> MutexGuard<'_, Cached> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begin(
    database: &Database,
    errors: &ReadErrors,
    damage: &Arc<DamageLog>,
    catalog: &mut (u64, Arc<Catalog>),
) -> Result<Snapshot, redb::Error> {
    let transaction = database.begin_read()?;
    let meta = transaction.open_table(META)?;
    let state = layout::read_state(&meta)?;
    // Parsing the catalog costs more than the rest of a snapshot, and the catalog rarely changes.
    if catalog.0 != state.catalog_seq {
        *catalog = (state.catalog_seq, layout::read_catalog(&meta)?);
    }
    Ok(Snapshot::new(
        transaction,
        state.seq,
        Arc::clone(&catalog.1),
        errors.clone(),
        Arc::clone(damage),
    ))
}
