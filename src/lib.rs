//! realtime-photo: a self-hosted, realtime image board on RethinkDB.

pub mod config;
mod disk;
pub mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod image;
pub mod maintenance;
pub mod metrics;
pub mod startup;
pub mod store;
pub mod web;
