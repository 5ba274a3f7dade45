//! The queue of bytes to send to one viewer.
//!
//! The queue of actix-ws holds 32 messages of any size and does not report what was sent. This queue counts bytes and
//! knows when the connection last took some, which distinguishes a slow viewer from one that has stopped reading. The
//! tasks of the session and of the connection run on the same thread, so there is no lock.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::protocol::frame::Frame;

/// The number of queued bytes at which the session stops reading from its feed and its client. One more message may be
/// queued on top: a record of a few kilobytes, or a fragment of an image of 64 KiB.
const MAX_QUEUED: usize = 960 << 10;

/// The number of bytes given to the connection at a time. Small, so that a slow reader makes visible progress, and the
/// connection needs no larger buffer than it has.
const SLICE: usize = 4 << 10;

/// The same for a part of a file: each slice costs a system call, and the connection keeps a buffer of its size.
const FILE_SLICE: usize = 16 << 10;

/// A part of at least this many bytes is sent in slices of [`FILE_SLICE`]. Only files and the records of a large board
/// have such parts.
const FILE_PART: usize = 32 << 10;

/// The session's end of the queue.
#[derive(Clone)]
pub(crate) struct Outbox(Rc<OutboxState>);

/// The connection's end of the queue: the response body of the upgrade.
pub(crate) struct OutboxBody {
    state: Rc<OutboxState>,
    /// The body that actix-ws made. Dropping it would end the client's messages.
    _handshake: BoxBody,
}

struct OutboxState {
    queue: RefCell<Queue>,
    /// Notified when there is room again. Not whenever bytes were sent, which would wake the session after each message.
    room: Notify,
    /// Notified when the connection has ended.
    disconnected: Notify,
    /// The times for which parts are queued, in seconds.
    queue_time: Histogram,
}

struct Queue {
    parts: VecDeque<Part>,
    queued: usize,
    /// The time when bytes were last sent, or were queued in an empty queue.
    progress_at: Instant,
    is_finished: bool,
    is_disconnected: bool,
    connection: Option<Waker>,
}

/// A frame, or a part of one. Never empty.
struct Part {
    bytes: Bytes,
    /// The number of bytes given to the connection at a time.
    slice: usize,
    queued_at: Instant,
}

impl Part {
    fn new(bytes: Bytes, queued_at: Instant) -> Self {
        let slice = if bytes.len() < FILE_PART {
            SLICE
        } else {
            FILE_SLICE
        };
        Self {
            bytes,
            slice,
            queued_at,
        }
    }
}

impl Outbox {
    /// Creates a queue and the body that empties it.
    pub(crate) fn new(handshake: BoxBody, queue_time: Histogram) -> (Self, OutboxBody) {
        let queue = Queue {
            parts: VecDeque::new(),
            queued: 0,
            progress_at: Instant::now(),
            is_finished: false,
            is_disconnected: false,
            connection: None,
        };
        let state = Rc::new(OutboxState {
            queue: RefCell::new(queue),
            room: Notify::new(),
            disconnected: Notify::new(),
            queue_time,
        });
        (
            Self(state.clone()),
            OutboxBody {
                state,
                _handshake: handshake,
            },
        )
    }

    /// Appends a frame. Check [`has_room`](Self::has_room) first. Does nothing after [`finish`](Self::finish).
    pub(crate) fn push(&self, frame: Frame) {
        let mut queue = self.0.queue.borrow_mut();
        if queue.is_finished || queue.is_disconnected {
            return;
        }
        let now = Instant::now();
        if queue.queued == 0 {
            queue.progress_at = now;
        }
        for part in [frame.head, frame.rest] {
            if !part.is_empty() {
                queue.queued += part.len();
                queue.parts.push_back(Part::new(part, now));
            }
        }
        if let Some(connection) = queue.connection.take() {
            connection.wake();
        }
    }

    /// Ends the connection when the queued bytes are sent.
    pub(crate) fn finish(&self) {
        let mut queue = self.0.queue.borrow_mut();
        queue.is_finished = true;
        if let Some(connection) = queue.connection.take() {
            connection.wake();
        }
    }

    /// Returns whether another frame may be pushed.
    pub(crate) fn has_room(&self) -> bool {
        self.0.queue.borrow().queued < MAX_QUEUED
    }

    /// Returns the time since which bytes are queued and none were sent.
    pub(crate) fn stalled_since(&self) -> Option<Instant> {
        let queue = self.0.queue.borrow();
        (queue.queued > 0).then_some(queue.progress_at)
    }

    /// Waits until there is room or the connection has ended. Cancellation safe.
    pub(crate) async fn room(&self) {
        let has_room = |queue: &Queue| queue.queued < MAX_QUEUED || queue.is_disconnected;
        self.until(&self.0.room, has_room).await;
    }

    /// Waits until the connection has ended. Cancellation safe.
    pub(crate) async fn disconnected(&self) {
        self.until(&self.0.disconnected, |queue| queue.is_disconnected)
            .await;
    }

    async fn until(&self, notify: &Notify, is_true: impl Fn(&Queue) -> bool) {
        loop {
            let notified = notify.notified();
            if is_true(&self.0.queue.borrow()) {
                return;
            }
            notified.await;
        }
    }
}

impl MessageBody for OutboxBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let mut queue = self.state.queue.borrow_mut();
        let Some(part) = queue.parts.front_mut() else {
            if queue.is_finished {
                return Poll::Ready(None);
            }
            queue.connection = Some(context.waker().clone());
            return Poll::Pending;
        };
        let length = part.bytes.len().min(part.slice);
        let slice = part.bytes.split_to(length);
        let now = Instant::now();
        let ended = part.bytes.is_empty().then(|| now - part.queued_at);
        if ended.is_some() {
            queue.parts.pop_front();
        }
        let was_full = queue.queued >= MAX_QUEUED;
        queue.queued -= length;
        queue.progress_at = now;
        let has_room_again = was_full && queue.queued < MAX_QUEUED;
        drop(queue);
        if let Some(time) = ended {
            self.state.queue_time.observe(time.as_secs_f64());
        }
        if has_room_again {
            self.state.room.notify_waiters();
        }
        Poll::Ready(Some(Ok(slice)))
    }
}

impl Drop for OutboxBody {
    fn drop(&mut self) {
        let mut queue = self.state.queue.borrow_mut();
        queue.is_disconnected = true;
        queue.parts.clear();
        queue.queued = 0;
        drop(queue);
        self.state.room.notify_waiters();
        self.state.disconnected.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use futures::FutureExt as _;

    use super::*;

    async fn next(body: &mut OutboxBody) -> Option<Bytes> {
        poll_fn(|context| Pin::new(&mut *body).poll_next(context))
            .await
            .map(Result::unwrap)
    }

    fn frame(length: usize) -> Frame {
        Frame {
            head: Bytes::new(),
            rest: Bytes::from(vec![0; length]),
        }
    }

    fn outbox() -> (Outbox, OutboxBody) {
        Outbox::new(BoxBody::new(()), crate::metrics::seconds())
    }

    #[actix_web::test]
    async fn frames_are_sent_in_order_and_in_slices() {
        let (outbox, mut body) = outbox();
        outbox.push(frame(SLICE + 1));
        outbox.push(frame(1));
        let mut lengths = Vec::new();
        for _ in 0..3 {
            lengths.push(next(&mut body).await.unwrap().len());
        }
        assert_eq!(lengths, [SLICE, 1, 1]);
        assert_eq!(outbox.stalled_since(), None);
        outbox.finish();
        assert_eq!(next(&mut body).await, None);
    }

    #[actix_web::test]
    async fn a_file_is_sent_in_larger_slices() {
        let (outbox, mut body) = outbox();
        outbox.push(frame(FILE_PART + 1));
        let mut lengths = Vec::new();
        for _ in 0..3 {
            lengths.push(next(&mut body).await.unwrap().len());
        }
        assert_eq!(lengths, [FILE_SLICE, FILE_SLICE, 1]);
    }

    #[actix_web::test]
    async fn there_is_room_again_after_bytes_were_sent() {
        let (outbox, mut body) = outbox();
        while outbox.has_room() {
            outbox.push(frame(64 << 10));
        }
        assert!(outbox.room().now_or_never().is_none());
        let (_, ()) = tokio::join!(
            async {
                for _ in 0..4 {
                    next(&mut body).await;
                }
            },
            outbox.room()
        );
        assert!(outbox.has_room());
    }

    #[actix_web::test]
    async fn a_session_notices_the_end_of_its_connection() {
        let (outbox, body) = outbox();
        assert!(outbox.disconnected().now_or_never().is_none());
        let ((), ()) = tokio::join!(outbox.disconnected(), async { drop(body) });
        outbox.push(frame(1));
        assert_eq!(outbox.stalled_since(), None);
    }
}
