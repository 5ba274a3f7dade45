//! One client: the handshake, then queries as they come, several at once if the client wants.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::Context;
use crate::engine::protocol::cursor::Cursor;
use crate::engine::protocol::handshake::{self, Credentials, Refusal};
use crate::engine::protocol::wire::{self, Frame, HEADER_BYTES, MAX_QUERY_BYTES, Query, Start};

/// How long a client may take to say who it is.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// The reader's buffer: a client's small queries fit, large ones are read past it. Ten thousand idle clients have one.
const READ_BUFFER_BYTES: usize = 512;

/// How much room is made for a query before its bytes have come: its length is only the client's word.
const TRUSTED_BYTES: usize = 64 * 1024;

/// How many queries of one client are evaluated or answered at once; the next ones wait. So many answers are held for a
/// client that does not read, each of about a batch.
const QUERIES_AT_ONCE: usize = 32;

/// How many queries one client may keep open, and how many of its requests may wait for one of them.
const OPEN_QUERIES: usize = 4096;
const WAITING_REQUESTS: usize = 16;

/// What all sessions share.
pub(crate) struct Shared {
    pub(crate) context: Arc<Context>,
    pub(crate) credentials: Credentials,
    /// Bounds how many threads evaluate queries.
    pub(crate) evaluations: Arc<Semaphore>,
    pub(crate) shutdown: CancellationToken,
}

/// Why a session ended before its client hung up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the client did not complete the handshake within {HANDSHAKE_TIME:?}")]
    SlowHandshake,
    #[error("the handshake was refused: {0:?}")]
    Refused(Refusal),
    #[error("the client broke the protocol: {0}")]
    Protocol(&'static str),
}

/// Serves one client until it hangs up or the engine stops.
///
/// # Errors
/// Why the connection was closed, for the log; the client has been told as far as that was possible.
pub(crate) async fn serve(stream: TcpStream, shared: Arc<Shared>) -> Result<(), SessionError> {
    let shutdown = shared.shutdown.clone();
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, reader);
    let introduced = tokio::select! {
        introduced = tokio::time::timeout(HANDSHAKE_TIME, shake_hands(&mut reader, &mut writer, &shared)) => introduced,
        () = shutdown.cancelled() => return Ok(()),
    };
    introduced.map_err(|_| SessionError::SlowHandshake)??;
    let session = Arc::new(Session::new(writer, shared));
    // Dropping the guard ends everything that the session has started, however it ends.
    let _ends_queries = session.closed.clone().drop_guard();
    tokio::select! {
        ended = Session::run(&session, reader) => ended,
        () = shutdown.cancelled() => Ok(()),
    }
}

async fn shake_hands(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    shared: &Shared,
) -> Result<(), SessionError> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).await?;
    if magic != handshake::MAGIC {
        writer.write_all(handshake::WRONG_MAGIC.as_bytes()).await?;
        writer.write_all(&[0]).await?;
        return Err(SessionError::Protocol(
            "another magic number than that of protocol V1_0",
        ));
    }
    writer.write_all(&handshake::greeting()).await?;
    let answered = async {
        let first = read_message(reader).await?;
        let (challenge, reply) =
            handshake::challenge(&first, &shared.credentials).map_err(SessionError::Refused)?;
        writer.write_all(&reply).await?;
        let last = read_message(reader).await?;
        challenge
            .verify(&last, &shared.credentials)
            .map_err(SessionError::Refused)
    };
    match answered.await {
        Ok(reply) => Ok(writer.write_all(&reply).await?),
        Err(SessionError::Refused(refusal)) => {
            writer.write_all(&refusal.to_message()).await?;
            Err(SessionError::Refused(refusal))
        }
        Err(error) => Err(error),
    }
}

/// Reads a message of the handshake, without the NUL that ends it.
async fn read_message(reader: &mut BufReader<OwnedReadHalf>) -> Result<Vec<u8>, SessionError> {
    let mut message = Vec::new();
    let limit = handshake::MAX_MESSAGE_BYTES as u64 + 1;
    AsyncReadExt::take(&mut *reader, limit)
        .read_until(0, &mut message)
        .await?;
    match message.pop() {
        Some(0) => Ok(message),
        _ if message.len() >= handshake::MAX_MESSAGE_BYTES => {
            Err(SessionError::Refused(Refusal::TOO_LONG))
        }
        _ => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
    }
}

/// A client that has said who it is.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    cursors: Mutex<HashMap<i64, Arc<Cursor>>>,
    permits: Arc<Semaphore>,
    /// The queries whose client wants no answer.
    noreply: TaskTracker,
    pub(crate) closed: CancellationToken,
}

impl Session {
    fn new(writer: OwnedWriteHalf, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            writer: tokio::sync::Mutex::new(writer),
            cursors: Mutex::default(),
            permits: Arc::new(Semaphore::new(QUERIES_AT_ONCE)),
            noreply: TaskTracker::new(),
            closed: CancellationToken::new(),
        }
    }

    async fn run(
        self: &Arc<Self>,
        mut reader: BufReader<OwnedReadHalf>,
    ) -> Result<(), SessionError> {
        let ended = self.read_queries(&mut reader).await;
        for cursor in self.cursors().values() {
            cursor.interrupt();
        }
        ended
    }

    async fn read_queries(
        self: &Arc<Self>,
        reader: &mut BufReader<OwnedReadHalf>,
    ) -> Result<(), SessionError> {
        while let Some((token, length)) = read_header(reader).await? {
            if length > MAX_QUERY_BYTES {
                let message =
                    format!("Query size ({length}) greater than maximum ({MAX_QUERY_BYTES}).");
                self.send(Frame::error(
                    token,
                    &ReqlError::new(ErrorKind::Client, message),
                ))
                .await?;
                return Err(SessionError::Protocol("a query that is too long"));
            }
            let body = read_body(reader, length as usize).await?;
            match wire::parse_query(&body) {
                Ok(query) => {
                    drop(body);
                    self.handle(token, query).await?;
                }
                Err(error) => self.send(Frame::error(token, &error)).await?,
            }
        }
        Ok(())
    }

    async fn handle(self: &Arc<Self>, token: i64, query: Query) -> Result<(), SessionError> {
        match query {
            Query::Start(start) => self.start(token, start).await,
            Query::Continue => self.go_on(token).await,
            Query::Stop => self.stop(token).await,
            Query::NoreplyWait => {
                // A query that comes while this one waits is waited for too, which does no harm.
                self.noreply.close();
                let session = Arc::clone(self);
                tokio::spawn(self.until_closed(async move {
                    session.noreply.wait().await;
                    if session.send(Frame::wait_complete(token)).await.is_err() {
                        session.closed.cancel();
                    }
                }));
                Ok(())
            }
            Query::ServerInfo => {
                let context = &self.shared.context;
                self.send(Frame::server_info(
                    token,
                    &context.server_id,
                    &context.server_name,
                ))
                .await
            }
        }
    }

    async fn start(self: &Arc<Self>, token: i64, start: Start) -> Result<(), SessionError> {
        let cursor = Arc::new(Cursor::new(token));
        if let Some(error) = self.open(&cursor) {
            return self.send(Frame::error(token, &error)).await;
        }
        let noreply = start.noreply;
        let session = Arc::clone(self);
        let query = self.until_closed(async move {
            let _permit = session.permit().await;
            let answer = cursor.start(&session.shared, start).await;
            if noreply {
                session.forget(&cursor);
            } else {
                session.answer(&cursor, answer).await;
            }
        });
        // The reader goes on at once: it must see a STOP, and that the client has left.
        match noreply {
            true => drop(self.noreply.spawn(query)),
            false => drop(tokio::spawn(query)),
        }
        Ok(())
    }

    /// Remembers a query by its token, or says why it cannot.
    fn open(&self, cursor: &Arc<Cursor>) -> Option<ReqlError> {
        let token = cursor.token();
        let mut cursors = self.cursors();
        if cursors.contains_key(&token) {
            let message = format!("ERROR: duplicate token {token}");
            return Some(ReqlError::new(ErrorKind::Client, message));
        }
        if cursors.len() == OPEN_QUERIES {
            let message = format!("The connection already has {OPEN_QUERIES} open queries.");
            return Some(ReqlError::new(ErrorKind::ResourceLimit, message));
        }
        cursors.insert(token, Arc::clone(cursor));
        None
    }

    async fn go_on(self: &Arc<Self>, token: i64) -> Result<(), SessionError> {
        let Some(cursor) = self.find(token) else {
            return self.send(not_found(token)).await;
        };
        let Some(waiting) = Waiting::enter(&cursor) else {
            return Err(SessionError::Protocol("too many CONTINUE for one query"));
        };
        let session = Arc::clone(self);
        tokio::spawn(self.until_closed(async move {
            loop {
                cursor.wait_for_change().await;
                // Idle feeds hold no permit.
                let _permit = session.permit().await;
                if let Some(answer) = cursor.go_on(&session.shared).await {
                    session.answer(&cursor, answer).await;
                    break;
                }
            }
            drop(waiting);
        }));
        Ok(())
    }

    async fn stop(self: &Arc<Self>, token: i64) -> Result<(), SessionError> {
        let Some(cursor) = self.cursors().remove(&token) else {
            return self.send(not_found(token)).await;
        };
        cursor.interrupt();
        let session = Arc::clone(self);
        tokio::spawn(self.until_closed(async move {
            // Whoever still works on the query answers first (golden: `stop_while_continue_waits_answers_both`).
            cursor.finish().await;
            session
                .answer(
                    &cursor,
                    Frame::sequence(token, &[], false, wire::Notes::default()).into(),
                )
                .await;
        }));
        Ok(())
    }

    /// Sends an answer. A query that is done is forgotten first, so that the client can use its token again.
    async fn answer(&self, cursor: &Arc<Cursor>, answer: crate::engine::protocol::cursor::Answer) {
        if answer.is_last {
            self.forget(cursor);
        }
        if self.send(answer.frame).await.is_err() {
            self.closed.cancel();
        }
    }

    fn forget(&self, cursor: &Arc<Cursor>) {
        let mut cursors = self.cursors();
        if cursors
            .get(&cursor.token())
            .is_some_and(|other| Arc::ptr_eq(other, cursor))
        {
            cursors.remove(&cursor.token());
        }
    }

    async fn send(&self, frame: Frame) -> Result<(), SessionError> {
        let mut writer = self.writer.lock().await;
        for part in &frame.parts {
            writer.write_all(part).await?;
        }
        Ok(())
    }

    /// Ends with the session, wherever the work has got to.
    fn until_closed(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let closed = self.closed.clone();
        async move {
            tokio::select! {
                () = work => {}
                () = closed.cancelled() => {}
            }
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }

    fn find(&self, token: i64) -> Option<Arc<Cursor>> {
        self.cursors().get(&token).cloned()
    }

    fn cursors(&self) -> MutexGuard<'_, HashMap<i64, Arc<Cursor>>> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the requests that wait for a cursor.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn enter(cursor: &Cursor) -> Option<Self> {
        let waiting = Self(cursor.waiting());
        // Dropping `waiting` takes this one back where it is refused.
        (waiting.0.fetch_add(1, Ordering::Relaxed) < WAITING_REQUESTS).then_some(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn not_found(token: i64) -> Frame {
    Frame::error(
        token,
        &ReqlError::new(
            ErrorKind::Client,
            format!("Token {token} not in stream cache."),
        ),
    )
}

/// Reads a header, `None` where the client has hung up between two queries.
async fn read_header(
    reader: &mut BufReader<OwnedReadHalf>,
) -> Result<Option<(i64, u32)>, SessionError> {
    if reader.fill_buf().await?.is_empty() {
        return Ok(None);
    }
    let mut header = [0; HEADER_BYTES];
    reader.read_exact(&mut header).await?;
    Ok(Some(wire::parse_header(header)))
}

/// Reads a query; room is made as its bytes come.
async fn read_body(
    reader: &mut BufReader<OwnedReadHalf>,
    length: usize,
) -> Result<Vec<u8>, SessionError> {
    let mut body = Vec::with_capacity(length.min(TRUSTED_BYTES));
    AsyncReadExt::take(reader, length as u64)
        .read_to_end(&mut body)
        .await?;
    if body.len() < length {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    Ok(body)
}
