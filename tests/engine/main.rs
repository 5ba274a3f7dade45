//! The embedded engine, from outside: over its wire protocol.

mod client;
mod golden;
mod wire;
