//! Feeds that deliver nothing although others of the same board do.
//!
//! A network can lose a connection that is idle without telling either end. The watchdog notices a lost server, but not
//! a single dead connection. All feeds of a board get the same changes, so one that is silent while others are not has
//! stalled.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use tokio::time::{Instant, Sleep, sleep_until};

use super::client::Element;
use super::error::StoreError;
use crate::image::BoardId;

/// Time by which the feeds of a loaded database may differ.
const TOLERANCE: Duration = Duration::from_secs(10);

/// Interval between two checks of a feed. It has stalled if it is found silent twice.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A check later than this was not polled in time, so the silence of the feed proves nothing.
const MAX_CHECK_DELAY: Duration = Duration::from_secs(1);

/// When the feeds of each board that has some delivered the last change.
#[derive(Default)]
pub(super) struct LastChanges(Mutex<HashMap<BoardId, LastChange>>);

/// When the feeds of a board delivered the last change.
type LastChange = Arc<Mutex<Option<Instant>>>;

impl LastChanges {
    fn of(&self, board: BoardId) -> LastChange {
        let mut boards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boards.retain(|_, last| Arc::strong_count(last) > 1);
        boards.entry(board).or_default().clone()
    }

    /// The elements of a feed of `board`, with an error once it has stalled. Cancellation safe, if `elements` is.
    pub(super) fn watch<S>(&self, board: BoardId, elements: S) -> Watched<S>
    where
        S: Stream<Item = Result<Element, StoreError>> + Unpin,
    {
        let silence = Silence::since(Instant::now());
        Watched {
            elements,
            last_change: self.of(board),
            timer: Box::pin(sleep_until(silence.check_at)),
            silence,
        }
    }
}

/// The elements of a feed, with an error once it has stalled.
pub(super) struct Watched<S> {
    elements: S,
    last_change: LastChange,
    silence: Silence,
    /// Ends when the feed is to be looked at, or before.
    timer: Pin<Box<Sleep>>,
}

impl<S> Stream for Watched<S>
where
    S: Stream<Item = Result<Element, StoreError>> + Unpin,
{
    type Item = Result<Element, StoreError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // First what is there: it has been delivered.
        if let Poll::Ready(element) = this.elements.poll_next_unpin(context) {
            let now = Instant::now();
            if let Some(Ok(Element { state: None, .. })) = &element {
                set(&this.last_change, now);
            }
            this.silence = Silence::since(now);
            return Poll::Ready(element);
        }
        while this.timer.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            // The timer is not set anew for each element.
            let is_due = now >= this.silence.check_at;
            if is_due && this.silence.is_stall(now, get(&this.last_change)) {
                let error = StoreError::FeedEnded("it has stalled".to_owned());
                return Poll::Ready(Some(Err(error)));
            }
            this.timer.as_mut().reset(this.silence.check_at);
        }
        Poll::Pending
    }
}

/// The time in which a feed delivers nothing.
struct Silence {
    since: Instant,
    check_at: Instant,
    /// At the last look, others had delivered more.
    is_suspect: bool,
}

impl Silence {
    fn since(since: Instant) -> Self {
        Self {
            since,
            check_at: since + CHECK_INTERVAL,
            is_suspect: false,
        }
    }

    /// Looks at the feed at `now`. Returns `true` if it has stalled.
    fn is_stall(&mut self, now: Instant, last_change: Option<Instant>) -> bool {
        let was_read = now <= self.check_at + MAX_CHECK_DELAY;
        let is_behind = last_change.is_some_and(|last| last > self.since + TOLERANCE);
        let was_suspect = self.is_suspect;
        self.is_suspect = was_read && is_behind;
        self.check_at = now + CHECK_INTERVAL;
        self.is_suspect && was_suspect
    }
}

fn get(last_change: &LastChange) -> Option<Instant> {
    *last_change.lock().unwrap_or_else(PoisonError::into_inner)
}

fn set(last_change: &LastChange, at: Instant) {
    let mut last = last_change.lock().unwrap_or_else(PoisonError::into_inner);
    *last = (*last).max(Some(at));
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// Looks at a feed that is silent from 0 s on. `looks` are the time of each, and that of the last change of others.
    fn is_stall(looks: &[(u64, Option<u64>)]) -> bool {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::since(start);
        let mut results = looks
            .iter()
            .map(|(now, change)| silence.is_stall(at(*now), change.map(at)));
        results.any(|is_stall| is_stall)
    }

    #[test]
    fn a_feed_has_stalled_if_it_stays_silent_while_others_are_not() {
        assert!(is_stall(&[
            (5, None),
            (10, None),
            (15, Some(12)),
            (20, Some(12))
        ]));
        assert!(!is_stall(&[(5, None), (10, None), (15, Some(12))]));
    }

    #[test]
    fn silence_means_nothing_on_a_quiet_board_or_close_to_the_last_change() {
        assert!(!is_stall(&[(5, None), (10, None), (15, None)]));
        assert!(!is_stall(&[
            (5, Some(3)),
            (10, Some(9)),
            (15, Some(9)),
            (20, Some(9))
        ]));
    }

    #[test]
    fn silence_means_nothing_while_the_feed_is_not_read() {
        assert!(!is_stall(&[
            (60, Some(50)),
            (120, Some(110)),
            (180, Some(170))
        ]));
        assert!(!is_stall(&[
            (60, Some(50)),
            (65, Some(64)),
            (180, Some(170))
        ]));
        assert!(is_stall(&[(60, Some(50)), (65, Some(64)), (70, Some(64))]));
    }

    #[tokio::test]
    async fn boards_without_feeds_are_forgotten() {
        let changes = LastChanges::default();
        drop(changes.watch(BoardId::MAIN, stream::pending()));
        let board: BoardId = "A234567890b23456789012".parse().unwrap();
        let _watched = changes.watch(board, stream::pending());
        assert_eq!(changes.0.lock().unwrap().len(), 1);
    }
}
