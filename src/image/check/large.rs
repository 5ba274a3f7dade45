//! One large picture at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Bounds;

/// A decoder that paints the whole picture takes from 3 to 16 bytes a pixel. Above this size, one picture at a time is
/// painted, whatever its kind and whatever for: so much memory is there once, and a server is not asked for it twice.
const LARGE_PIXELS: u64 = 16 << 20;

/// Held while a large picture is painted.
static PAINTING_A_LARGE_ONE: Mutex<()> = Mutex::new(());

/// Lets the next large picture be painted when it is dropped; `None` for a picture that is not large.
pub(in crate::image) type Turn = Option<MutexGuard<'static, ()>>;

impl Bounds {
    /// To be held by whoever paints a whole picture of this size. Large ones wait for each other; the clock stands still
    /// meanwhile, since another image is no reason to refuse this one.
    pub(in crate::image) fn turn(&mut self, width: u32, height: u32) -> Turn {
        if u64::from(width) * u64::from(height) <= LARGE_PIXELS {
            return None;
        }
        let waiting_since = Instant::now();
        let turn = PAINTING_A_LARGE_ONE
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.deadline += waiting_since.elapsed();
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::image::check::Limits;

    #[test]
    fn a_large_picture_waits_for_another_and_a_small_one_does_not() {
        let mut bounds = Bounds::start(Limits::default());
        let turn = bounds.turn(4097, 4096);
        assert!(bounds.turn(4096, 4096).is_none());
        let (send, events) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let before = bounds.deadline;
            send.send(None).unwrap();
            let _turn = bounds.turn(70_000, 1000);
            send.send(Some(bounds.deadline - before)).unwrap();
        });
        assert_eq!(events.recv().unwrap(), None);
        let while_held = Duration::from_millis(50);
        assert!(events.recv_timeout(while_held).is_err());
        drop(turn);
        let stood_still = events.recv().unwrap().unwrap();
        // The other thread may have begun to wait a little later.
        assert!(stood_still > while_held / 2, "{stood_still:?}");
        waiting.join().unwrap();
    }
}
