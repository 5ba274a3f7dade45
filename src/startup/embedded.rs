//! Start and end of the embedded engine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::error::StartupError;
use crate::config::EmbeddedSettings;
use crate::engine::{Engine, EngineSettings};
use crate::store::{ClusterSettings, DEFAULT_PORT};

/// Time limit for the embedded engine to write what is pending. With the limit of the web server it stays below ten
/// seconds.
const ENGINE_STOP_LIMIT: Duration = Duration::from_secs(3);

/// Time limit for the search for a RethinkDB on this machine that the user may have meant.
const LOOK_LIMIT: Duration = Duration::from_millis(200);

/// Ends the embedded engine, which writes what is pending.
pub(super) async fn close(engine: Option<Engine>) {
    let Some(engine) = engine else { return };
    // It has a runtime of its own, which must not be dropped on this one's threads.
    let closed = spawn_blocking(move || engine.shutdown());
    if timeout(ENGINE_STOP_LIMIT, closed).await.is_err() {
        log::warn!("the embedded engine is still writing; what was acknowledged is safe");
    }
}

/// Starts the embedded engine. Returns it with the settings to connect to it.
///
/// # Errors
/// If its folder or the address at which it is published cannot be used.
pub(super) async fn start(
    settings: EmbeddedSettings,
) -> Result<(Engine, ClusterSettings), StartupError> {
    let look = spawn_blocking(look_for_rethinkdb);
    if look.await.unwrap_or_default() {
        log::warn!(
            "something answers on 127.0.0.1:{DEFAULT_PORT}, perhaps a RethinkDB, but the embedded engine is used; \
             --rethinkdb rethinkdb://127.0.0.1 would use the other"
        );
    }
    let published = settings.publish.is_some();
    let (listen, password) = match settings.publish {
        Some(publish) => (publish.listen, Some(publish.password.reveal().to_owned())),
        None => ((Ipv4Addr::LOCALHOST, 0).into(), None),
    };
    let engine_settings = EngineSettings {
        data_dir: settings.data,
        listen,
        password,
    };
    let engine = spawn_blocking(|| Engine::start(engine_settings))
        .await
        .map_err(io::Error::other)??;
    if published {
        let address = engine.address();
        log::info!(
            "the embedded engine can be reached at {address} by RethinkDB's drivers and tools"
        );
    }
    let own = engine.own_address();
    let mut cluster = ClusterSettings::new(own.ip().to_string(), own.port());
    cluster.password = engine.own_password().to_owned().into();
    Ok((engine, cluster))
}

/// Returns true if something listens on the default port of RethinkDB.
fn look_for_rethinkdb() -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
    TcpStream::connect_timeout(&address, LOOK_LIMIT).is_ok()
}
