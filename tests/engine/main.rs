//! The embedded engine over its wire protocol. The recordings of RethinkDB have a target of their own, `recorded`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod client;
mod streams;
mod terms;
mod test_engine;
mod wire;
