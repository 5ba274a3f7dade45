//! An embedded database server that speaks RethinkDB's wire protocol and stores its tables in one file.
//!
//! Each module depends only on those after it: `protocol` (the server and its sessions), `eval` (the terms of a query),
//! `changefeed` and `storage`, `datum` and `error`. None depends on anything outside the engine.

mod changefeed;
pub mod datum;
pub mod error;
mod eval;
mod protocol;
pub mod storage;
mod version;

pub use protocol::{Engine, EngineError, EngineSettings, EngineStats};
