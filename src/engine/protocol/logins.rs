//! Slows the guessing of passwords.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep};

/// The failed logins of an address that are answered at once: somebody who mistypes a password, or a few scripts with
/// an old one.
const FREE_FAILURES: usize = 10;

/// The pause after each further failure, in which no other login from the address is checked: two guesses a second.
const PAUSE: Duration = Duration::from_millis(500);

/// The logins of an address that wait for their turn. Further ones are refused, so that they do not use up the server's
/// file descriptors.
const MAX_WAITING: usize = 16;

/// The time without a failure after which those of an address are forgotten.
const FORGET: Duration = Duration::from_secs(600);

/// The number of addresses that are remembered. Those beyond it replace the ones that were not seen lately.
const MAX_ADDRESSES: usize = 4096;

/// The failed logins of each address, or IPv6 network of 64 bits.
///
/// Logins from an address with many failures are checked one after another. A delay of the answer alone would not slow
/// a client with many connections, and a delay of wrong passwords alone would tell which one is right.
pub(crate) struct FailedLogins {
    addresses: Cache<IpAddr, Arc<Failures>>,
    pause: Duration,
    forget: Duration,
}

struct Failures {
    count: AtomicUsize,
    waiting: AtomicUsize,
    /// Locked while a login is checked. Holds the time of the last failure.
    turn: Arc<Mutex<Option<Instant>>>,
}

/// The right to check a login. Dropping it without [`Turn::failed`] is a success.
#[must_use]
pub(crate) struct Turn {
    failures: Arc<Failures>,
    /// `None` for an address with few failures, whose logins are checked at the same time.
    exclusive: Option<OwnedMutexGuard<Option<Instant>>>,
    pause: Duration,
}

/// Too many logins from the address wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyLogins;

impl FailedLogins {
    pub(crate) fn new() -> Self {
        Self {
            addresses: Cache::new(MAX_ADDRESSES),
            pause: PAUSE,
            forget: FORGET,
        }
    }

    /// Waits until a login from `peer` may be checked. Cancellation safe.
    ///
    /// # Errors
    ///
    /// If too many others wait.
    pub(crate) async fn turn(&self, peer: IpAddr) -> Result<Turn, TooManyLogins> {
        let new = || Ok::<_, std::convert::Infallible>(Arc::new(Failures::new()));
        let Ok(failures) = self.addresses.get_or_insert_with(&network(peer), new);
        if failures.count.load(Ordering::Relaxed) < FREE_FAILURES {
            return Ok(Turn {
                failures,
                exclusive: None,
                pause: self.pause,
            });
        }
        let waiting = Waiting::new(&failures.waiting).ok_or(TooManyLogins)?;
        let last = failures.turn.clone().lock_owned().await;
        drop(waiting);
        if last.is_none_or(|last| last.elapsed() >= self.forget) {
            failures.count.store(0, Ordering::Relaxed);
        }
        Ok(Turn {
            failures,
            exclusive: Some(last),
            pause: self.pause,
        })
    }
}

impl Failures {
    fn new() -> Self {
        Self {
            count: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            turn: Arc::default(),
        }
    }
}

impl Turn {
    /// Counts a failure, and waits before the next login is checked if there are many.
    pub(crate) async fn failed(self) {
        let count = self.failures.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count < FREE_FAILURES {
            return;
        }
        let mut last = match self.exclusive {
            Some(last) => last,
            None => self.failures.turn.clone().lock_owned().await,
        };
        *last = Some(Instant::now());
        sleep(self.pause).await;
    }
}

/// A login that waits. Dropping it ends the wait.
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

/// The network of an address, which counts as one address.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const PEER: &str = "192.0.2.1";

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn with_times(pause: Duration, forget: Duration) -> FailedLogins {
        FailedLogins {
            pause,
            forget,
            ..FailedLogins::new()
        }
    }

    async fn fail(logins: &FailedLogins, times: usize) {
        for _ in 0..times {
            logins.turn(address(PEER)).await.unwrap().failed().await;
        }
    }

    #[tokio::test]
    async fn after_some_failures_the_logins_of_an_address_are_checked_one_after_another() {
        let pause = Duration::from_millis(5);
        let logins = with_times(pause, FORGET);
        fail(&logins, FREE_FAILURES).await;
        let start = Instant::now();
        let guesses = (0..10).map(|_| fail(&logins, 1));
        futures::future::join_all(guesses).await;
        assert!(start.elapsed() >= 10 * pause, "{:?}", start.elapsed());
        assert!(logins.turn(address("192.0.2.2")).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_login_waits_for_its_turn_and_the_queue_is_bounded() {
        let logins = with_times(Duration::ZERO, FORGET);
        fail(&logins, FREE_FAILURES).await;
        let checked = logins.turn(address(PEER)).await.unwrap();
        let mut waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| Box::pin(logins.turn(address(PEER))))
            .collect();
        for turn in &mut waiting {
            assert!(turn.now_or_never().is_none());
        }
        let refused = logins.turn(address(PEER)).now_or_never().unwrap();
        assert!(refused.is_err());
        drop(checked);
        assert!(waiting.remove(0).await.is_ok());
    }

    #[tokio::test]
    async fn failures_are_forgotten() {
        let logins = with_times(Duration::from_secs(3600), Duration::ZERO);
        fail(&logins, FREE_FAILURES - 1).await;
        // The last one that is free: the next would wait for an hour.
        let last = logins.turn(address(PEER)).await.unwrap();
        assert!(last.failed().now_or_never().is_none());
        drop(logins.turn(address(PEER)).await);
        fail(&logins, FREE_FAILURES - 1).await;
    }
}
