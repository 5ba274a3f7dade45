//! What the store counts and measures.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::error::StoreError;
use crate::metrics::{Registry, seconds};

/// The kinds of errors.
const ERRORS: [&str; 8] = [
    "unavailable",
    "disk_full",
    "disk_failed",
    "login",
    "feed_ended",
    "refused",
    "damaged",
    "corrupt",
];

/// The metrics of a store. Clones share the values.
#[derive(Debug, Clone)]
pub(super) struct StoreMetrics {
    durations: Histogram,
    errors: Family<ErrorLabels, Counter>,
    connections: Counter,
    connection_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    error: &'static str,
}

impl StoreMetrics {
    pub(super) fn new() -> Self {
        let errors: Family<ErrorLabels, Counter> = Family::default();
        // Zero from the start, so that the first error is a change.
        for error in ERRORS {
            drop(errors.get_or_create(&ErrorLabels { error }));
        }
        Self {
            durations: seconds(),
            errors,
            connections: Counter::default(),
            connection_failures: Counter::default(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "database_query_duration_seconds",
            "Duration of queries, with the wait for a connection",
            self.durations.clone(),
        );
        registry.register(
            "database_errors",
            "Queries and feeds that failed, by kind of error",
            self.errors.clone(),
        );
        registry.register(
            "database_connections",
            "Connections to the database that were opened, one for each viewer and those of the pool",
            self.connections.clone(),
        );
        registry.register(
            "database_connection_failures",
            "Connections to the database that could not be opened",
            self.connection_failures.clone(),
        );
    }

    /// Records the end of a query.
    pub(super) fn query<T>(&self, duration: Duration, result: Result<&T, &StoreError>) {
        self.durations.observe(duration.as_secs_f64());
        if let Err(error) = result {
            self.error(error);
        }
    }

    /// Counts an error.
    pub(super) fn error(&self, error: &StoreError) {
        let error = match error {
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Full => "disk_full",
            StoreError::DiskFailed(_) => "disk_failed",
            StoreError::Login(_) => "login",
            StoreError::FeedEnded(_) => "feed_ended",
            StoreError::Refused(_) => "refused",
            StoreError::Damaged(_) => "damaged",
            StoreError::Corrupt(_) => "corrupt",
        };
        self.errors.get_or_create(&ErrorLabels { error }).inc();
    }

    /// Counts an attempt to open a connection.
    pub(super) fn connection<T>(&self, opened: &Result<T, StoreError>) {
        match opened {
            Ok(_) => self.connections.inc(),
            Err(_) => self.connection_failures.inc(),
        };
    }
}
