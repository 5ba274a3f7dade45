//! HTTP and WebSocket: what browsers and scripts talk to.

mod app;
mod archive;
mod health;
mod http;
mod images;
mod pages;
mod record;
mod sockets;
mod state;
mod uploads;

pub use app::server;
pub use state::Settings;
