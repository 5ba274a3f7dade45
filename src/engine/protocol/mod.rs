//! RethinkDB's client protocol: the server, the handshake, the frames, and a session for each client.

mod connection;
mod cursor;
mod evaluator;
mod handshake;
mod server;
mod session;
mod wire;

pub use server::{Engine, EngineError, EngineSettings};
