//! The state of the disk of the data folder, as the last writes have shown.

use std::sync::{Mutex, PoisonError};

/// The operations that the disk permits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DiskState {
    /// Reads and writes.
    #[default]
    Works,
    /// Small writes: it has no space for images.
    Full,
    /// No writes. The text is the error of the last one.
    Failed(String),
}

/// The present state. The writer thread sets it.
#[derive(Default)]
pub(super) struct Health(Mutex<DiskState>);

impl Health {
    pub(super) fn set(&self, state: DiskState) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    pub(super) fn get(&self) -> DiskState {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
