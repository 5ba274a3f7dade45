//! The embedded engine, from outside: over its wire protocol.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod answers;
mod client;
mod golden;
mod wire;
