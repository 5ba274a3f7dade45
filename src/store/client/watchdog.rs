//! Detection of lost servers. The driver has no keep-alive, so an idle changefeed cannot tell a quiet server from one
//! that has vanished.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::connection::{Connector, Session};
use super::pool::Pool;
use crate::store::error::StoreError;

/// Pause between two pings of a server.
const PING_INTERVAL: Duration = Duration::from_secs(2);

/// Time limit for a ping. A server that exceeds it is pinged once more on a new session.
const PING_TIMEOUT: Duration = Duration::from_secs(4);

/// Pings every server from now until `shutdown`. When one is lost, its changefeeds end and the idle sessions of the
/// pool are dropped.
///
/// The watchdog uses sessions of its own: one from the pool might have to wait for queries to the lost server.
pub(crate) fn spawn(connector: Arc<Connector>, pool: Pool, shutdown: CancellationToken) {
    for host in 0..connector.host_count() {
        let watch = watch(connector.clone(), host, pool.clone());
        let shutdown = shutdown.clone();
        tokio::spawn(async move { shutdown.run_until_cancelled(watch).await });
    }
}

async fn watch(connector: Arc<Connector>, host: usize, pool: Pool) {
    let mut session = None;
    let mut reachable = true;
    loop {
        match ping(&connector, host, &mut session).await {
            Ok(()) => {
                if !reachable {
                    log::info!(
                        "database server {} is reachable again",
                        connector.address(host)
                    );
                }
                reachable = true;
            }
            Err(error) => {
                // Also while the server stays lost: a feed may have connected between two pings.
                connector.end_feeds(host);
                if reachable {
                    log::warn!("lost database server {}: {error}", connector.address(host));
                    pool.clear();
                }
                reachable = false;
            }
        }
        sleep(PING_INTERVAL).await;
    }
}

/// Pings the server on `session`, or on a new session if there is none or the ping fails.
async fn ping(
    connector: &Connector,
    host: usize,
    session: &mut Option<Session>,
) -> Result<(), StoreError> {
    if let Some(used) = session.take()
        && used.ping(PING_TIMEOUT).await.is_ok()
    {
        *session = Some(used);
        return Ok(());
    }
    let new = connector.connect_to(host).await?;
    new.ping(PING_TIMEOUT).await?;
    *session = Some(new);
    Ok(())
}
