//! A changefeed that the driver reads and parses: the least that a program with this driver can do.

use std::net::SocketAddr;

use futures::stream::{BoxStream, StreamExt as _};
use reql::cmd::connect::Options;
use reql::{Command, r};
use serde_json::Value;

/// A changefeed on a session of its own.
pub(crate) struct DriverFeed(BoxStream<'static, reql::Result<Value>>);

/// The rows of the main board, as the sessions of viewers follow them.
pub(crate) fn board(database: &str) -> Command {
    let options = reql::cmd::get_all::Options::new().index("board");
    let placements = r.db(database).table("placements");
    placements.get_all(r.args(("main", options)))
}

/// All images with their files.
pub(crate) fn images(database: &str) -> Command {
    r.db(database).table("images")
}

impl DriverFeed {
    /// Opens a changefeed of `rows` without initial values, and waits until it is open.
    pub(crate) async fn open(address: SocketAddr, rows: Command) -> Self {
        let host = Options::new()
            .host(address.ip().to_string())
            .port(address.port())
            .password("");
        let session = r.connect(host).await.unwrap();
        let changes = reql::cmd::changes::Options::new()
            .include_states(true)
            .include_types(true)
            .changefeed_queue_size(1000_u32);
        let changes = rows.changes(changes);
        let mut elements = async_stream::stream! {
            let mut elements = changes.run::<_, Value>(&session);
            while let Some(element) = elements.next().await {
                yield element;
            }
        }
        .boxed();
        let first = elements.next().await.unwrap().unwrap();
        assert_eq!(first["state"], "ready", "{first}");
        Self(elements)
    }

    /// Reads the next element.
    pub(crate) async fn read(&mut self) -> Value {
        self.0.next().await.unwrap().unwrap()
    }
}
