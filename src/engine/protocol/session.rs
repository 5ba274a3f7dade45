//! One client and its queries, which may run concurrently.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::future::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection::{self, ConnectionError, Door, FrameReader, FrameWriter};
use super::cursor::{Cursor, Response};
use super::evaluator::Evaluator;
use super::wire::{self, Frame, MAX_QUERY_BYTES, Query, Start};
use crate::engine::error::{ErrorKind, ReqlError};

/// The most queries of one client that are evaluated or answered at once; further ones wait. It also bounds the memory
/// for a client that does not read: one response of about a batch for each.
const MAX_CONCURRENT_QUERIES: usize = 32;

/// The most queries that one client may have open.
const MAX_OPEN_QUERIES: usize = 4096;

/// The server's state, shared by all sessions.
pub(crate) struct ServerState {
    pub(crate) evaluator: Evaluator,
    pub(crate) shutdown: CancellationToken,
}

/// Serves one client until it hangs up or the server shuts down.
///
/// # Errors
/// The reason why the connection was closed, for the log. It has been sent to the client if possible.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    door: &Door,
    server: Arc<ServerState>,
) -> Result<(), ConnectionError> {
    let shutdown = server.shutdown.clone();
    let authenticated = tokio::select! {
        authenticated = connection::authenticate(stream, peer, door) => authenticated,
        () = shutdown.cancelled() => return Ok(()),
    };
    let (reader, writer) = authenticated?;
    let session = Arc::new(Session::new(writer, server));
    // Dropping this ends every task of the session, however the function returns.
    let _closed = session.closed.clone().drop_guard();
    tokio::select! {
        ended = session.run(reader) => ended,
        () = shutdown.cancelled() => Ok(()),
    }
}

/// An authenticated client.
struct Session {
    server: Arc<ServerState>,
    /// Locked for a whole frame, across its writes to the socket.
    writer: tokio::sync::Mutex<FrameWriter>,
    cursors: Mutex<HashMap<i64, Arc<Cursor>>>,
    permits: Arc<Semaphore>,
    /// The running `noreply` queries.
    noreply: TaskTracker,
    closed: CancellationToken,
}

impl Session {
    fn new(writer: FrameWriter, server: Arc<ServerState>) -> Self {
        Self {
            server,
            writer: tokio::sync::Mutex::new(writer),
            cursors: Mutex::default(),
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_QUERIES)),
            noreply: TaskTracker::new(),
            closed: CancellationToken::new(),
        }
    }

    async fn run(self: &Arc<Self>, mut reader: FrameReader) -> Result<(), ConnectionError> {
        let ended = self.read_queries(&mut reader).await;
        // An evaluation blocks its thread and does not notice the end of its task.
        for cursor in self.cursors().values() {
            cursor.interrupt();
        }
        ended
    }

    async fn read_queries(
        self: &Arc<Self>,
        reader: &mut FrameReader,
    ) -> Result<(), ConnectionError> {
        loop {
            let (token, body) = match reader.read().await {
                Ok(Some(query)) => query,
                Ok(None) => return Ok(()),
                Err(error) => {
                    if let ConnectionError::QueryTooLong { token, length } = error {
                        self.send_error(token, query_too_long(length)).await?;
                    }
                    return Err(error);
                }
            };
            match wire::parse_query(&body) {
                Ok(query) => {
                    // The body may hold an image, of which the parsed query has its own copy.
                    drop(body);
                    self.handle(token, query).await?;
                }
                Err(error) => self.send_error(token, error).await?,
            }
        }
    }

    async fn handle(self: &Arc<Self>, token: i64, query: Query) -> Result<(), ConnectionError> {
        match query {
            Query::Start(start) => self.start(token, start).await,
            Query::Continue => self.resume(token).await,
            Query::Stop => self.stop(token).await,
            Query::NoreplyWait => {
                self.wait_for_noreply(token);
                Ok(())
            }
            Query::ServerInfo => {
                let context = self.server.evaluator.context();
                let (id, name) = (&context.server_id, &context.server_name);
                self.send(Frame::server_info(token, id, name)).await
            }
        }
    }

    async fn start(self: &Arc<Self>, token: i64, start: Start) -> Result<(), ConnectionError> {
        let cursor = Arc::new(Cursor::new(token));
        if let Err(error) = self.open(&cursor) {
            return self.send_error(token, error).await;
        }
        let noreply = start.noreply;
        let session = Arc::clone(self);
        let query = self.until_closed(async move {
            // Acquired in the task, so that a client with too many queries can still send a STOP.
            let _permit = session.permit().await;
            let response = cursor.start(&session.server.evaluator, start).await;
            if noreply {
                session.close(&cursor);
            } else {
                session.respond(&cursor, response).await;
            }
        });
        // In its own task, because the reader must react to a STOP and to the end of the connection in the meantime.
        match noreply {
            true => drop(self.noreply.spawn(query)),
            false => drop(tokio::spawn(query)),
        }
        Ok(())
    }

    /// Registers a query under its token (golden: `a_live_token_used_twice_is_refused`).
    fn open(&self, cursor: &Arc<Cursor>) -> Result<(), ReqlError> {
        let token = cursor.token();
        let mut cursors = self.cursors();
        if cursors.contains_key(&token) {
            let message = format!("ERROR: duplicate token {token}");
            return Err(ReqlError::new(ErrorKind::Client, message));
        }
        if cursors.len() == MAX_OPEN_QUERIES {
            let message = format!("The connection already has {MAX_OPEN_QUERIES} open queries.");
            return Err(ReqlError::new(ErrorKind::ResourceLimit, message));
        }
        cursors.insert(token, Arc::clone(cursor));
        Ok(())
    }

    async fn resume(self: &Arc<Self>, token: i64) -> Result<(), ConnectionError> {
        let Some(cursor) = self.find(token) else {
            return self.send_error(token, not_found(token)).await;
        };
        let Some(pending) = cursor.register_continue() else {
            return Err(ConnectionError::Protocol("too many CONTINUE for one query"));
        };
        let session = Arc::clone(self);
        tokio::spawn(self.until_closed(async move {
            loop {
                cursor.wait_until_ready().await;
                // Acquired after the wait, so that idle feeds hold no permit.
                let _permit = session.permit().await;
                if let Some(response) = cursor.resume(&session.server.evaluator).await {
                    session.respond(&cursor, response).await;
                    break;
                }
            }
            drop(pending);
        }));
        Ok(())
    }

    async fn stop(self: &Arc<Self>, token: i64) -> Result<(), ConnectionError> {
        let Some(cursor) = self.cursors().remove(&token) else {
            return self.send_error(token, not_found(token)).await;
        };
        cursor.interrupt();
        let session = Arc::clone(self);
        tokio::spawn(self.until_closed(async move {
            // A pending CONTINUE is answered first (golden: `stop_while_continue_waits_answers_both`).
            cursor.finish().await;
            session.respond(&cursor, cursor.empty()).await;
        }));
        Ok(())
    }

    /// Responds once all `noreply` queries have completed.
    fn wait_for_noreply(self: &Arc<Self>, token: i64) {
        // `wait` needs a closed tracker, which still accepts tasks. Waiting for queries that arrive later does no harm.
        self.noreply.close();
        let session = Arc::clone(self);
        tokio::spawn(self.until_closed(async move {
            session.noreply.wait().await;
            if session.send(Frame::wait_complete(token)).await.is_err() {
                session.closed.cancel();
            }
        }));
    }

    /// Sends a response. After the last one the client may reuse the token, so the query is closed before it is sent.
    async fn respond(&self, cursor: &Arc<Cursor>, response: Response) {
        if response.is_last {
            self.close(cursor);
        }
        // A frame may have been cut short, which makes the connection useless.
        if self.send(response.frame).await.is_err() {
            self.closed.cancel();
        }
    }

    /// Removes a query, unless its token already belongs to another one.
    fn close(&self, cursor: &Arc<Cursor>) {
        let mut cursors = self.cursors();
        if cursors
            .get(&cursor.token())
            .is_some_and(|other| Arc::ptr_eq(other, cursor))
        {
            cursors.remove(&cursor.token());
        }
    }

    async fn send_error(&self, token: i64, error: ReqlError) -> Result<(), ConnectionError> {
        self.send(Frame::error(token, &error)).await
    }

    async fn send(&self, frame: Frame) -> Result<(), ConnectionError> {
        self.writer.lock().await.send(&frame).await
    }

    /// Limits `work` to the lifetime of the session.
    fn until_closed(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        // Not an async block, which would keep room for the work twice: one waits in every idle feed.
        work.with_cancellation_token_owned(self.closed.clone())
            .map(|_| ())
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // Acquiring fails only on a closed semaphore, and this one is never closed.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    fn find(&self, token: i64) -> Option<Arc<Cursor>> {
        self.cursors().get(&token).cloned()
    }

    fn cursors(&self) -> MutexGuard<'_, HashMap<i64, Arc<Cursor>>> {
        // A panic cannot leave the map half changed: each change is a single call.
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RethinkDB's error for an oversized query, sent before it closes the connection (`client_protocol/json.cc`).
fn query_too_long(length: u32) -> ReqlError {
    let message = format!("Query size ({length}) greater than maximum ({MAX_QUERY_BYTES}).");
    ReqlError::new(ErrorKind::Client, message)
}

/// RethinkDB's error for an unknown token (golden: `continue_of_an_unknown_token`).
fn not_found(token: i64) -> ReqlError {
    let message = format!("Token {token} not in stream cache.");
    ReqlError::new(ErrorKind::Client, message)
}
