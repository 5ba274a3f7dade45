//! An embedded database server that speaks RethinkDB's wire protocol and keeps its tables in one file.
//!
//! Each module uses only the ones below it: `protocol` (the server and its sessions), `eval` (the terms of a query),
//! `changefeed` and `storage`, `datum` and `error`. None of them uses anything outside the engine.

mod changefeed;
pub mod datum;
pub mod error;
mod eval;
mod protocol;
pub mod storage;
mod version;

pub use protocol::{Engine, EngineError, EngineSettings};
