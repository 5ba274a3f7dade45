//! Admission of uploads, which bounds the files and the memory of all uploads together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::web::http::problem::Problem;

/// The number of uploads that are received at once: a hall full of phones. Each has a connection, a temporary file and about
/// 150 KiB of buffers.
const MAX_RECEIVING: usize = 1024;

/// The number of uploads that may wait to be received. Further ones are rejected at once.
const MAX_WAITING: usize = 1024;

/// The time that an upload may wait. Its bytes stay with the client meanwhile.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest small upload, in bytes.
const SMALL: u64 = 1 << 20;

/// The part of the memory for processing that small uploads have for themselves, so that they never wait for large ones.
const SMALL_SHARE: u64 = 8;

/// The memory that an upload needs while it is processed and stored, for each of its bytes: the driver encodes it as base64
/// in JSON (measured: 46 MiB for a file of 10 MiB).
const MEMORY_PER_BYTE: u64 = 5;

/// Admits uploads in order of arrival, first to be received, and when they are complete to be processed.
///
/// What is received is in temporary files. Only a complete upload takes memory for its processing, so one that comes slowly
/// holds nothing that others need. An upload that is being processed never waits for a client.
pub(crate) struct Admission {
    receiving: Arc<Semaphore>,
    waiting: AtomicUsize,
    small: MemoryBudget,
    large: MemoryBudget,
}

/// The place of an upload among those that are received at once, until it is stored. Dropping it makes room for another.
#[must_use]
pub(crate) struct Ticket {
    _permit: OwnedSemaphorePermit,
}

impl Admission {
    /// Creates an admission whose uploads use about `memory` bytes while they are processed.
    pub(crate) fn new(memory: u64) -> Self {
        let small = memory / SMALL_SHARE;
        Self {
            receiving: Arc::new(Semaphore::new(MAX_RECEIVING)),
            waiting: AtomicUsize::new(0),
            small: MemoryBudget::new(small),
            large: MemoryBudget::new(memory - small),
        }
    }

    /// Admits an upload that is about to be received.
    ///
    /// # Errors
    ///
    /// 503 if there is no place within 10 seconds, or if too many uploads are waiting.
    pub(crate) async fn admit(&self) -> Result<Ticket, Problem> {
        let receiving = self.receiving.clone();
        if let Ok(permit) = receiving.clone().try_acquire_owned() {
            return Ok(Ticket { _permit: permit });
        }
        let busy = || Problem::busy("Too many uploads are in progress.");
        let _waiting = Waiting::new(&self.waiting).ok_or_else(busy)?;
        match timeout(WAIT_TIMEOUT, receiving.acquire_owned()).await {
            Ok(permit) => Ok(Ticket {
                _permit: permit.expect("the semaphore is never closed"),
            }),
            Err(_) => {
                log::warn!("rejected an upload: {MAX_RECEIVING} others are in progress");
                Err(busy())
            }
        }
    }

    /// Waits until there is memory to process a complete upload of `bytes` bytes. Dropping the permit releases the memory.
    pub(crate) async fn processing_permit(&self, bytes: u64) -> OwnedSemaphorePermit {
        let budget = if bytes <= SMALL {
            &self.small
        } else {
            &self.large
        };
        budget.acquire(bytes.saturating_mul(MEMORY_PER_BYTE)).await
    }
}

/// An amount of memory.
struct MemoryBudget {
    /// A permit for each free KiB.
    free: Arc<Semaphore>,
    kibibytes: u32,
}

impl MemoryBudget {
    fn new(bytes: u64) -> Self {
        let kibibytes = kibibytes(bytes);
        Self {
            free: Arc::new(Semaphore::new(kibibytes as usize)),
            kibibytes,
        }
    }

    /// Waits until `bytes` are free. Who needs more than there is gets all of it.
    async fn acquire(&self, bytes: u64) -> OwnedSemaphorePermit {
        let permits = kibibytes(bytes).min(self.kibibytes);
        let permit = self.free.clone().acquire_many_owned(permits).await;
        permit.expect("the semaphore is never closed")
    }
}

/// Rounds up to KiB, of which there is at least one. 2 TiB are as good as any more.
fn kibibytes(bytes: u64) -> u32 {
    let kibibytes = bytes.div_ceil(1024).clamp(1, 1 << 31);
    u32::try_from(kibibytes).expect("it was clamped")
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

    const MEMORY: u64 = 256 << 20;

    fn admitted(admission: &Admission) -> Option<Ticket> {
        let admitted = admission.admit().now_or_never()?;
        Some(admitted.expect("not too many wait"))
    }

    fn permit(admission: &Admission, bytes: u64) -> Option<OwnedSemaphorePermit> {
        admission.processing_permit(bytes).now_or_never()
    }

    #[tokio::test]
    async fn an_upload_without_a_place_waits() {
        let admission = Admission::new(MEMORY);
        let mut tickets: Vec<_> = (0..MAX_RECEIVING)
            .map(|_| admitted(&admission).unwrap())
            .collect();
        assert!(admitted(&admission).is_none());
        assert_eq!(admission.waiting.load(Ordering::Relaxed), 0);
        tickets.pop();
        assert!(admitted(&admission).is_some());
    }

    #[tokio::test]
    async fn a_full_waiting_line_rejects_the_next_upload() {
        let admission = Admission::new(MEMORY);
        let tickets: Vec<_> = (0..MAX_RECEIVING).map(|_| admitted(&admission)).collect();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Waiting::new(&admission.waiting))
            .collect();
        assert!(waiting.iter().all(Option::is_some));
        assert!(admission.admit().now_or_never().unwrap().is_err());
        drop((tickets, waiting));
        assert!(admitted(&admission).is_some());
    }

    #[tokio::test]
    async fn complete_uploads_are_processed_while_they_fit_into_memory() {
        let admission = Admission::new(MEMORY);
        let mut large = Vec::new();
        while let Some(permit) = permit(&admission, 5 << 20) {
            large.push(permit);
        }
        assert_eq!(large.len(), 8);
        let small: Vec<_> = (0..6)
            .map(|_| permit(&admission, SMALL).expect("small ones do not wait for large ones"))
            .collect();
        assert!(permit(&admission, SMALL).is_none());
        large.pop();
        assert!(permit(&admission, 5 << 20).is_some());
        drop(small);
    }

    #[tokio::test]
    async fn an_upload_that_needs_all_memory_is_processed_alone() {
        let admission = Admission::new(1 << 20);
        let alone = permit(&admission, 90 << 20).unwrap();
        assert!(permit(&admission, 2 << 20).is_none());
        drop(alone);
        assert!(permit(&admission, 2 << 20).is_some());
    }
}
