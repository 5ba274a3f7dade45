//! What a client says, message by message.

use std::cell::Cell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::dev;
use actix_web::error::PayloadError;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, MessageStream, ProtocolError};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};

use super::frame::CloseCode;
use super::frame_scanner::Scanner;

/// The longest message of a client. A description has at most 4,000 bytes.
const MAX_MESSAGE: usize = 64 << 10;

/// Why a client's bytes were not read any further, once that is so.
pub(crate) type RefusalCode = Rc<Cell<Option<CloseCode>>>;

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A client's messages. It holds no more than one of them, and what comes in one turn.
pub(crate) struct ClientMessages {
    messages: AggregatedMessageStream,
    refusal: RefusalCode,
}

impl ClientMessages {
    /// The messages in bytes that went through [`checked`].
    pub(crate) fn new(messages: MessageStream, refusal: RefusalCode) -> Self {
        let messages = messages
            .max_frame_size(MAX_MESSAGE)
            .aggregate_continuations()
            .max_continuation_size(MAX_MESSAGE);
        Self { messages, refusal }
    }

    /// The next message, or why there is none. Cancellation safe.
    pub(crate) async fn next(&mut self) -> Result<AggregatedMessage, CloseCode> {
        match self.messages.recv().await {
            Some(Ok(message)) => Ok(message),
            None => Err(self.refusal.get().unwrap_or(CloseCode::Normal)),
            Some(Err(ProtocolError::Overflow)) => Err(CloseCode::TooBig),
            // The stream reports text that is not UTF-8 in this way.
            Some(Err(ProtocolError::Io(error))) if error.kind() == ErrorKind::InvalidData => {
                Err(CloseCode::Invalid)
            }
            Some(Err(ProtocolError::Io(_))) => Err(CloseCode::Normal),
            Some(Err(_)) => Err(CloseCode::Protocol),
        }
    }
}

/// A client's bytes up to the first frame that is refused: there they end, and the reason stands beside them.
pub(crate) fn checked(payload: dev::Payload) -> (dev::Payload, RefusalCode) {
    let refusal = RefusalCode::default();
    let checked = Checked {
        payload,
        scanner: Scanner::new(MAX_MESSAGE as u64),
        refusal: refusal.clone(),
    };
    let payload: BoxedPayloadStream = Box::pin(checked);
    (dev::Payload::Stream { payload }, refusal)
}

struct Checked {
    payload: dev::Payload,
    scanner: Scanner,
    refusal: RefusalCode,
}

impl Stream for Checked {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.refusal.get().is_some() {
            return Poll::Ready(None);
        }
        let next = ready!(self.payload.poll_next_unpin(context));
        let Some(Ok(mut bytes)) = next else {
            return Poll::Ready(next);
        };
        if let Err((good, code)) = self.scanner.scan(&bytes) {
            self.refusal.set(Some(code));
            bytes.truncate(good);
        }
        Poll::Ready(Some(Ok(bytes)))
    }
}
