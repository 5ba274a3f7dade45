//! Refusing an upload so that its sender can read why.
//!
//! The answer goes out at once. Was the connection closed then, with bytes of the upload still on their way, the client's
//! system would throw the unread answer away ("connection reset"). So the rest is read and dropped first, up to a bound.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::rt::time::{Sleep, sleep};
use actix_web::{HttpResponse, ResponseError as _};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _};

use super::body::UploadBody;
use crate::web::http::problem::Problem;

/// How long the rest of a refused upload is read.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// The answer to a refused upload, of which up to `drained` more bytes are read.
pub(crate) fn reject(problem: &Problem, rest: UploadBody, drained: u64) -> HttpResponse {
    rest.extend(drained);
    problem.error_response().map_body(|_, body| {
        let text = to_bytes(body)
            .now_or_never()
            .and_then(Result::ok)
            .unwrap_or_default();
        BoxBody::new(TextThenDrain {
            text,
            rest,
            deadline: Box::pin(sleep(DRAIN_TIME)),
            sent: false,
        })
    })
}

/// Sends a text, and ends when the request's body has.
struct TextThenDrain {
    text: Bytes,
    rest: UploadBody,
    deadline: Pin<Box<Sleep>>,
    sent: bool,
}

impl MessageBody for TextThenDrain {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.text.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if !std::mem::replace(&mut self.sent, true) {
            return Poll::Ready(Some(Ok(self.text.clone())));
        }
        if self.deadline.poll_unpin(context).is_ready() {
            return Poll::Ready(None);
        }
        loop {
            match std::task::ready!(self.rest.poll_next_unpin(context)) {
                Some(Ok(_)) => {}
                // All of it came, or too much, or the client is gone.
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }
}
