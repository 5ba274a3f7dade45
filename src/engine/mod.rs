//! An embedded database server that speaks RethinkDB's wire protocol and stores its tables in one file.
//!
//! Each module depends only on those after it: `protocol` (the server and its sessions), `eval` (the terms of a query),
//! `changefeed` and `storage`, `datum` and `error`. None depends on anything outside the engine.

mod changefeed;
pub mod datum;
pub mod error;
mod eval;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod protocol;
pub mod storage;
mod version;

use std::path::Path;

use datum::Datum;
pub use protocol::{Engine, EngineError, EngineSettings, EngineStats};
use storage::{CheckReport, OpenError};

/// Checks a data folder that no server uses; see [`storage::check`].
///
/// # Errors
/// As [`storage::check`].
pub fn check(
    folder: &Path,
    inspect: &mut dyn FnMut(&str, &Datum) -> Option<String>,
) -> Result<CheckReport, OpenError> {
    storage::check(folder, Box::new(eval::compile_index), inspect)
}
