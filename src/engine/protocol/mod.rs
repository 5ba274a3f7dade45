//! RethinkDB's client protocol: the server, the handshake, the frames, and one session per client.

mod connection;
mod cursor;
mod evaluator;
pub(super) mod handshake;
mod logins;
mod server;
mod session;
pub(super) mod wire;

pub use server::{Engine, EngineError, EngineSettings, EngineStats};
