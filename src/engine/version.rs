//! The emulated release.

/// The RethinkDB release whose protocol and behaviour the engine reproduces.
pub(crate) const REQL_VERSION: &str = "2.4.4";
