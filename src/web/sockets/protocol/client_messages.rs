//! The messages of a client.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::dev;
use actix_web::error::PayloadError;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, MessageStream, ProtocolError};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};

use super::deflate::inflate;
use super::frame::{BINARY, COMPRESSED, CloseCode, FINAL};
use super::frame_scanner::FrameScanner;

/// The size limit of a client's message: an arrangement of 2,000 images has up to 240 KB.
const MAX_MESSAGE: usize = 256 << 10;

/// The results of scanning a client's frames.
#[derive(Default)]
pub(crate) struct Scanned {
    /// The close code for an invalid frame.
    invalid: Cell<Option<CloseCode>>,
    /// One entry per binary message in progress: `true` if it is a compressed text. The parser of actix-ws knows no
    /// compression, so compressed texts pass it as binary messages.
    compressed: RefCell<VecDeque<bool>>,
}

pub(crate) type ScanResult = Rc<Scanned>;

type BoxedPayloadStream = Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>;

/// A stream of a client's messages. It buffers one message and what one read returns.
pub(crate) struct ClientMessages {
    messages: AggregatedMessageStream,
    scan_result: ScanResult,
}

impl ClientMessages {
    /// Creates the stream over a payload that [`scanned`] returned.
    pub(crate) fn new(messages: MessageStream, scan_result: ScanResult) -> Self {
        let messages = messages
            .max_frame_size(MAX_MESSAGE)
            .aggregate_continuations()
            .max_continuation_size(MAX_MESSAGE);
        Self {
            messages,
            scan_result,
        }
    }

    /// Waits for the next message. Cancellation safe.
    ///
    /// # Errors
    ///
    /// The code to close with when the client sends no more valid messages.
    pub(crate) async fn next(&mut self) -> Result<AggregatedMessage, CloseCode> {
        match self.messages.recv().await {
            Some(Ok(AggregatedMessage::Binary(payload))) => {
                let is_compressed = self.scan_result.compressed.borrow_mut().pop_front();
                if is_compressed != Some(true) {
                    return Ok(AggregatedMessage::Binary(payload));
                }
                let text = inflate(&payload, MAX_MESSAGE)?;
                let text = String::from_utf8(text).map_err(|_| CloseCode::Invalid)?;
                Ok(AggregatedMessage::Text(text.into()))
            }
            Some(Ok(message)) => Ok(message),
            None => Err(self.scan_result.invalid.get().unwrap_or(CloseCode::Normal)),
            Some(Err(ProtocolError::Overflow)) => Err(CloseCode::TooBig),
            // actix-ws reports text that is not UTF-8 like this.
            Some(Err(ProtocolError::Io(error))) if error.kind() == ErrorKind::InvalidData => {
                Err(CloseCode::Invalid)
            }
            Some(Err(ProtocolError::Io(_))) => Err(CloseCode::Normal),
            Some(Err(_)) => Err(CloseCode::Protocol),
        }
    }
}

/// Ends a payload before its first invalid frame, and reports the close code for that frame. Texts may be compressed if
/// `takes_compressed`.
pub(crate) fn scanned(payload: dev::Payload, takes_compressed: bool) -> (dev::Payload, ScanResult) {
    let result = ScanResult::default();
    let scanned = ScannedPayload {
        payload,
        scanner: FrameScanner::new(MAX_MESSAGE as u64, takes_compressed),
        result: result.clone(),
    };
    let payload: BoxedPayloadStream = Box::pin(scanned);
    (dev::Payload::Stream { payload }, result)
}

struct ScannedPayload {
    payload: dev::Payload,
    scanner: FrameScanner,
    result: ScanResult,
}

impl Stream for ScannedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.result.invalid.get().is_some() {
            return Poll::Ready(None);
        }
        let next = ready!(self.payload.poll_next_unpin(context));
        let Some(Ok(mut bytes)) = next else {
            return Poll::Ready(next);
        };
        let mut starts = Vec::new();
        if let Err((valid, code)) = self.scanner.scan(&bytes, |start| starts.push(start)) {
            self.result.invalid.set(Some(code));
            bytes.truncate(valid);
        }
        starts.retain(|&start| start < bytes.len());
        Poll::Ready(Some(Ok(self
            .result
            .mark_compressed_as_binary(bytes, &starts))))
    }
}

impl Scanned {
    /// Turns the compressed texts among the frames that start at these positions into binary messages.
    fn mark_compressed_as_binary(&self, bytes: Bytes, starts: &[usize]) -> Bytes {
        let mut compressed = self.compressed.borrow_mut();
        let mut bytes = BytesMut::from(bytes);
        for &start in starts {
            let first = bytes[start];
            if first & COMPRESSED != 0 {
                bytes[start] = first & FINAL | BINARY;
                compressed.push_back(true);
            } else if first & 0x0f == BINARY {
                compressed.push_back(false);
            }
        }
        bytes.freeze()
    }
}
