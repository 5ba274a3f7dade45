//! Options of the database.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::ConfigError;
use crate::config::rethinkdb_url;
use crate::config::settings::{Database, EmbeddedSettings, Publish};
use crate::store::{ClusterSettings, Password};

/// The embedded engine with its data folder, or a RethinkDB.
#[derive(clap::Args)]
pub(super) struct DatabaseArguments {
    /// The folder in which the embedded engine keeps the photos; made if it is missing, and used by one process at a
    /// time. Not used with --rethinkdb
    #[arg(
        long,
        value_name = "DIR",
        env = "REALTIME_PHOTO_DATA",
        default_value = "./data",
        global = true
    )]
    pub(super) data: PathBuf,

    /// Keep the photos in this RethinkDB instead of the embedded engine:
    /// rethinkdb://[user[:password]@]host[:port][,host[:port]...][/database]. The hosts are tried in turn. User and
    /// password are percent-encoded, an IPv6 address stands in brackets. Without them: user admin, no password, port
    /// 28015, database realtime_photo, which is created if it is missing. A URL with a password is better given by the
    /// variable, since other users can read a command line
    #[arg(
        long,
        value_name = "URL",
        env = "RETHINKDB_URL",
        hide_env_values = true,
        global = true
    )]
    pub(super) rethinkdb: Option<String>,

    /// Keep each table that is created on this number of RethinkDB servers; 1 if not given. With three, the board goes
    /// on when one of them fails. Only with --rethinkdb
    #[arg(
        long,
        value_name = "NUMBER",
        env = "REALTIME_PHOTO_REPLICAS",
        value_parser = clap::value_parser!(u8).range(1..),
        global = true
    )]
    pub(super) replicas: Option<u8>,

    /// Let RethinkDB's drivers and tools (such as rethinkdb dump) connect to the embedded engine at this address, as
    /// user admin. Without it the engine listens on a random loopback port with a random password
    #[arg(long, value_name = "ADDR:PORT", env = "REALTIME_PHOTO_REQL_LISTEN")]
    pub(super) reql_listen: Option<SocketAddr>,

    /// The password for --reql-listen; it may be left out on loopback only. Better given by the variable, since other
    /// users can read a command line
    #[arg(
        long,
        value_name = "PASSWORD",
        env = "REQL_PASSWORD",
        hide_env_values = true
    )]
    pub(super) reql_password: Option<String>,
}

impl DatabaseArguments {
    /// The same, for a subcommand, which never lets others connect.
    pub(super) fn without_publication(self) -> Self {
        Self {
            reql_listen: None,
            ..self
        }
    }
}

impl TryFrom<DatabaseArguments> for Database {
    type Error = ConfigError;

    fn try_from(arguments: DatabaseArguments) -> Result<Self, ConfigError> {
        let password = Password::from(arguments.reql_password.unwrap_or_default());
        match (arguments.rethinkdb, arguments.reql_listen) {
            (Some(_), Some(_)) => Err(ConfigError::PublishedCluster),
            (Some(url), None) => Ok(Self::Cluster(ClusterSettings {
                replicas: arguments.replicas.unwrap_or(1),
                ..rethinkdb_url::parse(&url)?
            })),
            (None, _) if arguments.replicas.is_some_and(|replicas| replicas > 1) => {
                Err(ConfigError::EmbeddedReplicas)
            }
            (None, listen) => Ok(Self::Embedded(EmbeddedSettings {
                data: arguments.data,
                publish: listen.map(|listen| publish(listen, password)).transpose()?,
            })),
        }
    }
}

fn publish(listen: SocketAddr, password: Password) -> Result<Publish, ConfigError> {
    if password.is_empty() && !listen.ip().to_canonical().is_loopback() {
        return Err(ConfigError::PasswordMissing(listen));
    }
    Ok(Publish { listen, password })
}
