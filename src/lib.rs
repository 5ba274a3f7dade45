//! realtime-photo: a self-hosted, realtime image board on RethinkDB.

pub mod config;
pub mod engine;
pub mod image;
pub mod store;
