//! What waits to be sent to one viewer.
//!
//! actix-ws has a queue of 32 messages of any size, and cannot say what was taken from it. This one counts bytes and knows
//! when the connection last took some: so a viewer who reads slowly is waited for, and one who does not read is found
//! out. The task of the session and that of the connection run on the same thread, so nothing is locked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::protocol::frame::Frame;

/// When so many bytes wait, nothing more is taken in from feed or client until there is room again. One message more may be
/// on top: a record has a few kilobytes, a fragment of a picture 64 KiB.
const MAX_WAITING: usize = 960 << 10;

/// How much is handed to the connection at a time: small, so that slow reading can be told from none.
const SLICE: usize = 16 << 10;

/// The sending end: a session's.
#[derive(Clone)]
pub(crate) struct Outbox(Rc<Shared>);

/// The receiving end: the body of the answer to the upgrade, from which the connection takes what it can write.
pub(crate) struct OutboxBody {
    shared: Rc<Shared>,
    /// The body that actix-ws made. The client's messages end when it is dropped.
    _handshake: BoxBody,
}

struct Shared {
    queue: RefCell<Queue>,
    /// Something was taken, or the connection ended.
    taken: Notify,
}

struct Queue {
    /// Frames and parts of frames, none of them empty.
    parts: VecDeque<Bytes>,
    waiting: usize,
    /// When bytes were last taken, or began to wait.
    moved_at: Instant,
    finished: bool,
    gone: bool,
    connection: Option<Waker>,
}

impl Outbox {
    /// A queue and the body that empties it.
    pub(crate) fn new(handshake: BoxBody) -> (Self, OutboxBody) {
        let queue = Queue {
            parts: VecDeque::new(),
            waiting: 0,
            moved_at: Instant::now(),
            finished: false,
            gone: false,
            connection: None,
        };
        let shared = Rc::new(Shared {
            queue: RefCell::new(queue),
            taken: Notify::new(),
        });
        (
            Self(shared.clone()),
            OutboxBody {
                shared,
                _handshake: handshake,
            },
        )
    }

    /// Puts something behind what waits. Look for room first.
    pub(crate) fn push(&self, frame: Frame) {
        let mut queue = self.0.queue.borrow_mut();
        if queue.finished || queue.gone {
            return;
        }
        if queue.waiting == 0 {
            queue.moved_at = Instant::now();
        }
        for part in [frame.head, frame.rest] {
            if !part.is_empty() {
                queue.waiting += part.len();
                queue.parts.push_back(part);
            }
        }
        if let Some(connection) = queue.connection.take() {
            connection.wake();
        }
    }

    /// Nothing more will come: the connection ends when what waits is sent.
    pub(crate) fn finish(&self) {
        let mut queue = self.0.queue.borrow_mut();
        queue.finished = true;
        if let Some(connection) = queue.connection.take() {
            connection.wake();
        }
    }

    /// Whether more may be put in.
    pub(crate) fn has_room(&self) -> bool {
        self.0.queue.borrow().waiting < MAX_WAITING
    }

    /// Since when something waits and nothing was taken.
    pub(crate) fn stuck_since(&self) -> Option<Instant> {
        let queue = self.0.queue.borrow();
        (queue.waiting > 0).then_some(queue.moved_at)
    }

    /// Waits until there is room, or until the connection has ended. Cancellation safe.
    pub(crate) async fn room(&self) {
        self.until(|queue| queue.waiting < MAX_WAITING || queue.gone)
            .await;
    }

    /// Waits until the connection has ended. Cancellation safe.
    pub(crate) async fn gone(&self) {
        self.until(|queue| queue.gone).await;
    }

    async fn until(&self, is_true: impl Fn(&Queue) -> bool) {
        loop {
            let taken = self.0.taken.notified();
            if is_true(&self.0.queue.borrow()) {
                return;
            }
            taken.await;
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
        let mut queue = self.shared.queue.borrow_mut();
        let Some(part) = queue.parts.front_mut() else {
            if queue.finished {
                return Poll::Ready(None);
            }
            queue.connection = Some(context.waker().clone());
            return Poll::Pending;
        };
        let length = part.len().min(SLICE);
        let slice = part.split_to(length);
        if part.is_empty() {
            queue.parts.pop_front();
        }
        queue.waiting -= length;
        queue.moved_at = Instant::now();
        drop(queue);
        self.shared.taken.notify_waiters();
        Poll::Ready(Some(Ok(slice)))
    }
}

impl Drop for OutboxBody {
    fn drop(&mut self) {
        let mut queue = self.shared.queue.borrow_mut();
        queue.gone = true;
        queue.parts.clear();
        queue.waiting = 0;
        drop(queue);
        self.shared.taken.notify_waiters();
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
        Outbox::new(BoxBody::new(()))
    }

    #[actix_web::test]
    async fn frames_leave_in_their_order_and_in_slices() {
        let (outbox, mut body) = outbox();
        outbox.push(frame(SLICE + 1));
        outbox.push(frame(1));
        let mut lengths = Vec::new();
        for _ in 0..3 {
            lengths.push(next(&mut body).await.unwrap().len());
        }
        assert_eq!(lengths, [SLICE, 1, 1]);
        assert_eq!(outbox.stuck_since(), None);
        outbox.finish();
        assert_eq!(next(&mut body).await, None);
    }

    #[actix_web::test]
    async fn there_is_room_again_when_the_connection_took_some() {
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
    async fn a_session_learns_that_the_connection_has_ended() {
        let (outbox, body) = outbox();
        assert!(outbox.gone().now_or_never().is_none());
        let ((), ()) = tokio::join!(outbox.gone(), async { drop(body) });
        outbox.push(frame(1));
        assert_eq!(outbox.stuck_since(), None);
    }
}
