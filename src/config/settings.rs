//! The validated settings.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::image::Metadata;
use crate::store::{BoardLimits, ClusterSettings, Password, Token};
use crate::web::{EmbeddingOrigin, PublicUrl, TrustedProxies};

/// The task of the program.
#[derive(Debug, Clone)]
pub enum Task {
    /// Run the server.
    Serve(Box<Settings>),
    /// Check a data folder.
    Check {
        /// The folder.
        data: PathBuf,
    },
    /// Compact a data folder.
    Compact {
        /// The folder.
        data: PathBuf,
    },
    /// Fetch a backup.
    Backup {
        /// The file to write.
        file: PathBuf,
        /// The address of the server.
        server: String,
        /// The token of its administrator.
        token: Option<Token>,
    },
    /// Ask a running server if it is ready.
    Health {
        /// The address of the server.
        server: String,
    },
    /// Write the manual pages.
    Manual {
        /// The folder, which exists.
        folder: PathBuf,
    },
    /// Write the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Restore a backup.
    Restore {
        /// The file to read.
        file: PathBuf,
        /// The database to restore it to.
        database: Database,
    },
}

/// The validated settings of the program. `Debug` hides passwords.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address of the web server; port 0 means any free port.
    pub listen: SocketAddr,
    /// The address of `/metrics`, if there is to be one.
    pub metrics_listen: Option<SocketAddr>,
    /// The form of the lines in the log.
    pub log_format: LogFormat,
    /// The certificate for HTTPS; `None` for HTTP.
    pub tls: Option<TlsFiles>,
    /// The address under which a proxy publishes the server, if one does.
    pub public_url: Option<PublicUrl>,
    /// The web sites that may show the pages in a frame.
    pub embedding: Vec<EmbeddingOrigin>,
    /// The proxies that are believed when they name the client of a request.
    pub trusted_proxies: TrustedProxies,
    /// The database.
    pub database: Database,
    /// The rule for who needs a link.
    pub access: Access,
    /// The size limit of an uploaded image, in bytes.
    pub max_upload: u64,
    /// The pixel limit (width × height) of an uploaded image.
    pub max_pixels: u64,
    /// The limits of each board.
    pub board_limits: BoardLimits,
    /// The memory for uploads that are being processed, in bytes.
    pub upload_memory: u64,
    /// The folder for uploads that are being received; `None` for one in the data folder, or with a cluster for that of
    /// the system.
    pub upload_dir: Option<PathBuf>,
    /// The time during which a delete can be undone.
    pub undo_window: Duration,
    /// Images keep or lose their metadata, such as EXIF.
    pub metadata: Metadata,
}

/// The form of the lines in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// The files of a certificate, in PEM format.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The permissions of clients without a link.
#[derive(Debug, Clone)]
pub enum Access {
    /// Everybody, everything, if the address is one of loopback and no proxy publishes it; nobody anything otherwise.
    ByAddress,
    /// Everybody, everything.
    Open,
    /// Nobody anything. The token is that of the operator.
    Links(Token),
}

/// The database. The choice is explicit: falling back from one to the other would split the data.
#[derive(Debug, Clone)]
pub enum Database {
    /// The engine in this process.
    Embedded(EmbeddedSettings),
    /// A RethinkDB cluster.
    Cluster(ClusterSettings),
}

/// Settings of the embedded engine.
#[derive(Debug, Clone)]
pub struct EmbeddedSettings {
    /// The folder of its tables, created if missing.
    pub data: PathBuf,
    /// The published address for RethinkDB drivers and tools, if any.
    pub publish: Option<Publish>,
}

/// Publication of the embedded engine.
#[derive(Debug, Clone)]
pub struct Publish {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The password of the user `admin`. Empty only on loopback.
    pub password: Password,
}
