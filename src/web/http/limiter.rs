//! Limits on how often one client does something.

use std::convert::Infallible;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use quick_cache::sync::Cache;

use crate::metrics::Registry;

/// The number of clients that a limiter remembers: about 2 MB. Those beyond it replace the ones that were not seen
/// lately, so a client with any number of addresses exhausts neither memory nor the limits of others. The keyed
/// limiters of `governor` keep every key until they are told to look for old ones.
const MAX_CLIENTS: usize = 16_384;

/// A number of times that is allowed at once, and how many more each second allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) burst: u32,
    pub(crate) per_second: u32,
}

/// The number of times that each limit was reached.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Family<RefusalLabels, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    limit: &'static str,
}

impl Refusals {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let refusals = Self::default();
        let help =
            "Requests and commands that had to wait because a client sent too many, by limit";
        registry.register("limit_reached", help, refusals.0.clone());
        refusals
    }

    /// The counter of a limit. Starts at zero, so that the first refusal is a change.
    pub(crate) fn of(&self, limit: &'static str) -> Counter {
        self.0.get_or_create_owned(&RefusalLabels { limit })
    }
}

/// Limits how often each client does something: a bucket for each, which fills up over time.
pub(crate) struct Limiter<K, C: Clock = DefaultClock> {
    buckets: Cache<K, Arc<Bucket<C>>>,
    quota: Quota,
    clock: C,
    refusals: Counter,
}

type Bucket<C> = governor::RateLimiter<
    governor::state::NotKeyed,
    governor::state::InMemoryState,
    C,
    governor::middleware::NoOpMiddleware<<C as Clock>::Instant>,
>;

impl<K: Eq + Hash + Clone> Limiter<K> {
    /// Creates a limiter with full buckets.
    pub(crate) fn new(rate: Rate, refusals: Counter) -> Self {
        Self::with_clock(rate, refusals, DefaultClock::default())
    }
}

impl<K: Eq + Hash + Clone, C: Clock + Clone> Limiter<K, C> {
    fn with_clock(rate: Rate, refusals: Counter, clock: C) -> Self {
        Self {
            buckets: Cache::new(MAX_CLIENTS),
            quota: quota(rate),
            clock,
            refusals,
        }
    }

    /// Counts one time of a client.
    ///
    /// # Errors
    ///
    /// If the client must wait first. The time is not counted then.
    pub(crate) fn take(&self, client: &K) -> Result<(), Duration> {
        let new_bucket = || {
            let bucket = Bucket::direct_with_clock(self.quota, self.clock.clone());
            Ok::<_, Infallible>(Arc::new(bucket))
        };
        let Ok(bucket) = self.buckets.get_or_insert_with(client, new_bucket);
        let taken = bucket.check();
        taken.map_err(|not_until| {
            self.refusals.inc();
            not_until.wait_time_from(self.clock.now())
        })
    }
}

/// A limiter of a single client.
pub(crate) struct OwnLimiter {
    bucket: DefaultDirectRateLimiter,
    refusals: Counter,
}

impl OwnLimiter {
    /// Creates a limiter with a full bucket.
    pub(crate) fn new(rate: Rate, refusals: Counter) -> Self {
        Self {
            bucket: DefaultDirectRateLimiter::direct(quota(rate)),
            refusals,
        }
    }

    /// Counts one time.
    ///
    /// # Errors
    ///
    /// If the client must wait first. The time is not counted then.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let taken = self.bucket.check();
        taken.map_err(|not_until| {
            self.refusals.inc();
            not_until.wait_time_from(DefaultClock::default().now())
        })
    }
}

fn quota(rate: Rate) -> Quota {
    let number = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(number(rate.per_second)).allow_burst(number(rate.burst))
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        per_second: 2,
    };

    #[test]
    fn each_client_has_a_bucket_that_fills_up_over_time() {
        let clock = FakeRelativeClock::default();
        let refusals = Refusals::default();
        let limiter = Limiter::with_clock(RATE, refusals.of("test"), clock.clone());
        for client in ["one", "other"] {
            for _ in 0..3 {
                assert_eq!(limiter.take(&client), Ok(()));
            }
            let wait = limiter.take(&client).unwrap_err();
            assert!(wait <= Duration::from_millis(500), "{wait:?}");
        }
        clock.advance(Duration::from_millis(500));
        assert_eq!(limiter.take(&"one"), Ok(()));
        assert!(limiter.take(&"one").is_err());
        assert_eq!(refusals.of("test").get(), 3);
    }

    #[test]
    fn clients_without_end_take_no_memory_without_end() {
        let limiter = Limiter::with_clock(RATE, Counter::default(), FakeRelativeClock::default());
        for client in 0..100_000 {
            assert_eq!(limiter.take(&client), Ok(()));
        }
        assert!(limiter.buckets.len() <= MAX_CLIENTS);
    }
}
