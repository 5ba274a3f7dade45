//! What is wrong with a combination of arguments.

use std::net::SocketAddr;

use crate::config::rethinkdb_url::InvalidUrl;

/// An error in the combination of arguments. No message contains a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `--rethinkdb` is not a valid URL.
    #[error("the URL given by --rethinkdb (or RETHINKDB_URL) is not usable: {0}")]
    Url(#[from] InvalidUrl),
    /// `--reql-listen` without an embedded engine.
    #[error(
        "--reql-listen publishes the embedded engine, which --rethinkdb replaces: give one of them"
    )]
    PublishedCluster,
    /// `--reql-listen` on a network without a password: anyone there could read and delete everything.
    #[error(
        "--reql-listen {0} can be reached from other machines and needs a password: set REQL_PASSWORD or --reql-password"
    )]
    PasswordMissing(SocketAddr),
    /// `--open` with `--admin-token`.
    #[error("--open lets everybody do everything, so --admin-token has no use: give one of them")]
    OpenWithToken,
    /// `--replicas` without a cluster.
    #[error(
        "--replicas needs a cluster: the embedded engine is one server. Give --rethinkdb, or leave it out"
    )]
    EmbeddedReplicas,
}
