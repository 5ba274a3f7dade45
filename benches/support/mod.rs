//! What the benchmarks share: servers as processes of their own, clients, photos, and reports.
#![allow(
    dead_code,
    reason = "each benchmark is a program of its own and uses a part of this"
)]

pub(crate) mod arrivals;
#[path = "../../tests/engine/client.rs"]
pub(crate) mod client;
pub(crate) mod driver_feed;
pub(crate) mod moves;
pub(crate) mod photos;
pub(crate) mod processor;
pub(crate) mod raw_feed;
pub(crate) mod report;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod tasks;
