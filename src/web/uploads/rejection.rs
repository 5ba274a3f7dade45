//! Rejecting an upload so that its sender can read the reason.
//!
//! The response is sent at once. If the connection were closed while bytes of the upload are in flight, the client's
//! kernel would discard the unread response ("connection reset"). So the rest of the body is read and dropped first,
//! within limits.

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

/// The time limit for reading the rest of a rejected upload.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the response to a rejected upload, which reads up to `max_drained` more bytes of the upload.
pub(crate) fn reject(problem: &Problem, rest: UploadBody, max_drained: u64) -> HttpResponse {
    rest.extend_limit(max_drained);
    problem.error_response().map_body(|_, body| {
        // The body of a problem is in memory, so it is ready.
        let text = to_bytes(body)
            .now_or_never()
            .and_then(Result::ok)
            .unwrap_or_default();
        BoxBody::new(TextThenDrain {
            text,
            rest,
            deadline: Box::pin(sleep(DRAIN_TIMEOUT)),
            is_text_sent: false,
        })
    })
}

/// A response body that sends a text and ends when the request body has ended.
struct TextThenDrain {
    text: Bytes,
    rest: UploadBody,
    deadline: Pin<Box<Sleep>>,
    is_text_sent: bool,
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
        if !std::mem::replace(&mut self.is_text_sent, true) {
            return Poll::Ready(Some(Ok(self.text.clone())));
        }
        if self.deadline.poll_unpin(context).is_ready() {
            return Poll::Ready(None);
        }
        loop {
            match std::task::ready!(self.rest.poll_next_unpin(context)) {
                Some(Ok(_)) => {}
                // The body is complete or over its limit, or the client has disconnected.
                Some(Err(_)) | None => return Poll::Ready(None),
            }
        }
    }
}
