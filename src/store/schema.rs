//! The database and its tables: made if they are missing, waited for if they are not ready.

use std::time::Duration;

use reql::{Command, r};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::error::StoreError;
use super::pool::Pool;

/// The table of the bytes: what is known about an image, and the image.
pub(super) const IMAGES: &str = "images";

/// The table that the board follows: what is known about an image, and where it lies.
pub(super) const PLACEMENTS: &str = "placements";

/// How long to wait for other servers to take back a table that they made at the same time. They do it at once; one that
/// does not has had its table for longer than we have ours.
const RIVALS_LIMIT: Duration = Duration::from_secs(3);

/// How often to look.
const RIVALS_INTERVAL: Duration = Duration::from_millis(50);

/// Makes what is missing and waits until all of it can be read and written.
///
/// Several servers may do this at once. A user who may not create anything can still use a database that is complete.
pub(super) async fn ensure(pool: &Pool, database: &str) -> Result<(), StoreError> {
    let databases: Vec<String> = pool.value(r.db_list()).await?;
    if !databases.iter().any(|name| name == database) {
        create(pool, r.db_create(database)).await?;
    }
    let tables: Vec<String> = pool.value(r.db(database).table_list()).await?;
    for table in [IMAGES, PLACEMENTS] {
        let created = if tables.iter().any(|name| name == table) {
            None
        } else {
            create(pool, r.db(database).table_create(table)).await?
        };
        match (wait(pool, database, table).await, created) {
            (Err(error), Some(ours)) if is_ambiguous(&error) => {
                settle(pool, database, table, &ours).await?;
                wait(pool, database, table).await?;
            }
            (result, _) => result?,
        }
    }
    Ok(())
}

/// Runs a command that creates something. What the database reports of it, unless it was there already.
async fn create(pool: &Pool, command: Command) -> Result<Option<Value>, StoreError> {
    match pool.value(command).await {
        Ok(report) => Ok(Some(report)),
        // "Database `x` already exists.", "Table `x.y` already exists.": another server was faster, or our own first
        // attempt whose answer was lost.
        Err(StoreError::Unavailable(message)) if message.contains("already exists") => Ok(None),
        Err(error) => Err(error),
    }
}

async fn wait(pool: &Pool, database: &str, table: &str) -> Result<(), StoreError> {
    let ready = r.wait(r.db(database).table(table));
    pool.value::<Value>(ready).await.map(|_| ())
}

/// "Table `x.y` is ambiguous; there are multiple tables with that name."
fn is_ambiguous(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(message) if message.contains("is ambiguous"))
}

/// Takes back the table that we have just created, if another server created one of the same name at the same time.
/// RethinkDB lets that happen, and until only one of them is left, nobody can use any of them.
///
/// So nothing was ever written to a table that is dropped here: it is ours, and has been ambiguous since it was created.
/// Of several that are created at once the one with the smallest id stays. One that stays although ours is smaller has
/// been in use before.
async fn settle(pool: &Pool, database: &str, table: &str, ours: &Value) -> Result<(), StoreError> {
    let configs = || r.db("rethinkdb").table("table_config");
    let ours = ours["config_changes"][0]["new_val"]["id"].as_str();
    let ours = ours.unwrap_or_default();
    let deadline = Instant::now() + RIVALS_LIMIT;
    loop {
        let named = configs().filter(r.expr(json!({ "db": database, "name": table })));
        let named: Vec<Value> = pool.query(named.pluck(r.expr("id"))).await?;
        let ids: Vec<&str> = named.iter().filter_map(|row| row["id"].as_str()).collect();
        if ids.len() < 2 || !ids.contains(&ours) {
            return Ok(());
        }
        if ids.iter().any(|id| *id < ours) || Instant::now() >= deadline {
            log::info!(
                "another server created the table {table} at the same time; taking ours back"
            );
            let dropped = configs().get(ours).delete(());
            return pool.value::<Value>(dropped).await.map(|_| ());
        }
        sleep(RIVALS_INTERVAL).await;
    }
}
