//! Announcements of uploads, so that other viewers show placeholders before the images are stored.
//!
//! One table per server holds the announced uploads. Changes go through a ring buffer that every session reads at its
//! own pace. A session that falls behind compares what its viewer has seen with the table and skips the steps in
//! between. So no session waits for a slow viewer, and memory is bounded by the table and the ring.

pub(crate) mod announcer;
pub(crate) mod table;
