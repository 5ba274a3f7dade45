//! The reasons that the server cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::engine::EngineError;
use crate::store::StoreError;

/// The reason that the server cannot start, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// Someone else listens there.
    #[error(
        "the address {0} is in use: another server may be running; choose another address with --listen"
    )]
    AddressInUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The data folder, or the address at which the engine is published.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The certificate for HTTPS cannot be used.
    #[error("cannot serve HTTPS with {}: {reason}", certificate.display())]
    Tls {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The problem with it or its key.
        reason: String,
    },
    /// The folder for uploads cannot be used.
    #[error("cannot keep uploads in {}: {error}; choose another folder with --upload-dir", folder.display())]
    UploadFolder {
        /// The folder.
        folder: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The database cannot be used.
    #[error("cannot use {0}: {1}")]
    Database(String, StoreError),
    /// The web server's threads or a task of ours.
    #[error("cannot start the web server: {0}")]
    Server(#[from] io::Error),
}
