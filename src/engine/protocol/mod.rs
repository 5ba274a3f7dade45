//! RethinkDB's client protocol: the server, the handshake, the frames, and one session per client.

mod connection;
mod cursor;
mod evaluator;
mod handshake;
mod logins;
mod server;
mod session;
mod wire;

pub use server::{Engine, EngineError, EngineSettings, EngineStats};
