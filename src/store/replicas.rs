//! The number of servers of a cluster that hold each table.

use reql::r;
use serde::Deserialize;
use serde_json::json;

use super::client::Pool;
use super::error::StoreError;
use super::tables::TABLES;

/// The part of RethinkDB's message about a table that is to have more replicas than there are servers
/// (`generate_config.cc`).
const TOO_FEW_SERVERS: &str = "more replicas of the data than there are servers";

/// A row of the system table `table_config`.
#[derive(Deserialize)]
struct TableConfig {
    name: String,
    shards: Vec<Shard>,
}

#[derive(Deserialize)]
struct Shard {
    replicas: Vec<String>,
    /// Those of `replicas` that are never the primary, and that no write waits for.
    #[serde(default)]
    nonvoting_replicas: Vec<String>,
}

impl TableConfig {
    /// The number of servers that hold every row and can become its primary.
    fn replicas(&self) -> usize {
        let voting = |shard: &Shard| {
            let nonvoting = shard.nonvoting_replicas.len();
            shard.replicas.len().saturating_sub(nonvoting)
        };
        self.shards.iter().map(voting).min().unwrap_or(0)
    }
}

/// Adds to the error of `table_create` what to do if there are too few servers.
pub(super) fn explain(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(message) if message.contains(TOO_FEW_SERVERS) => {
            StoreError::Unavailable(format!(
                "{message} Start the other servers with --join, or lower --replicas"
            ))
        }
        other => other,
    }
}

/// Warns if tables have fewer replicas than `wanted`, since the number applies only to tables that are created. Does
/// nothing if the user may not read the system tables.
pub(super) async fn warn_of_fewer(pool: &Pool, database: &str, wanted: u8) {
    if wanted < 2 {
        return;
    }
    let configs = r.db("rethinkdb").table("table_config");
    let configs = configs.filter(r.expr(json!({ "db": database })));
    match pool.query::<TableConfig>(configs).await {
        Ok(configs) => {
            let fewer = fewer(&configs, wanted);
            if !fewer.is_empty() {
                log::warn!(
                    "fewer replicas than --replicas {wanted}, which is for new tables: {}; raise it with \
                     r.db(\"{database}\").reconfigure({{shards: 1, replicas: {wanted}}})",
                    fewer.join(", ")
                );
            }
        }
        Err(error) => log::info!("the number of replicas is not known: {error}"),
    }
}

/// Our tables that have fewer replicas than `wanted`, each with its number.
fn fewer(configs: &[TableConfig], wanted: u8) -> Vec<String> {
    let mut fewer: Vec<String> = configs
        .iter()
        .filter(|config| TABLES.contains(&config.name.as_str()))
        .filter(|config| config.replicas() < usize::from(wanted))
        .map(|config| format!("{} has {}", config.name, config.replicas()))
        .collect();
    fewer.sort_unstable();
    fewer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, shards: serde_json::Value) -> TableConfig {
        serde_json::from_value(json!({ "name": name, "shards": shards })).unwrap()
    }

    #[test]
    fn a_table_has_as_many_replicas_as_its_shard_with_the_fewest_voting_ones() {
        let three = json!({ "replicas": ["a", "b", "c"], "nonvoting_replicas": [] });
        let two = json!({ "replicas": ["a", "b", "c"], "nonvoting_replicas": ["c"] });
        let configs = [
            config("placements", json!([three])),
            config("images", json!([three, two])),
            config("of_another_program", json!([two])),
        ];
        assert_eq!(fewer(&configs, 3), ["images has 2"]);
        assert!(fewer(&configs, 2).is_empty());
    }

    #[test]
    fn too_few_servers_are_explained() {
        let message = "Can't put 3 replicas on servers with the tag `default` because there are only 1 servers with the tag \
                       `default`. It's impossible to have more replicas of the data than there are servers.";
        let StoreError::Unavailable(explained) = explain(StoreError::Unavailable(message.into()))
        else {
            panic!("it would not be tried again")
        };
        assert!(explained.starts_with(message) && explained.ends_with("or lower --replicas"));
        let other = StoreError::Unavailable("Table `a.b` already exists.".into());
        assert_eq!(explain(other.clone()), other);
    }
}
