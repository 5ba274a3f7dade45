//! An operation on its way to the writer and back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::batch::Batch;

/// An operation and who waits for its result.
pub(in crate::engine::storage) trait Operation: Send {
    /// Carries it out; tells whether it succeeded.
    fn run(&mut self, batch: &mut Batch<'_>) -> bool;

    /// Answers, once it is known whether the batch was committed.
    fn answer(self: Box<Self>, committed: Result<(), ReqlError>);
}

/// An operation that returns a `T`.
pub(in crate::engine::storage) struct Task<T, F> {
    work: Option<F>,
    result: Option<Result<T, ReqlError>>,
    answer: oneshot::Sender<Result<T, ReqlError>>,
}

impl<T, F> Task<T, F> {
    pub(in crate::engine::storage) fn new(
        work: F,
    ) -> (Self, oneshot::Receiver<Result<T, ReqlError>>) {
        let (answer, result) = oneshot::channel();
        (
            Self {
                work: Some(work),
                result: None,
                answer,
            },
            result,
        )
    }
}

impl<T, F> Operation for Task<T, F>
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

    fn answer(self: Box<Self>, committed: Result<(), ReqlError>) {
        let Self { result, answer, .. } = *self;
        let result = committed.and_then(|()| result.unwrap_or_else(|| Err(panicked())));
        // Whoever asked may have gone: the write stands all the same.
        let _ = answer.send(result);
    }
}

pub(super) fn panicked() -> ReqlError {
    ReqlError::new(
        ErrorKind::Internal,
        "The storage operation panicked; nothing of it was written.",
    )
}
