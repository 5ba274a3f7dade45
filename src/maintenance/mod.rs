//! What the program does besides serving, each a subcommand.

mod backup;
mod check;
mod compact;
mod health;
mod restore;

pub use backup::{BackupError, backup};
pub use check::check;
pub use compact::{CompactError, compact};
pub use health::{HealthError, health};
pub use restore::{RestoreError, restore};
