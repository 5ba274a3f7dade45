//! Access to the database servers of one cluster, and the workarounds for the limits of the driver `reql`.
//!
//! ```text
//! Pool ─────────> Session ──> Connector ──> server      short queries, up to 16 at once
//! changefeed ───> Session                               one session per changefeed
//! watchdog ─────> Session                               one per server; ends changefeeds of a lost server
//! ```

mod binary;
mod changefeed;
mod connection;
mod pool;
mod settings;
mod watchdog;

pub(super) use binary::Binary;
pub(super) use changefeed::{Element, changefeed_options};
pub(super) use connection::{Connector, single_value};
pub(super) use pool::Pool;
pub use settings::{
    Address, ClusterSettings, DEFAULT_DATABASE, DEFAULT_PORT, DEFAULT_USER, Password,
};
pub(super) use watchdog::spawn as spawn_watchdog;
