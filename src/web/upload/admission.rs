//! Bounds what all uploads together hold in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::problem::Problem;

/// The least that all uploads together may hold.
const LEAST_BYTES: u64 = 64 << 20;

/// How many uploads may wait for their turn; further ones are refused at once.
const MAX_WAITING: usize = 256;

/// How long one waits for its turn. Meanwhile its bytes wait with the client.
const TURN_LIMIT: Duration = Duration::from_secs(10);

/// Lets uploads in, one after the other, while they all fit into memory. An upload takes its place for all of its bytes
/// before the first is read, so that no two wait for each other half-way.
pub(in crate::web) struct Admission {
    /// One for each KiB.
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Admission {
    pub(in crate::web) fn new(max_upload: u64) -> Self {
        let kibibytes = (4 * max_upload).max(LEAST_BYTES) >> 10;
        Self {
            places: Arc::new(Semaphore::new(
                usize::try_from(kibibytes).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A place for an upload of so many bytes, at most the largest that is taken.
    ///
    /// # Errors
    /// 503 if there is none within [`TURN_LIMIT`], or if too many wait for one.
    pub(super) async fn enter(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || Problem::busy("Too many uploads are under way.");
        let kibibytes = u32::try_from(bytes.div_ceil(1024).max(1)).map_err(|_| busy())?;
        if let Ok(place) = self.places.clone().try_acquire_many_owned(kibibytes) {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.waiting).ok_or_else(busy)?;
        match timeout(
            TURN_LIMIT,
            self.places.clone().acquire_many_owned(kibibytes),
        )
        .await
        {
            Ok(place) => Ok(place.expect("the semaphore is never closed")),
            Err(_) => {
                log::warn!("an upload found no place within {} s", TURN_LIMIT.as_secs());
                Err(busy())
            }
        }
    }
}

/// One of those who wait.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Option<Self> {
        let waiting = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MAX_WAITING).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_waits() {
        let admission = Admission::new(16 << 20);
        let enter = |bytes| admission.enter(bytes).now_or_never();
        let mut places: Vec<_> = (0..4).map(|_| enter(16 << 20).unwrap().unwrap()).collect();
        assert!(enter(1).is_none());
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        places.pop();
        assert!(enter(16 << 20).unwrap().is_ok());
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_refused() {
        let admission = Admission::new(16 << 20);
        let everything = admission.enter(64 << 20).now_or_never().unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&admission.waiting))
            .collect();
        assert!(waiting.iter().all(Option::is_some));
        assert!(admission.enter(1).now_or_never().unwrap().is_err());
        drop((everything, waiting));
        assert!(admission.enter(1).now_or_never().unwrap().is_ok());
    }
}
