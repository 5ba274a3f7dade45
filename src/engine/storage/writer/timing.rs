//! The delays of the writer.

use std::time::Duration;

/// The delays of the writer. Tests use shorter ones.
#[derive(Clone, Copy)]
pub(in crate::engine::storage) struct WriterTiming {
    /// The time until soft writes are synced to the disk. [`Durability::Soft`] promises at most a second.
    ///
    /// [`Durability::Soft`]: crate::engine::storage::Durability::Soft
    pub(in crate::engine::storage) soft_delay: Duration,
    /// The time for which writes are rejected after the disk failed; doubled with each failure in a row. Each attempt
    /// reopens the file, which invalidates the snapshots in use.
    pub(in crate::engine::storage) first_pause: Duration,
    /// The longest such pause.
    pub(in crate::engine::storage) max_pause: Duration,
}

impl Default for WriterTiming {
    fn default() -> Self {
        Self {
            soft_delay: Duration::from_millis(500),
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(2),
        }
    }
}
