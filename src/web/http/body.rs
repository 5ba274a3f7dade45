//! Response bodies that cost no copy of an image.

use std::cell::Cell;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody};
use actix_web::rt::spawn;
use bytes::Bytes;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::connection::Connection;

/// How much of an image is handed to the connection at a time; it copies that much into its own buffer.
pub(crate) const SLICE: usize = 64 << 10;

/// What the system may hold for a client; it takes twice as much. Small enough to tell slow reading from none, large
/// enough for 10 MB/s at 100 ms.
const SEND_BUFFER: usize = 512 << 10;

/// Shared bytes, sent slice by slice, so that a client who reads slowly holds no copy of them. One who reads nothing is
/// disconnected, for it would keep them from being freed.
pub(crate) struct Slices {
    rest: Bytes,
    watch: Option<Watch>,
}

impl Slices {
    /// A body whose client is disconnected if it takes no slice for so long.
    pub(crate) fn new(bytes: Bytes, connection: Option<Connection>, patience: Duration) -> Self {
        // What is not larger is copied into the connection's buffer at once.
        let is_held = bytes.len() > SLICE;
        let connection = connection.filter(|_| is_held);
        Self {
            rest: bytes,
            watch: connection.map(|connection| Watch::new(connection, patience)),
        }
    }
}

/// Disconnects a client who takes nothing of a body. It ends when it is dropped.
pub(crate) struct Watch {
    /// How many slices were taken.
    taken: Rc<Cell<usize>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Disconnects the client if it takes no slice for so long.
    pub(crate) fn new(connection: Connection, patience: Duration) -> Self {
        connection.limit_send_buffer(SEND_BUFFER);
        let taken = Rc::new(Cell::new(0));
        let task = spawn(cut_if_stuck(taken.clone(), connection, patience));
        Self { taken, task }
    }

    /// The client has taken a slice.
    pub(crate) fn taken(&self) {
        self.taken.set(self.taken.get() + 1);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn cut_if_stuck(taken: Rc<Cell<usize>>, connection: Connection, patience: Duration) {
    let mut before = None;
    while before != Some(taken.get()) {
        before = Some(taken.get());
        sleep(patience).await;
    }
    log::info!("disconnected a client that reads nothing of what it asked for");
    connection.cut();
}

impl MessageBody for Slices {
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
        self.watch.iter().for_each(Watch::taken);
        let length = self.rest.len().min(SLICE);
        Poll::Ready(Some(Ok(self.rest.split_to(length))))
    }
}

/// The length of a body without the body, for `HEAD`.
pub(crate) struct LengthOnly(pub(crate) u64);

impl MessageBody for LengthOnly {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
