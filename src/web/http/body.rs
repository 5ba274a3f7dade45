//! Response bodies that share the bytes of an image instead of copying them.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody, SizedStream};
use actix_web::rt::spawn;
use bytes::Bytes;
use futures::stream;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connection::ConnectionHandle;

/// The number of bytes given to the connection at a time, which it copies into a buffer of its own.
pub(crate) const SLICE: usize = 64 << 10;

/// The kernel's send buffer for a download; Linux doubles it. Small enough to tell a slow reader from a stalled one,
/// large enough for 10 MB/s at a round-trip time of 100 ms.
const SEND_BUFFER: usize = 512 << 10;

/// A body of shared bytes, sent slice by slice: a slow reader holds no copy of the whole.
pub(crate) struct SlicedBody {
    rest: Bytes,
    read_timeout: Option<ReadTimeout>,
}

impl SlicedBody {
    /// Creates a body that disconnects its client when no slice is read within `timeout`.
    pub(crate) fn new(
        bytes: Bytes,
        connection: Option<ConnectionHandle>,
        timeout: Duration,
    ) -> Self {
        // A single slice is copied into the connection's buffer at once and so never holds shared bytes.
        let read_timeout = connection
            .filter(|_| bytes.len() > SLICE)
            .map(|connection| ReadTimeout::start(connection, timeout));
        Self {
            rest: bytes,
            read_timeout,
        }
    }
}

impl MessageBody for SlicedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(read_timeout) = &self.read_timeout {
            read_timeout.restart();
        }
        let length = self.rest.len().min(SLICE);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

/// Aborts a connection whose client stops reading. Dropping it stops the timer.
pub(crate) struct ReadTimeout {
    /// The number of slices read so far.
    slices: Rc<Cell<usize>>,
    task: JoinHandle<()>,
}

impl ReadTimeout {
    /// Starts the timer and bounds the send buffer, which would otherwise hide a stalled client.
    pub(crate) fn start(connection: ConnectionHandle, timeout: Duration) -> Self {
        connection.limit_send_buffer(SEND_BUFFER);
        let slices = Rc::new(Cell::new(0));
        let task = spawn(abort_when_stalled(slices.clone(), connection, timeout));
        Self { slices, task }
    }

    /// Restarts the timer: the client has read a slice.
    pub(crate) fn restart(&self) {
        self.slices.set(self.slices.get() + 1);
    }
}

impl Drop for ReadTimeout {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn abort_when_stalled(
    slices: Rc<Cell<usize>>,
    connection: ConnectionHandle,
    timeout: Duration,
) {
    let mut before = None;
    while before != Some(slices.get()) {
        before = Some(slices.get());
        sleep(timeout).await;
    }
    log::info!("disconnected a client that stopped reading its download");
    connection.abort();
}

/// The empty body of an answer to `HEAD`, which still announces the length of the `GET` body.
pub(crate) fn head_body(length: u64) -> BoxBody {
    let no_bytes = stream::empty::<Result<Bytes, Infallible>>();
    BoxBody::new(SizedStream::new(length, no_bytes))
}
