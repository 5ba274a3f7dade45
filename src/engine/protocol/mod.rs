//! RethinkDB's client protocol: the listening server, the handshake, the frames, and the sessions of its clients.

mod cursor;
mod handshake;
mod server;
mod session;
mod wire;

pub use server::{Engine, EngineError, EngineSettings};
