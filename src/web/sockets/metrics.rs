//! What the sessions count and measure.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use crate::metrics::{Registry, seconds};
use crate::store::StoreError;

/// The metrics of all sessions. Clones share the values.
#[derive(Clone)]
pub(crate) struct SessionMetrics {
    /// See [`Outbox`](super::outbox::Outbox).
    pub(crate) queue_time: Histogram,
    aborted: Counter,
    interruptions: Family<InterruptionLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InterruptionLabels {
    reason: &'static str,
}

/// The queue of the database overflowed, because the viewer or this server was too slow.
const OVERFLOW: &str = "overflow";

/// The feed could not be opened, or has ended.
const LOST: &str = "lost";

impl SessionMetrics {
    pub(super) fn new() -> Self {
        let interruptions: Family<InterruptionLabels, Counter> = Family::default();
        // Zero from the start, so that the first interruption is a change.
        for reason in [OVERFLOW, LOST] {
            drop(interruptions.get_or_create(&InterruptionLabels { reason }));
        }
        Self {
            queue_time: seconds(),
            aborted: Counter::default(),
            interruptions,
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "session_queue_seconds",
            "Time for which messages wait until the connection of their viewer takes them",
            self.queue_time.clone(),
        );
        registry.register(
            "sessions_aborted",
            "Sessions of viewers that did not read or answer",
            self.aborted.clone(),
        );
        registry.register(
            "feed_interruptions",
            "Feeds of viewers that had to be reopened, by reason",
            self.interruptions.clone(),
        );
    }

    /// Counts a session that is ended because its viewer does not respond.
    pub(super) fn count_abort(&self) {
        self.aborted.inc();
    }

    /// Counts a feed that must be opened again.
    pub(super) fn count_interruption(&self, error: &StoreError) {
        let reason = if error.is_overflow() { OVERFLOW } else { LOST };
        self.interruptions
            .get_or_create(&InterruptionLabels { reason })
            .inc();
    }
}
