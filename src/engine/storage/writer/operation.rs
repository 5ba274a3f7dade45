//! A queued operation and the channel to its caller.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::batch::Batch;

/// An operation of any result type.
pub(in crate::engine::storage) trait Operation: Send {
    /// Runs the operation. Returns `true` if it succeeded; otherwise its writes are to be undone.
    fn run(&mut self, batch: &mut Batch<'_>) -> bool;

    /// Replaces the result of an operation that has run: its writes are undone.
    fn fail(&mut self, reason: ReqlError);

    /// Answers the caller with the result of the operation, or with the error of the commit.
    fn answer(self: Box<Self>, committed: Result<(), ReqlError>);
}

/// An operation that returns a `T`.
pub(in crate::engine::storage) struct TypedOperation<T, F> {
    /// `None` once it has run.
    work: Option<F>,
    result: Option<Result<T, ReqlError>>,
    caller: oneshot::Sender<Result<T, ReqlError>>,
}

impl<T, F> TypedOperation<T, F> {
    /// An operation and the receiver of its result.
    pub(in crate::engine::storage) fn new(
        work: F,
    ) -> (Self, oneshot::Receiver<Result<T, ReqlError>>) {
        let (caller, result) = oneshot::channel();
        (
            Self {
                work: Some(work),
                result: None,
                caller,
            },
            result,
        )
    }
}

impl<T, F> Operation for TypedOperation<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, ReqlError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let result =
            catch_unwind(AssertUnwindSafe(|| work(batch))).unwrap_or_else(|_| Err(panicked()));
        self.result.insert(result).is_ok()
    }

    fn fail(&mut self, reason: ReqlError) {
        self.result = Some(Err(reason));
    }

    fn answer(self: Box<Self>, committed: Result<(), ReqlError>) {
        let Self { result, caller, .. } = *self;
        let result = committed.and_then(|()| result.unwrap_or_else(|| Err(panicked())));
        // The send fails if the caller no longer waits. Its write stands.
        let _ = caller.send(result);
    }
}

pub(super) fn panicked() -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        "The storage operation panicked; none of its writes were stored.",
    )
}
