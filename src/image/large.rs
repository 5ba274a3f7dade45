//! Large images are decoded one at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::limits::Bounds;

/// A decoder that holds the whole image takes from 3 to 16 bytes a pixel. Above this size one image at a time is
/// decoded, so that the server needs that much memory once.
const LARGE_PIXELS: u64 = 16 << 20;

/// Held while a large image is decoded.
static DECODING_LARGE: Mutex<()> = Mutex::new(());

/// A turn to decode a large image, until it is dropped; `None` for an image that is not large.
pub(super) type Turn = Option<MutexGuard<'static, ()>>;

impl Bounds {
    /// Waits for a turn to decode an image of this size as a whole. The deadline moves by the time spent waiting, so
    /// that one image does not time out because of another.
    pub(super) fn turn(&mut self, width: u32, height: u32) -> Turn {
        if u64::from(width) * u64::from(height) <= LARGE_PIXELS {
            return None;
        }
        Some(self.wait_since(Instant::now()))
    }

    /// Waits for a turn. The deadline moves by the time since `start`.
    fn wait_since(&mut self, start: Instant) -> MutexGuard<'static, ()> {
        let turn = DECODING_LARGE
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.deadline += start.elapsed();
        turn
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::image::Limits;

    /// The time for which a test holds a turn that another thread wants.
    const WHILE_HELD: Duration = Duration::from_millis(50);

    #[test]
    fn a_large_image_waits_for_another_and_a_small_one_does_not() {
        let mut bounds = Bounds::start(Limits::default());
        let turn = bounds.turn(4097, 4096);
        assert!(turn.is_some());
        assert!(bounds.turn(4096, 4096).is_none());
        let (send, events) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            send.send("starts").unwrap();
            let turn = bounds.turn(70_000, 1000);
            send.send("has its turn").unwrap();
            assert!(turn.is_some());
        });
        assert_eq!(events.recv().unwrap(), "starts");
        assert!(events.recv_timeout(WHILE_HELD).is_err());
        drop(turn);
        assert_eq!(events.recv().unwrap(), "has its turn");
        waiting.join().unwrap();
    }

    #[test]
    fn the_deadline_of_an_image_does_not_pass_while_it_waits() {
        let turn = Bounds::start(Limits::default()).turn(4097, 4096);
        let mut bounds = Bounds::start(Limits::default());
        let before = bounds.deadline;
        let start = Instant::now();
        let waiting = std::thread::spawn(move || {
            drop(bounds.wait_since(start));
            bounds.deadline
        });
        // `start` is earlier, so the other thread waits at least that long, whenever it runs.
        std::thread::sleep(WHILE_HELD);
        drop(turn);
        assert!(waiting.join().unwrap() - before >= WHILE_HELD);
    }
}
