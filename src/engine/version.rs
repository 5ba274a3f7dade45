//! The emulated release.

/// The RethinkDB release that the engine emulates in protocol and behaviour.
pub(crate) const REQL_VERSION: &str = "2.4.4";
