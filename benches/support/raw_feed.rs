//! A changefeed whose responses are read and not parsed: the least that a viewer's session can cost.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::client::Client;

/// A changefeed on a connection of its own.
pub(crate) struct RawFeed {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

/// The rows of the main board, as the sessions of viewers follow them.
pub(crate) fn board(database: &str) -> Value {
    let placements = json!([15, [[14, [database]], "placements"]]);
    json!([78, [placements, "main"], {"index": "board"}])
}

/// All images with their files.
pub(crate) fn images(database: &str) -> Value {
    json!([15, [[14, [database]], "images"]])
}

impl RawFeed {
    /// Opens a changefeed of `rows` without initial values. Blocks until it is open. As the driver does, it asks for
    /// the next changes when it is read.
    pub(crate) fn open(address: SocketAddr, rows: &Value) -> Self {
        let mut client = Client::log_in(address, "").unwrap();
        let options =
            json!({"include_states": true, "include_types": true, "changefeed_queue_size": 1000});
        client.send(1, &json!([1, [152, [rows], options], {}]));
        let (_, first) = client.receive().unwrap();
        assert_eq!(first["r"][0]["state"], "ready", "{first}");
        client.socket.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(client.socket).unwrap();
        Self {
            stream: BufReader::with_capacity(4096, stream),
            body: Vec::new(),
        }
    }

    /// Reads the next response, after asking for it.
    pub(crate) async fn read(&mut self) -> &[u8] {
        let mut header = [0; 12];
        header[0] = 1;
        header[8] = 3;
        let more = [&header[..], b"[2]"].concat();
        self.stream.write_all(&more).await.unwrap();
        self.stream.read_exact(&mut header).await.unwrap();
        let length = u32::from_le_bytes(header[8..].try_into().unwrap());
        self.body.resize(length as usize, 0);
        self.stream.read_exact(&mut self.body).await.unwrap();
        &self.body
    }
}
