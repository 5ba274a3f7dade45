//! Bounds what all uploads together hold in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::http::problem::Problem;

/// How many uploads of the largest size may come in at once. Many more than are stored at once, for they may come as slowly
/// as a phone sends: four of them must not keep all others out for half an hour.
const LARGEST_AT_ONCE: u64 = 16;

/// The least that all uploads that come in may announce together.
const LEAST_INCOMING: u64 = 256 << 20;

/// Up to here an upload is small.
const SMALL: u64 = 1 << 20;

/// What small uploads may announce together. It is theirs alone, so they never wait for large ones.
const SMALL_INCOMING: u64 = 32 << 20;

/// How many uploads of the largest size are checked and stored at once: that takes several times their size.
const LARGEST_STORED_AT_ONCE: u64 = 4;

/// The least that all large uploads that are checked and stored may have together.
const LEAST_STORED: u64 = 64 << 20;

/// How many uploads may wait for their turn, of the small and of the large ones; further ones are refused at once.
const MAX_WAITING: usize = 256;

/// How long one waits for its turn. Meanwhile its bytes wait with the client.
const TURN_LIMIT: Duration = Duration::from_secs(10);

/// Lets uploads in, one after the other, while they all fit into memory. An upload takes its place for all of its bytes
/// before the first is read, so that no two wait for each other half-way. Once it is here a large one takes a second place
/// before it is checked and stored; whoever has one ends by itself, however slow the others' clients are.
pub(crate) struct Admission {
    small: Capacity,
    large: Capacity,
    stored: Capacity,
}

/// The place of an upload; dropping it makes room.
#[must_use]
pub(crate) struct Admitted {
    bytes: u64,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    pub(crate) fn new(max_upload: u64) -> Self {
        Self {
            small: Capacity::new(SMALL_INCOMING),
            large: Capacity::new((LARGEST_AT_ONCE * max_upload).max(LEAST_INCOMING)),
            stored: Capacity::new((LARGEST_STORED_AT_ONCE * max_upload).max(LEAST_STORED)),
        }
    }

    /// A place for an upload that may come to so many bytes, at most the largest that is taken.
    ///
    /// # Errors
    /// 503 if there is none within [`TURN_LIMIT`], or if too many wait for one.
    pub(crate) async fn enter(&self, bytes: u64) -> Result<Admitted, Problem> {
        let places = if bytes <= SMALL {
            &self.small
        } else {
            &self.large
        };
        let permit = places.enter(bytes).await?;
        Ok(Admitted {
            bytes,
            _permit: permit,
        })
    }

    /// Waits for the turn of an upload that has come to be checked and stored; none is needed for a small one.
    pub(crate) async fn turn(&self, place: &Admitted) -> Option<OwnedSemaphorePermit> {
        if place.bytes <= SMALL {
            return None;
        }
        Some(self.stored.acquire(kibibytes(place.bytes)?).await)
    }
}

/// Room for so many KiB, and those who wait for some.
struct Capacity {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Capacity {
    fn new(bytes: u64) -> Self {
        let kibibytes = usize::try_from(bytes >> 10).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(kibibytes)),
            waiting: AtomicUsize::new(0),
        }
    }

    async fn enter(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || Problem::busy("Too many uploads are under way.");
        let kibibytes = kibibytes(bytes).ok_or_else(busy)?;
        if let Ok(permit) = self.free.clone().try_acquire_many_owned(kibibytes) {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.waiting).ok_or_else(busy)?;
        match timeout(TURN_LIMIT, self.acquire(kibibytes)).await {
            Ok(permit) => Ok(permit),
            Err(_) => {
                log::warn!("an upload found no place within {} s", TURN_LIMIT.as_secs());
                Err(busy())
            }
        }
    }

    async fn acquire(&self, kibibytes: u32) -> OwnedSemaphorePermit {
        let permit = self.free.clone().acquire_many_owned(kibibytes).await;
        permit.expect("the semaphore is never closed")
    }
}

fn kibibytes(bytes: u64) -> Option<u32> {
    u32::try_from(bytes.div_ceil(1024).max(1)).ok()
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

    const MAX_UPLOAD: u64 = 16 << 20;

    fn entered(admission: &Admission, bytes: u64) -> Option<Admitted> {
        let entered = admission.enter(bytes).now_or_never()?;
        Some(entered.expect("not too many wait"))
    }

    #[tokio::test]
    async fn who_finds_no_place_waits() {
        let admission = Admission::new(MAX_UPLOAD);
        let mut places: Vec<_> = (0..16)
            .map(|_| entered(&admission, MAX_UPLOAD).unwrap())
            .collect();
        assert!(entered(&admission, SMALL + 1).is_none());
        assert_eq!(admission.large.waiting.load(Ordering::Relaxed), 0);
        places.pop();
        assert!(entered(&admission, MAX_UPLOAD).is_some());
    }

    #[tokio::test]
    async fn small_uploads_do_not_wait_for_large_ones() {
        let admission = Admission::new(MAX_UPLOAD);
        let large: Vec<_> = (0..16)
            .map(|_| entered(&admission, MAX_UPLOAD).unwrap())
            .collect();
        let small: Vec<_> = (0..32)
            .map(|_| entered(&admission, SMALL).unwrap())
            .collect();
        assert!(entered(&admission, 1).is_none());
        let mut turns = Vec::new();
        for place in &large[..4] {
            turns.push(admission.turn(place).now_or_never().unwrap());
        }
        assert!(admission.turn(&large[4]).now_or_never().is_none());
        assert!(admission.turn(&small[0]).now_or_never().is_some());
        turns.pop();
        assert!(admission.turn(&large[4]).now_or_never().is_some());
    }

    #[tokio::test]
    async fn when_too_many_wait_the_next_is_refused() {
        let admission = Admission::new(MAX_UPLOAD);
        let everything = entered(&admission, LEAST_INCOMING).unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&admission.large.waiting))
            .collect();
        assert!(waiting.iter().all(Option::is_some));
        let refused = admission.enter(SMALL + 1).now_or_never().unwrap();
        assert!(refused.is_err());
        assert!(entered(&admission, SMALL).is_some());
        drop((everything, waiting));
        assert!(entered(&admission, SMALL + 1).is_some());
    }
}
