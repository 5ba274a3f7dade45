//! Creation of the database and its tables.

use std::time::Duration;

use reql::cmd::table_create::{self, Replicas};
use reql::cmd::{Durability, delete, get_all};
use reql::types::WriteStatus;
use reql::{Command, Func, func, r};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::client::Pool;
use super::error::StoreError;
use super::replicas;
use super::rows::board_of;
use super::tables::{BOARD_INDEX, IMAGES, PLACEMENTS, TABLES, TIMELINE_INDEX};

/// The key of no row in any table.
const NO_KEY: &str = "";

/// Time to wait for other servers to drop a table that they created at the same time. They do so at once; a table that
/// remains is older than ours.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(3);

/// Pause between two looks at the tables.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);

/// Creates the database and its tables if they are missing, each with this number of replicas, and waits until the
/// tables and their indexes can be read and written. Tables that exist keep their replicas.
///
/// Safe to run on several servers at once. Needs no permission to create anything if nothing is missing.
///
/// # Errors
///
/// [`StoreError::Unavailable`] if a table cannot be written yet, or if fewer servers than replicas are connected: they
/// may be starting.
pub(super) async fn ensure(pool: &Pool, database: &str, replicas: u8) -> Result<(), StoreError> {
    let databases: Vec<String> = pool.value(r.db_list()).await?;
    if !databases.iter().any(|name| name == database) {
        create(pool, r.db_create(database)).await?;
    }
    let tables: Vec<String> = pool.value(r.db(database).table_list()).await?;
    for table in TABLES {
        let created = if tables.iter().any(|name| name == table) {
            None
        } else {
            let options = table_create::Options::new().replicas(Replicas::Int(replicas));
            let command = r.db(database).table_create(r.args((table, options)));
            create(pool, command).await.map_err(replicas::explain)?
        };
        match (check_writable(pool, database, table).await, created) {
            (Err(error), Some(ours)) if is_ambiguous(&error) => {
                settle(pool, database, table, &ours).await?;
                check_writable(pool, database, table).await?;
            }
            (result, _) => result?,
        }
    }
    let (images, placements) = (
        r.db(database).table(IMAGES),
        r.db(database).table(PLACEMENTS),
    );
    ensure_index(pool, &images, BOARD_INDEX, func!(|row| board_of(row))).await?;
    ensure_index(pool, &placements, BOARD_INDEX, func!(|row| board_of(row))).await?;
    let timeline = func!(|row| Command::from([
        board_of(row.clone()),
        row.clone().get_field("createdAt"),
        row.get_field("id"),
    ]));
    ensure_index(pool, &placements, TIMELINE_INDEX, timeline).await
}

/// Creates a secondary index if it is missing, and waits until it can be used. A large table of an earlier release
/// takes a while.
async fn ensure_index(
    pool: &Pool,
    table: &Command,
    name: &'static str,
    function: Func,
) -> Result<(), StoreError> {
    let indexes: Vec<String> = pool.value(table.clone().index_list()).await?;
    if !indexes.iter().any(|index| index == name) {
        // "Index `x` already exists on table `y.z`.": created by another server.
        create(pool, table.clone().index_create(r.args((name, function)))).await?;
    }
    let mut has_reported = false;
    loop {
        // The driver has no `index_wait`. A query that finds nothing tells as much.
        let options = get_all::Options::new().index(name);
        let none = r.count(table.clone().get_all(r.args(("", options))));
        match pool.value::<u64>(none).await {
            Ok(_) => return Ok(()),
            // "Index `x` on table `y.z` was accessed before its construction was finished."
            Err(StoreError::Refused(message) | StoreError::Unavailable(message))
                if message.contains("before its construction") =>
            {
                if !std::mem::replace(&mut has_reported, true) {
                    log::info!("the index {name} is being built");
                }
                sleep(SETTLE_INTERVAL).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Runs a command that creates a database or table. Returns its report, or `None` if it existed already.
async fn create(pool: &Pool, command: Command) -> Result<Option<Value>, StoreError> {
    match pool.value(command).await {
        Ok(report) => Ok(Some(report)),
        // "Database `x` already exists.", "Table `x.y` already exists.": created by another server, or by a first
        // attempt of ours whose answer was lost.
        Err(StoreError::Unavailable(message)) if message.contains("already exists") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Checks that a table can be written, by deleting a row that it does not have.
///
/// The driver's `wait` has no options, and waits for all replicas: with it no server could start while one server of
/// the cluster is down.
async fn check_writable(pool: &Pool, database: &str, table: &str) -> Result<(), StoreError> {
    let soft = delete::Options::new().durability(Durability::Soft);
    let command = r.db(database).table(table).get(NO_KEY).delete(soft);
    let status: WriteStatus = pool.value(command).await?;
    match status.first_error {
        Some(message) => Err(StoreError::Unavailable(message)),
        None => Ok(()),
    }
}

/// Matches "Table `x.y` is ambiguous; there are multiple tables with that name."
fn is_ambiguous(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(message) if message.contains("is ambiguous"))
}

/// Drops the table that this server has just created if another server created one of the same name at the same time.
/// RethinkDB permits that, and none of them can be used until only one is left.
///
/// The table with the smallest id stays, and so does an older one that its creator does not drop. No data can be lost:
/// the dropped table is the one created here, and it was ambiguous, so not writable, from the start.
async fn settle(pool: &Pool, database: &str, table: &str, ours: &Value) -> Result<(), StoreError> {
    let configs = || r.db("rethinkdb").table("table_config");
    let ours = ours["config_changes"][0]["new_val"]["id"].as_str();
    let ours = ours.unwrap_or_default();
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    loop {
        let named = configs().filter(r.expr(json!({ "db": database, "name": table })));
        let named: Vec<Value> = pool.query(named.pluck(r.expr("id"))).await?;
        let ids: Vec<&str> = named.iter().filter_map(|row| row["id"].as_str()).collect();
        if ids.len() < 2 || !ids.contains(&ours) {
            return Ok(());
        }
        if ids.iter().any(|id| *id < ours) || Instant::now() >= deadline {
            log::info!("another server created the table {table} at the same time; dropping ours");
            let dropped = configs().get(ours).delete(());
            return pool.value::<Value>(dropped).await.map(|_| ());
        }
        sleep(SETTLE_INTERVAL).await;
    }
}
