//! The body of a request as it comes in.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

/// A request's body, counted and bounded. Clones read the same body: the form's parser takes one for good, and with
/// another the rest is drained when the form was refused.
#[derive(Clone)]
pub(crate) struct UploadBody(Rc<Inner>);

struct Inner {
    payload: RefCell<Payload>,
    received: Cell<u64>,
    limit: Cell<u64>,
}

impl UploadBody {
    /// A body that may have `limit` bytes; after that comes [`PayloadError::Overflow`].
    pub(crate) fn new(payload: Payload, limit: u64) -> Self {
        Self(Rc::new(Inner {
            payload: RefCell::new(payload),
            received: Cell::new(0),
            limit: Cell::new(limit),
        }))
    }

    /// How many bytes have come.
    pub(crate) fn received(&self) -> u64 {
        self.0.received.get()
    }

    /// Whether more came than may.
    pub(crate) fn is_over(&self) -> bool {
        self.received() > self.0.limit.get()
    }

    /// Lets so many more bytes come.
    pub(crate) fn extend(&self, more: u64) {
        self.0.limit.set(self.received().saturating_add(more));
    }
}

impl Stream for UploadBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let inner = &self.0;
        let next = std::task::ready!(inner.payload.borrow_mut().poll_next_unpin(context));
        if let Some(Ok(bytes)) = &next {
            let received = inner.received.get() + bytes.len() as u64;
            inner.received.set(received);
            if received > inner.limit.get() {
                return Poll::Ready(Some(Err(PayloadError::Overflow)));
            }
        }
        Poll::Ready(next)
    }
}
