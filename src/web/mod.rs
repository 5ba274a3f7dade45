//! HTTP and WebSocket for browsers and scripts.
//!
//! `app` makes the server and lists every route. Each area (`images`, `uploads`, `sockets`, `archive`, `invite`) has a `configuration`
//! function that makes the data of its handlers. `http` holds what all areas use and knows none of them.

mod app;
mod archive;
mod health;
mod http;
mod images;
mod invite;
mod pages;
mod record_json;
mod settings;
mod sockets;
mod uploads;

pub use app::server;
pub use settings::Settings;
