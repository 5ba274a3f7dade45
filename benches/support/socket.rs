//! A WebSocket client that costs little, so that thousands fit into one process beside the server.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const PING: u8 = 9;
const PONG: u8 = 10;
const FINAL: u8 = 0x80;
const COMPRESSED: u8 = 0x40;

/// The socket of one viewer.
pub(crate) struct Socket {
    reader: BufReader<OwnedReadHalf>,
    pub(crate) writer: SocketWriter,
    payload: Vec<u8>,
    /// The present message is binary.
    is_binary: bool,
}

/// The sending half of a socket.
pub(crate) struct SocketWriter(OwnedWriteHalf);

/// The reading half of a socket. It answers no pings.
pub(crate) struct SocketReader {
    reader: BufReader<OwnedReadHalf>,
    payload: Vec<u8>,
}

/// A frame of the server.
pub(crate) enum Received<'a> {
    Text(&'a [u8]),
    /// A compressed text.
    Compressed(&'a [u8]),
    /// The last frame of a binary message.
    BinaryEnd,
    Other,
}

impl Socket {
    /// Opens a socket at `/ws` with this query, and offers compression as browsers do.
    pub(crate) async fn open(address: SocketAddr, query: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let request = format!(
            "GET /ws?{query} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let (reader, writer) = stream.into_split();
        let mut reader = BufReader::with_capacity(4096, reader);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = reader.read_line(&mut head).await.unwrap();
            assert!(read > 0, "the server closed the connection after: {head}");
        }
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        Self {
            reader,
            writer: SocketWriter(writer),
            payload: Vec::new(),
            is_binary: false,
        }
    }

    /// Opens a socket and reads everything up to the state `ready`.
    pub(crate) async fn ready(address: SocketAddr, query: &str) -> Self {
        let mut socket = Self::open(address, query).await;
        loop {
            if let Received::Text(text) = socket.read().await
                && is_ready(text)
            {
                return socket;
            }
        }
    }

    /// Reads the next frame. Answers pings.
    pub(crate) async fn read(&mut self) -> Received<'_> {
        let first = read_frame(&mut self.reader, &mut self.payload).await;
        match first & 0x0f {
            TEXT if first & COMPRESSED != 0 => Received::Compressed(&self.payload),
            TEXT => Received::Text(&self.payload),
            PING => {
                self.writer.send(PONG, &self.payload).await;
                Received::Other
            }
            // A binary message, or the continuation of one: the server fragments nothing else.
            kind @ (BINARY | 0) => {
                self.is_binary = kind == BINARY || self.is_binary;
                if first & FINAL != 0 && std::mem::take(&mut self.is_binary) {
                    return Received::BinaryEnd;
                }
                Received::Other
            }
            _ => Received::Other,
        }
    }

    /// Separates the two directions.
    pub(crate) fn split(self) -> (SocketReader, SocketWriter) {
        let reader = SocketReader {
            reader: self.reader,
            payload: self.payload,
        };
        (reader, self.writer)
    }
}

impl SocketReader {
    /// Reads the next text; none if the frame is something else.
    pub(crate) async fn read(&mut self) -> Option<&[u8]> {
        let first = read_frame(&mut self.reader, &mut self.payload).await;
        (first & 0x0f == TEXT).then_some(&self.payload)
    }
}

impl SocketWriter {
    /// Sends a text.
    pub(crate) async fn text(&mut self, text: &str) {
        self.send(TEXT, text.as_bytes()).await;
    }

    async fn send(&mut self, kind: u8, payload: &[u8]) {
        assert!(payload.len() < 0x1_0000);
        let mut frame = vec![FINAL | kind, 0x80 | 126];
        frame.extend((payload.len() as u16).to_be_bytes());
        if payload.len() < 126 {
            frame.truncate(1);
            frame.push(0x80 | payload.len() as u8);
        }
        // The key of the mask. This one leaves the payload as it is.
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }
}

/// Returns `true` for the state `ready`.
fn is_ready(text: &[u8]) -> bool {
    text.starts_with(br#"{"event":"Feed:state","data":{"state":"ready""#)
}

/// Reads a frame into `payload`. Returns its first byte.
async fn read_frame(reader: &mut BufReader<OwnedReadHalf>, payload: &mut Vec<u8>) -> u8 {
    let first = reader.read_u8().await.unwrap();
    let length = match reader.read_u8().await.unwrap() {
        126 => u64::from(reader.read_u16().await.unwrap()),
        127 => reader.read_u64().await.unwrap(),
        length => u64::from(length),
    };
    payload.resize(length as usize, 0);
    reader.read_exact(payload).await.unwrap();
    first
}
