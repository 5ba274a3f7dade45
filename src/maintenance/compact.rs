//! `realtime-photo compact`: returns the space that the data folder of a stopped server does not use.

use std::io::{self, Write};
use std::path::Path;

use crate::engine::storage::{self, OpenError};

/// Why a folder was not compacted.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// The folder cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The result cannot be printed.
    #[error("cannot print the result: {0}")]
    Output(#[from] io::Error),
}

/// Makes the file of a data folder as small as its contents, in place. Prints its size before and after.
///
/// # Errors
///
/// If the folder cannot be opened, for example because a server uses it, or the disk fails. The file is as whole as
/// before.
pub fn compact(folder: &Path, out: &mut dyn Write) -> Result<(), CompactError> {
    let (before, after) = storage::compact(folder)?;
    writeln!(out, "{}: from {before} to {after} bytes.", folder.display())?;
    Ok(())
}
