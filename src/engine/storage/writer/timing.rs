//! The writer's delays.

use std::time::Duration;

/// The writer's delays. Tests use shorter ones.
#[derive(Clone, Copy)]
pub(in crate::engine::storage) struct WriterTiming {
    /// The time after which soft writes are synced to the disk. [`Durability::Soft`] promises at most a second.
    ///
    /// [`Durability::Soft`]: crate::engine::storage::Durability::Soft
    pub(in crate::engine::storage) soft_delay: Duration,
    /// The time for which writes are rejected after a disk failure, doubled with each consecutive failure. Attempts are
    /// spaced out because each one reopens the file, which invalidates the snapshots in use.
    pub(in crate::engine::storage) first_pause: Duration,
    /// The longest such pause.
    pub(in crate::engine::storage) max_pause: Duration,
    /// The time after the start at which space is kept back.
    pub(in crate::engine::storage) reserve_delay: Duration,
    /// The pause between two steps of keeping space back.
    pub(in crate::engine::storage) reserve_step: Duration,
    /// The time after which a full disk is tried again.
    pub(in crate::engine::storage) reserve_retry: Duration,
    /// The time after the last removal of images at which their space is returned.
    pub(in crate::engine::storage) compaction_delay: Duration,
}

impl Default for WriterTiming {
    fn default() -> Self {
        Self {
            soft_delay: Duration::from_millis(500),
            first_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(2),
            reserve_delay: Duration::from_secs(1),
            reserve_step: Duration::from_millis(20),
            reserve_retry: Duration::from_secs(3),
            compaction_delay: Duration::from_secs(5),
        }
    }
}
