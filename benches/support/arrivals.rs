//! Counts what reaches many clients.

use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::Notify;

/// Counts arrivals, and notes when the last expected one came.
#[derive(Default)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
    complete: Notify,
}

#[derive(Default)]
struct State {
    missing: usize,
    last: Option<Instant>,
}

impl Arrivals {
    /// Expects `count` arrivals from now on.
    pub(crate) fn expect(&self, count: usize) {
        *self.state.lock().unwrap() = State {
            missing: count,
            last: None,
        };
    }

    /// Counts one arrival.
    pub(crate) fn arrive(&self) {
        let mut state = self.state.lock().unwrap();
        state.missing = state.missing.checked_sub(1).expect("nothing else arrives");
        if state.missing == 0 {
            state.last = Some(Instant::now());
            self.complete.notify_one();
        }
    }

    /// Waits for the last expected arrival, and returns when it was.
    pub(crate) async fn last(&self) -> Instant {
        loop {
            if let Some(last) = self.state.lock().unwrap().last {
                return last;
            }
            self.complete.notified().await;
        }
    }
}
