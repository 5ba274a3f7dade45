//! The embedded engine: a small database server that speaks RethinkDB's wire protocol.

mod changefeed;
mod cursor;
pub mod datum;
pub mod error;
mod eval;
mod handshake;
mod json;
mod server;
mod session;
pub mod storage;
mod term;
mod wire;

pub use server::{Engine, EngineError, EngineSettings};

/// The RethinkDB whose protocol and behaviour this is.
pub(crate) const REQL_VERSION: &str = "2.4.4";
