//! A limit on the bytes of image files that the driver handles at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::StoreError;

/// A budget of bytes, counted in KiB. Requests queue in order; one that waits longer than the timeout fails.
pub(super) struct ByteBudget {
    semaphore: Arc<Semaphore>,
    kibibytes: usize,
    wait_timeout: Duration,
}

impl ByteBudget {
    pub(super) fn new(bytes: usize, wait_timeout: Duration) -> Self {
        let kibibytes = bytes >> 10;
        Self {
            semaphore: Arc::new(Semaphore::new(kibibytes)),
            kibibytes,
            wait_timeout,
        }
    }

    /// Waits until `bytes` fit into the budget and holds them until the permit is dropped. A request that exceeds the
    /// whole budget gets all of it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] after the timeout.
    pub(super) async fn acquire(&self, bytes: u64) -> Result<OwnedSemaphorePermit, StoreError> {
        let kibibytes = usize::try_from(bytes.div_ceil(1024)).unwrap_or(usize::MAX);
        let permits = u32::try_from(kibibytes.clamp(1, self.kibibytes))
            .expect("the budget is far below 4 TiB");
        let permit = self.semaphore.clone().acquire_many_owned(permits);
        match timeout(self.wait_timeout, permit).await {
            Ok(permit) => Ok(permit.expect("the semaphore is never closed")),
            Err(_) => Err(StoreError::Unavailable(
                "too many images are being transferred".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_request_beyond_the_budget_waits_and_then_fails() {
        let budget = ByteBudget::new(10 << 10, Duration::from_millis(1));
        let first = budget.acquire(6 << 10).await.unwrap();
        assert!(budget.acquire(5 << 10).now_or_never().is_none());
        let error = budget.acquire(5 << 10).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        drop(first);
        let whole = budget.acquire(u64::MAX).await.unwrap();
        assert!(budget.acquire(0).now_or_never().is_none());
        drop(whole);
        assert!(budget.acquire(0).now_or_never().is_some());
    }
}
