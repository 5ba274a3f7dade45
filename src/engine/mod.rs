//! The embedded engine: a small database server that speaks RethinkDB's wire protocol.

pub mod datum;
pub mod error;
pub mod storage;
