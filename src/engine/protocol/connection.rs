//! A client's socket: the handshake, then whole frames in both directions.

use std::io::{Error as IoError, ErrorKind as IoErrorKind};
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::handshake::{self, Challenge, Credentials, HandshakeError};
use super::logins::FailedLogins;
use super::wire::{self, Frame, HEADER_BYTES, MAX_QUERY_BYTES};

/// The time limit for the whole handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of the read buffer. Small queries fit; large ones bypass it. It is small because every idle client has one,
/// and there may be ten thousand clients.
const READ_BUFFER_BYTES: usize = 512;

/// The size of the write buffer during the handshake. The messages that answer a driver fit.
const HANDSHAKE_BUFFER_BYTES: usize = 512;

/// The most memory reserved for a query before its bytes arrive. The announced length cannot be trusted.
const MAX_RESERVED_BYTES: usize = 64 * 1024;

/// The reason why a connection ended, other than a client that hung up between two queries.
#[derive(Debug, Error)]
pub(crate) enum ConnectionError {
    #[error(transparent)]
    Io(#[from] IoError),
    #[error("the handshake took longer than {HANDSHAKE_TIMEOUT:?}")]
    HandshakeTimeout,
    #[error("the handshake failed: {0}")]
    Handshake(HandshakeError),
    #[error("the query is {length} bytes long, more than {MAX_QUERY_BYTES}")]
    QueryTooLong { token: i64, length: u32 },
    #[error("protocol violation: {0}")]
    Protocol(&'static str),
}

/// The receiving half of an authenticated connection.
pub(crate) struct FrameReader(BufReader<OwnedReadHalf>);

/// The sending half of an authenticated connection.
pub(crate) struct FrameWriter(OwnedWriteHalf);

type HandshakeWriter<'a> = BufWriter<&'a mut OwnedWriteHalf>;

/// The checks that new connections have to pass.
pub(crate) struct Door {
    pub(crate) credentials: Credentials,
    /// Slows the guessing of a password that somebody has chosen.
    pub(crate) failed_logins: Option<FailedLogins>,
}

/// Performs the handshake. A client that fails it is sent the error.
///
/// # Errors
/// [`ConnectionError::HandshakeTimeout`], [`ConnectionError::Handshake`], an unknown magic number, or a failed socket.
pub(crate) async fn authenticate(
    stream: TcpStream,
    peer: IpAddr,
    door: &Door,
) -> Result<(FrameReader, FrameWriter), ConnectionError> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::with_capacity(READ_BUFFER_BYTES, reader);
    tokio::time::timeout(
        HANDSHAKE_TIMEOUT,
        exchange(&mut reader, &mut writer, peer, door),
    )
    .await
    .map_err(|_| ConnectionError::HandshakeTimeout)??;
    Ok((FrameReader(reader), FrameWriter(writer)))
}

async fn exchange(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    peer: IpAddr,
    door: &Door,
) -> Result<(), ConnectionError> {
    let mut writer = BufWriter::with_capacity(HANDSHAKE_BUFFER_BYTES, writer);
    let outcome = answer(reader, &mut writer, peer, door).await;
    if let Err(ConnectionError::Handshake(error)) = outcome {
        writer.write_all(&handshake::encode_error(error)).await?;
    }
    writer.flush().await?;
    outcome
}

/// Answers the client's messages. The caller flushes `writer`, after the error of the handshake if there is one.
async fn answer(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut HandshakeWriter<'_>,
    peer: IpAddr,
    door: &Door,
) -> Result<(), ConnectionError> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).await?;
    if magic != handshake::MAGIC {
        writer.write_all(handshake::WRONG_MAGIC).await?;
        return Err(ConnectionError::Protocol(
            "the magic number is not that of V1_0",
        ));
    }
    writer.write_all(&handshake::greeting()).await?;
    let first = read_message(reader, writer).await?;
    let (challenge, reply) =
        handshake::challenge(&first, &door.credentials).map_err(ConnectionError::Handshake)?;
    writer.write_all(&reply).await?;
    let last = read_message(reader, writer).await?;
    let reply = verify(challenge, &last, peer, door).await;
    let reply = reply.map_err(ConnectionError::Handshake)?;
    Ok(writer.write_all(&reply).await?)
}

/// Checks the client's proof, when it is the turn of its address.
async fn verify(
    challenge: Challenge,
    proof: &[u8],
    peer: IpAddr,
    door: &Door,
) -> Result<Vec<u8>, HandshakeError> {
    let Some(failed_logins) = &door.failed_logins else {
        return challenge.verify(proof, &door.credentials);
    };
    let turn = failed_logins.turn(peer).await;
    let turn = turn.map_err(|_| HandshakeError::TOO_MANY_LOGINS)?;
    let verified = challenge.verify(proof, &door.credentials);
    if verified.is_err() {
        turn.failed().await;
    }
    verified
}

/// Reads a handshake message, without its final NUL. What was written is sent before it waits: a driver sends its first
/// message with the magic number, and has both answered in one packet.
async fn read_message(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut HandshakeWriter<'_>,
) -> Result<Vec<u8>, ConnectionError> {
    if !reader.buffer().contains(&0) {
        writer.flush().await?;
    }
    let mut message = Vec::new();
    // One more, for the NUL.
    let limit = handshake::MAX_MESSAGE_BYTES as u64 + 1;
    AsyncReadExt::take(reader, limit)
        .read_until(0, &mut message)
        .await?;
    match message.pop() {
        Some(0) => Ok(message),
        _ if message.len() >= handshake::MAX_MESSAGE_BYTES => {
            Err(ConnectionError::Handshake(HandshakeError::TOO_LONG))
        }
        _ => Err(IoError::from(IoErrorKind::UnexpectedEof).into()),
    }
}

impl FrameReader {
    /// Reads a query: its token and its JSON. `None` if the client hung up between two queries. Not cancellation safe.
    ///
    /// # Errors
    /// [`ConnectionError::QueryTooLong`] before any of its bytes are read, or a failed socket.
    pub(crate) async fn read(&mut self) -> Result<Option<(i64, Vec<u8>)>, ConnectionError> {
        // The end of the stream is a clean hang-up here, but an error within a frame.
        if self.0.fill_buf().await?.is_empty() {
            return Ok(None);
        }
        let mut header = [0; HEADER_BYTES];
        self.0.read_exact(&mut header).await?;
        let (token, length) = wire::parse_header(header);
        if length > MAX_QUERY_BYTES {
            return Err(ConnectionError::QueryTooLong { token, length });
        }
        let length = length as usize;
        let mut body = Vec::with_capacity(length.min(MAX_RESERVED_BYTES));
        AsyncReadExt::take(&mut self.0, length as u64)
            .read_to_end(&mut body)
            .await?;
        if body.len() < length {
            return Err(IoError::from(IoErrorKind::UnexpectedEof).into());
        }
        Ok(Some((token, body)))
    }
}

impl FrameWriter {
    /// Sends a frame. Not cancellation safe: a frame cut short makes the connection useless.
    ///
    /// # Errors
    /// A failed socket.
    pub(crate) async fn send(&mut self, frame: &Frame) -> Result<(), ConnectionError> {
        for part in &frame.parts {
            self.0.write_all(part).await?;
        }
        Ok(())
    }
}
