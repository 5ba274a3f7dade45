//! The database of a server: the embedded engine, or a cluster of RethinkDB.

use std::path::PathBuf;

use super::error::StartupError;
use super::{embedded, metrics};
use crate::config::Database;
use crate::engine::Engine;
use crate::metrics::{Registry, own};
use crate::store::ClusterSettings;

/// A database that can be connected to.
pub(super) struct StartedDatabase {
    /// `None` if it is a cluster.
    pub(super) engine: Option<Engine>,
    pub(super) cluster: ClusterSettings,
    /// Its name in messages.
    pub(super) description: String,
    /// The folder of the embedded engine.
    pub(super) data_folder: Option<PathBuf>,
}

impl StartedDatabase {
    /// Starts the database if it is the embedded one. `registry` gets its metrics.
    ///
    /// # Errors
    ///
    /// If the data folder or the address cannot be used.
    pub(super) async fn start(
        settings: &Database,
        registry: &mut Registry,
    ) -> Result<Self, StartupError> {
        let started = match settings {
            Database::Embedded(embedded) => {
                let data = embedded.data.clone();
                let (engine, cluster) = embedded::start(embedded.clone()).await?;
                metrics::register_engine(own(registry), &engine, data.clone());
                Self {
                    engine: Some(engine),
                    cluster,
                    description: format!("the embedded engine in {}", data.display()),
                    data_folder: Some(data),
                }
            }
            Database::Cluster(cluster) => Self {
                engine: None,
                cluster: cluster.clone(),
                description: describe(cluster),
                data_folder: None,
            },
        };
        log::info!("the database is {}", started.description);
        Ok(started)
    }
}

fn describe(cluster: &ClusterSettings) -> String {
    let hosts: Vec<String> = cluster.hosts.iter().map(ToString::to_string).collect();
    format!(
        "RethinkDB at {}, database {}",
        hosts.join(", "),
        cluster.database
    )
}
