//! realtime-photo: a self-hosted, realtime image board on RethinkDB.

pub mod engine;
pub mod image;
