//! An embedded database server that speaks RethinkDB's wire protocol and keeps its tables in one file.

mod changefeed;
pub mod datum;
pub mod error;
mod eval;
mod protocol;
pub mod storage;

pub use protocol::{Engine, EngineError, EngineSettings};

/// The RethinkDB release whose protocol and behaviour the engine reproduces.
pub(crate) const REQL_VERSION: &str = "2.4.4";
