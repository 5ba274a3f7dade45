//! The request body of an upload.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

/// A request body with a byte counter and a limit.
///
/// Clones read the same body: the form parser consumes one, and another drains the rest when the form is rejected.
#[derive(Clone)]
pub(crate) struct UploadBody(Rc<State>);

struct State {
    payload: RefCell<Payload>,
    received: Cell<u64>,
    limit: Cell<u64>,
}

impl UploadBody {
    /// Creates a body that yields [`PayloadError::Overflow`] after `limit` bytes.
    pub(crate) fn new(payload: Payload, limit: u64) -> Self {
        Self(Rc::new(State {
            payload: RefCell::new(payload),
            received: Cell::new(0),
            limit: Cell::new(limit),
        }))
    }

    /// The number of bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.0.received.get()
    }

    /// Returns whether more bytes than the limit were received.
    pub(crate) fn is_over_limit(&self) -> bool {
        self.received() > self.0.limit.get()
    }

    /// Allows `more` bytes beyond those received so far.
    pub(crate) fn extend_limit(&self, more: u64) {
        self.0.limit.set(self.received().saturating_add(more));
    }
}

impl Stream for UploadBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let state = &self.0;
        let next = std::task::ready!(state.payload.borrow_mut().poll_next_unpin(context));
        if let Some(Ok(bytes)) = &next {
            let received = state.received.get() + bytes.len() as u64;
            state.received.set(received);
            if received > state.limit.get() {
                return Poll::Ready(Some(Err(PayloadError::Overflow)));
            }
        }
        Poll::Ready(next)
    }
}
