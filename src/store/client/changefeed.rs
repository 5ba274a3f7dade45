//! Changefeeds: one session each, because the driver locks a session for as long as its feed is open.

use std::time::Duration;

use async_stream::stream;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use reql::Command;
use reql::cmd::changes;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::connection::{Connector, timed_out};
use crate::store::error::StoreError;

/// Time limit for the first element of a feed. With `include_states` the server sends it at once.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// One element of a changefeed: a state, a change, or an error.
///
/// `reql::types::Change` has no field `error`, so it reads a queue overflow as a change without values.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Element {
    #[serde(default)]
    pub(crate) old_val: Value,
    #[serde(default)]
    pub(crate) new_val: Value,
    /// `initializing` or `ready`.
    pub(crate) state: Option<String>,
    /// The server's message, such as "Changefeed cache over array size limit, skipped 18 elements."
    pub(crate) error: Option<String>,
}

impl Element {
    /// Returns `true` if this is the state `ready`: every initial value has been sent.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.as_deref() == Some("ready")
    }
}

/// Options that every feed uses. The server keeps at most `queue_size` unread changes; on overflow it drops all of them
/// and sends an error.
pub(crate) fn changefeed_options(queue_size: u32) -> changes::Options {
    changes::Options::new()
        .include_states(true)
        .include_types(true)
        .changefeed_queue_size(queue_size)
}

impl Connector {
    /// Opens a changefeed on a session of its own and waits for the first element.
    ///
    /// The stream has no end: it yields an error when the feed or its server is lost, and must not be polled
    /// after that. Polling is cancellation safe. Dropping the stream closes the connection.
    ///
    /// # Errors
    ///
    /// If no server accepts the session, the query is refused, or the first element does not arrive in time.
    pub(crate) async fn changefeed(
        &self,
        changes: Command,
    ) -> Result<BoxStream<'static, Result<Element, StoreError>>, StoreError> {
        let (session, server_lost) = self.connect_for_feed().await?.into_parts();
        let metrics = self.metrics.clone();
        let mut elements = stream! {
            let mut elements = changes.run::<_, Element>(&session);
            loop {
                tokio::select! {
                    element = elements.next() => match element {
                        Some(Ok(element)) => yield Ok(element),
                        Some(Err(error)) => yield Err(StoreError::from(error).into_feed_ended()),
                        None => yield Err(StoreError::FeedEnded("the server closed it".to_owned())),
                    },
                    () = server_lost.cancelled() => {
                        yield Err(StoreError::FeedEnded("the database server is gone".to_owned()));
                    }
                }
            }
        }
        .inspect(move |element| {
            if let Err(error) = element {
                metrics.error(error);
            }
        })
        .boxed();
        let first = timeout(OPEN_TIMEOUT, elements.next()).await;
        let first = first.map_err(|_| timed_out(OPEN_TIMEOUT))?;
        let first = first.expect("the stream is endless")?;
        Ok(stream::iter([Ok(first)]).chain(elements).boxed())
    }
}
