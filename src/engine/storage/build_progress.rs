//! The progress of index builds, for `index_status`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::catalog::IndexId;

/// The share of the documents that have entries, for each index that is being built.
#[derive(Default)]
pub(super) struct BuildProgress {
    shares: Mutex<HashMap<IndexId, f64>>,
}

impl BuildProgress {
    /// The share of the documents that have entries, from 0 to 1.
    pub(super) fn get(&self, index: IndexId) -> f64 {
        self.lock().get(&index).copied().unwrap_or_default()
    }

    pub(super) fn set(&self, index: IndexId, documents: u64, total: u64) {
        let share = documents as f64 / total.max(1) as f64;
        self.lock().insert(index, share.min(1.0));
    }

    pub(super) fn remove(&self, index: IndexId) {
        self.lock().remove(&index);
    }

    // A poisoned lock is usable: each change is a single call.
    fn lock(&self) -> MutexGuard<'_, HashMap<IndexId, f64>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
