//! Notices that a database server is gone, which a changefeed does not by itself: the driver has no keep-alive, and a
//! feed without changes looks just like a feed whose server has vanished.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::{Connector, Session};
use super::error::StoreError;
use super::pool::Pool;

/// How often each server is asked for a sign of life.
const INTERVAL: Duration = Duration::from_secs(2);

/// How long it may take. A server that is this busy is given a second chance on a new session.
const LIMIT: Duration = Duration::from_secs(4);

/// Watches every host until `stop`. When one is gone, the feeds that hang on it end and the idle sessions are dropped.
///
/// The sessions are the watchdog's own: waiting for one of the pool would take much work for a dead server.
pub(super) fn spawn(connector: Arc<Connector>, pool: Pool, stop: CancellationToken) {
    for host in 0..connector.hosts() {
        let watch = watch(connector.clone(), host, pool.clone());
        let stop = stop.clone();
        tokio::spawn(async move { stop.run_until_cancelled(watch).await });
    }
}

async fn watch(connector: Arc<Connector>, host: usize, pool: Pool) {
    let mut session = None;
    let mut reachable = true;
    loop {
        sleep(INTERVAL).await;
        let error = match sign_of_life(&connector, host, &mut session).await {
            Ok(()) => {
                if !reachable {
                    log::info!("database server {} answers again", connector.address(host));
                }
                reachable = true;
                continue;
            }
            Err(error) => error,
        };
        connector.end_life(host);
        if reachable {
            log::warn!(
                "database server {} is gone: {error}",
                connector.address(host)
            );
            pool.clear();
        }
        reachable = false;
    }
}

/// Pings the server on the session at hand, and if that fails, on a new one.
async fn sign_of_life(
    connector: &Connector,
    host: usize,
    session: &mut Option<Session>,
) -> Result<(), StoreError> {
    if let Some(used) = session.take()
        && used.ping(LIMIT).await.is_ok()
    {
        *session = Some(used);
        return Ok(());
    }
    let new = connector.connect_to(host).await?;
    new.ping(LIMIT).await?;
    *session = Some(new);
    Ok(())
}
