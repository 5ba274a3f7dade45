//! Evaluation of queries, a bounded number at a time.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::engine::eval::Context;

/// The most queries evaluated at once. An evaluation blocks its thread, mostly in a write that waits for the disk;
/// writes that wait at the same time are committed together.
pub(crate) const MAX_EVALUATIONS: usize = 64;

/// Evaluates the queries of all sessions, at most [`MAX_EVALUATIONS`] at a time.
pub(crate) struct Evaluator {
    context: Arc<Context>,
    slots: Semaphore,
}

impl Evaluator {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context: Arc::new(context),
            slots: Semaphore::new(MAX_EVALUATIONS),
        }
    }

    /// The storage and the feeds that queries are evaluated against.
    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Runs `work`, which may block, once a slot is free. Cancellation safe: `work` either runs to its end or not at
    /// all.
    pub(crate) async fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        // Acquiring fails only on a closed semaphore, and this one is never closed.
        let _slot = self.slots.acquire().await;
        tokio::task::block_in_place(work)
    }
}
