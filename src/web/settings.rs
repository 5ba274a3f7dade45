//! Settings of the web server.

use std::path::PathBuf;
use std::time::Duration;

use super::access::AccessPolicy;
use super::http::client_address::TrustedProxies;
use super::http::embedding::EmbeddingOrigin;
use super::http::public_url::PublicUrl;
use super::upload_folder::UploadFolder;
use crate::image::{Limits, Metadata};

/// Limits and timeouts of the web server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The URL at which other devices can open the board; `None` if the server listens on loopback only.
    pub address: Option<String>,
    /// The certificate for HTTPS; `None` for HTTP.
    pub tls: Option<rustls::ServerConfig>,
    /// The address under which a proxy publishes the server, if one does.
    pub public_url: Option<PublicUrl>,
    /// The web sites that may show the pages in a frame.
    pub embedding: Vec<EmbeddingOrigin>,
    /// The proxies that are believed when they name the client of a request.
    pub trusted_proxies: TrustedProxies,
    /// The rule for who needs a link.
    pub access: AccessPolicy,
    /// The size limit of an uploaded image, in bytes.
    pub max_upload: u64,
    /// The pixel limit (width × height) of an uploaded image.
    pub max_pixels: u64,
    /// The memory for uploads that are being processed, in bytes.
    pub upload_memory: u64,
    /// The folder for uploads that are being received.
    pub upload_folder: UploadFolder,
    /// The folder of the embedded engine, whose disk has to have room for the images; `None` with another database.
    pub data_folder: Option<PathBuf>,
    /// Images keep or lose their metadata, such as EXIF.
    pub metadata: Metadata,
    /// The interval between pings on a socket. A session ends when two pings stay unanswered.
    pub heartbeat_interval: Duration,
    /// The time after which a viewer that reads none of its pending messages is disconnected.
    pub session_read_timeout: Duration,
    /// The time after which a client that reads none of the image it requested is disconnected.
    pub download_read_timeout: Duration,
    /// The time that requests have to end when the server stops, in whole seconds. Sockets are closed at once.
    pub shutdown_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: None,
            tls: None,
            public_url: None,
            embedding: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            access: AccessPolicy::Open,
            max_upload: 16 << 20,
            max_pixels: Limits::default().max_pixels,
            upload_memory: 256 << 20,
            upload_folder: UploadFolder::of_system(),
            data_folder: None,
            metadata: Metadata::Remove,
            heartbeat_interval: Duration::from_secs(30),
            session_read_timeout: Duration::from_secs(10),
            download_read_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(5),
        }
    }
}
