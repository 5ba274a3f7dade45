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
        let waiting_since = Instant::now();
        let turn = DECODING_LARGE
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
    use crate::image::Limits;

    #[test]
    fn a_large_image_waits_for_another_and_a_small_one_does_not() {
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
        // The other thread may start to wait a little later.
        assert!(stood_still > while_held / 2, "{stood_still:?}");
        waiting.join().unwrap();
    }
}
