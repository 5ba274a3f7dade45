//! Compaction of a data folder that no server uses.

use std::fs;
use std::path::Path;

use super::failure::catch;
use super::medium::FileMedium;
use super::open;
use super::open_error::OpenError;

/// Makes the file in a folder as small as its contents, in place, so that it needs no space besides. Also writes the
/// list of its free pages anew. The format of the contents stays as it is. Returns the sizes before and after, in
/// bytes.
///
/// # Errors
/// If the folder cannot be opened, for example because a server uses it, its pages are damaged, or the disk fails.
pub fn compact(folder: &Path) -> Result<(u64, u64), OpenError> {
    let from_io = |error| OpenError::from_io(folder, error);
    let medium = FileMedium::existing(folder).map_err(from_io)?;
    let length = || fs::metadata(medium.path()).map(|file| file.len());
    let before = length().map_err(from_io)?;
    let mut database = open::open_existing(folder, &medium)?;
    catch(|| {
        // Moving damaged pages could destroy more.
        database.check_integrity()?;
        database.compact()?;
        Ok(database.close()?)
    })
    .map_err(|error| OpenError::from_redb(folder, error))?;
    Ok((before, length().map_err(from_io)?))
}
