//! HTTP and WebSocket for browsers and scripts.
//!
//! `app` makes the server and lists every route. `access` checks every request before its handler runs. Each area
//! (`images`, `uploads`, `sockets`, `archive`, `invite`, `boards`) has a `configuration` function that makes the data
//! of its handlers, unless other areas make it. `http` holds what all areas use and knows none of them.

mod access;
mod app;
mod archive;
mod backup;
mod board_json;
mod boards;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod health;
mod http;
mod image_threads;
mod images;
mod invite;
mod pages;
mod record_json;
mod settings;
mod sockets;
mod upload_folder;
mod uploads;

pub use access::AccessPolicy;
pub use app::server;
pub use http::client_address::TrustedProxies;
pub use http::embedding::EmbeddingOrigin;
pub use http::public_url::PublicUrl;
pub use http::request_id::RequestId;
pub use settings::Settings;
pub use upload_folder::UploadFolder;
