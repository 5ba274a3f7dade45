//! The space on the disk for uploads that are arriving.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::web::http::problem::Problem;
use crate::web::upload_folder::UploadFolder;

/// The number of times that an upload is on the disk at once: in its temporary file, and in the database, which may be
/// on the same disk.
const COPIES: u64 = 2;

/// The space that the uploads in progress still need, all together. No upload begins for which there is no room, so the
/// database does not meet a full disk because of those that arrive at the same time.
#[derive(Default)]
pub(crate) struct DiskSpace {
    needed: Arc<AtomicU64>,
}

/// The space for one upload, until it is stored. Dropping it releases what was not written.
#[must_use]
pub(crate) struct ReservedSpace {
    needed: Arc<AtomicU64>,
    rest: AtomicU64,
}

impl DiskSpace {
    /// Reserves the space for an upload of `bytes` bytes. If the space on the disk is unknown, there is room for every
    /// upload.
    ///
    /// # Errors
    ///
    /// 507 if the disk has no room for it, 503 if it has room only without the other uploads that are arriving.
    pub(crate) async fn reserve(
        &self,
        folder: &UploadFolder,
        bytes: u64,
    ) -> Result<ReservedSpace, Problem> {
        self.reserve_of(folder.available_bytes().await, bytes)
    }

    fn reserve_of(&self, available: Option<u64>, bytes: u64) -> Result<ReservedSpace, Problem> {
        let rest = bytes.saturating_mul(COPIES);
        let reserved = ReservedSpace::new(&self.needed, rest);
        let Some(available) = available else {
            return Ok(reserved);
        };
        if rest > available {
            log::warn!(
                "rejected an upload: the disk for uploads is full: {available} bytes are left"
            );
            return Err(Problem::disk_full());
        }
        if self.needed.load(Ordering::Relaxed) > available {
            log::warn!(
                "rejected an upload: those that are arriving need the {available} bytes that are left on the disk"
            );
            return Err(Problem::busy(
                "The server's disk has no room for all photos that are arriving.",
            ));
        }
        Ok(reserved)
    }
}

impl ReservedSpace {
    fn new(needed: &Arc<AtomicU64>, rest: u64) -> Self {
        needed.fetch_add(rest, Ordering::Relaxed);
        Self {
            needed: Arc::clone(needed),
            rest: AtomicU64::new(rest),
        }
    }

    /// Records that `bytes` have been written: the space that is left does not contain them any more.
    pub(crate) fn written(&self, bytes: u64) {
        let less = |rest: u64| Some(rest.saturating_sub(bytes));
        let update = self
            .rest
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        let before = update.unwrap_or_else(|rest| rest);
        self.needed.fetch_sub(bytes.min(before), Ordering::Relaxed);
    }
}

impl Drop for ReservedSpace {
    fn drop(&mut self) {
        self.needed
            .fetch_sub(*self.rest.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn uploads_that_are_arriving_do_not_fill_the_disk_together() {
        let space = DiskSpace::default();
        let reserve = |available| space.reserve_of(Some(available), 10 * MIB);
        let status =
            |available| reserve(available).map_err(|problem| problem.status_code().as_u16());
        assert_eq!(status(19 * MIB).err(), Some(507));
        let first = reserve(20 * MIB).unwrap();
        assert_eq!(status(39 * MIB).err(), Some(503));
        first.written(10 * MIB);
        // Written bytes are no longer part of the available space.
        assert!(reserve(30 * MIB).is_ok());
        assert_eq!(status(29 * MIB).err(), Some(503));
        drop(first);
        assert!(reserve(20 * MIB).is_ok());
        assert_eq!(space.needed.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn an_upload_that_is_longer_than_announced_takes_nothing_from_others() {
        let space = DiskSpace::default();
        let (first, _second) = (space.reserve_of(None, MIB), space.reserve_of(None, MIB));
        first.unwrap().written(100 * MIB);
        assert_eq!(space.needed.load(Ordering::Relaxed), COPIES * MIB);
    }
}
