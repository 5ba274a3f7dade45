//! Admission of uploads, which bounds the memory of all uploads together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::http::problem::Problem;

/// The number of uploads of the largest size that are received at once. It is larger than the number processed at once,
/// because phones upload slowly: four of them must not block all others for half an hour.
const MAX_LARGE_UPLOADS: u64 = 16;

/// The least memory for the large uploads that are being received.
const MIN_RECEIVING_MEMORY: u64 = 256 << 20;

/// The largest small upload, in bytes.
const SMALL: u64 = 1 << 20;

/// The memory for small uploads. Large uploads cannot use it, so small ones never wait for them.
const SMALL_MEMORY: u64 = 32 << 20;

/// The number of uploads of the largest size that are processed at once, which takes several times their size.
const MAX_LARGE_PROCESSING: u64 = 4;

/// The least memory for the large uploads that are being processed.
const MIN_PROCESSING_MEMORY: u64 = 64 << 20;

/// The number of uploads that may wait for memory, for each of small and large ones. Further uploads are rejected at once.
const MAX_WAITING: usize = 256;

/// The time that an upload may wait. Its bytes stay with the client meanwhile.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Admits uploads in order of arrival while they fit into memory.
///
/// An upload reserves memory for all of its bytes before the first is read, so that no two uploads wait for each other half
/// received. A complete large upload takes a second permit before it is processed; an upload that has one never waits for
/// another client, however slow.
pub(crate) struct Admission {
    small: MemoryBudget,
    large: MemoryBudget,
    processing: MemoryBudget,
}

/// The memory reserved for an upload. Dropping it releases the memory.
#[must_use]
pub(crate) struct Reservation {
    bytes: u64,
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// Creates an admission for images of at most `max_upload` bytes.
    pub(crate) fn new(max_upload: u64) -> Self {
        let receiving = (MAX_LARGE_UPLOADS * max_upload).max(MIN_RECEIVING_MEMORY);
        let processing = (MAX_LARGE_PROCESSING * max_upload).max(MIN_PROCESSING_MEMORY);
        Self {
            small: MemoryBudget::new(SMALL_MEMORY),
            large: MemoryBudget::new(receiving),
            processing: MemoryBudget::new(processing),
        }
    }

    /// Reserves memory for an upload of at most `bytes` bytes.
    ///
    /// # Errors
    ///
    /// 503 if there is none within 10 seconds, or if too many uploads are waiting.
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Reservation, Problem> {
        let budget = if bytes <= SMALL {
            &self.small
        } else {
            &self.large
        };
        let permit = budget.reserve(bytes).await?;
        Ok(Reservation {
            bytes,
            _permit: permit,
        })
    }

    /// Waits until a complete upload may be processed. A small upload needs no permit.
    pub(crate) async fn processing_permit(
        &self,
        reservation: &Reservation,
    ) -> Option<OwnedSemaphorePermit> {
        if reservation.bytes <= SMALL {
            return None;
        }
        let permits = kibibytes(reservation.bytes)?;
        Some(self.processing.acquire(permits).await)
    }
}

/// An amount of memory, and the number of uploads that wait for a part of it.
struct MemoryBudget {
    /// A permit for each free KiB.
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl MemoryBudget {
    fn new(bytes: u64) -> Self {
        let kibibytes = usize::try_from(bytes >> 10).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(kibibytes)),
            waiting: AtomicUsize::new(0),
        }
    }

    async fn reserve(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || Problem::busy("Too many uploads are in progress.");
        let permits = kibibytes(bytes).ok_or_else(busy)?;
        if let Ok(permit) = self.free.clone().try_acquire_many_owned(permits) {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&self.waiting).ok_or_else(busy)?;
        match timeout(WAIT_TIMEOUT, self.acquire(permits)).await {
            Ok(permit) => Ok(permit),
            Err(_) => {
                log::warn!(
                    "rejected an upload: no memory was free within {} s",
                    WAIT_TIMEOUT.as_secs()
                );
                Err(busy())
            }
        }
    }

    async fn acquire(&self, permits: u32) -> OwnedSemaphorePermit {
        let permit = self.free.clone().acquire_many_owned(permits).await;
        permit.expect("the semaphore is never closed")
    }
}

fn kibibytes(bytes: u64) -> Option<u32> {
    u32::try_from(bytes.div_ceil(1024).max(1)).ok()
}

/// An entry in the waiting line. Dropping it leaves the line.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    /// Joins the line, unless it is full.
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

    fn reserved(admission: &Admission, bytes: u64) -> Option<Reservation> {
        let reserved = admission.reserve(bytes).now_or_never()?;
        Some(reserved.expect("not too many wait"))
    }

    #[tokio::test]
    async fn an_upload_without_free_memory_waits() {
        let admission = Admission::new(MAX_UPLOAD);
        let mut reservations: Vec<_> = (0..16)
            .map(|_| reserved(&admission, MAX_UPLOAD).unwrap())
            .collect();
        assert!(reserved(&admission, SMALL + 1).is_none());
        assert_eq!(admission.large.waiting.load(Ordering::Relaxed), 0);
        reservations.pop();
        assert!(reserved(&admission, MAX_UPLOAD).is_some());
    }

    #[tokio::test]
    async fn small_uploads_do_not_wait_for_large_ones() {
        let admission = Admission::new(MAX_UPLOAD);
        let large: Vec<_> = (0..16)
            .map(|_| reserved(&admission, MAX_UPLOAD).unwrap())
            .collect();
        let small: Vec<_> = (0..32)
            .map(|_| reserved(&admission, SMALL).unwrap())
            .collect();
        assert!(reserved(&admission, 1).is_none());
        let mut permits = Vec::new();
        for reservation in &large[..4] {
            permits.push(
                admission
                    .processing_permit(reservation)
                    .now_or_never()
                    .unwrap(),
            );
        }
        assert!(
            admission
                .processing_permit(&large[4])
                .now_or_never()
                .is_none()
        );
        assert!(
            admission
                .processing_permit(&small[0])
                .now_or_never()
                .is_some()
        );
        permits.pop();
        assert!(
            admission
                .processing_permit(&large[4])
                .now_or_never()
                .is_some()
        );
    }

    #[tokio::test]
    async fn a_full_waiting_line_rejects_the_next_upload() {
        let admission = Admission::new(MAX_UPLOAD);
        let all_memory = reserved(&admission, MIN_RECEIVING_MEMORY).unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&admission.large.waiting))
            .collect();
        assert!(waiting.iter().all(Option::is_some));
        let rejected = admission.reserve(SMALL + 1).now_or_never().unwrap();
        assert!(rejected.is_err());
        assert!(reserved(&admission, SMALL).is_some());
        drop((all_memory, waiting));
        assert!(reserved(&admission, SMALL + 1).is_some());
    }
}
