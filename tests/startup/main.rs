//! The program itself: how it starts, what it says when it cannot, how it stops, and what is still there afterwards.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod server;
mod start;
mod stop;
mod survive;
