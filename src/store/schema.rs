//! The database and its tables: made if they are missing, waited for if they are not ready.

use reql::{Command, r};
use serde_json::Value;

use super::error::StoreError;
use super::pool::Pool;

/// The table of the bytes: what is known about an image, and the image.
pub(super) const IMAGES: &str = "images";

/// The table that the board follows: what is known about an image, and where it lies.
pub(super) const PLACEMENTS: &str = "placements";

/// Makes what is missing and waits until all of it can be read and written.
///
/// Two servers may do this at once: whoever comes second finds the work done. A user who may not create anything can
/// still use a database that is complete.
pub(super) async fn ensure(pool: &Pool, database: &str) -> Result<(), StoreError> {
    let databases: Vec<String> = pool.value(r.db_list()).await?;
    if !databases.iter().any(|name| name == database) {
        create(pool, r.db_create(database)).await?;
    }
    let tables: Vec<String> = pool.value(r.db(database).table_list()).await?;
    for table in [IMAGES, PLACEMENTS] {
        if !tables.iter().any(|name| name == table) {
            create(pool, r.db(database).table_create(table)).await?;
        }
        pool.value::<Value>(r.wait(r.db(database).table(table)))
            .await?;
    }
    Ok(())
}

/// Runs a command that creates something; that it is there already is as good.
async fn create(pool: &Pool, command: Command) -> Result<(), StoreError> {
    match pool.value::<Value>(command).await {
        Ok(_) => Ok(()),
        // "Database `x` already exists.", "Table `x.y` already exists.": another server was faster, or our own first
        // attempt whose answer was lost.
        Err(StoreError::Unavailable(message)) if message.contains("already exists") => Ok(()),
        Err(error) => Err(error),
    }
}
