//! The first records of a viewer in batches, and compressed messages.

use std::collections::BTreeMap;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::write::{DeflateDecoder, DeflateEncoder};
use realtime_photo::image::{ImageId, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::files::sized;
use crate::helpers::{TestApp, file_form, problem, spawn_app};
use crate::viewer::Viewer;

/// The id that a batch has as base64url.
fn id_from(text: &str) -> ImageId {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).unwrap().try_into().unwrap();
    uuid::Uuid::from_bytes(bytes).to_string().parse().unwrap()
}

/// Uploads small images at these positions. Returns their records by id.
async fn upload_at(app: &TestApp, positions: &[i32]) -> BTreeMap<String, Value> {
    let mut records = BTreeMap::new();
    for (number, x) in positions.iter().enumerate() {
        let form = file_form("cat.png", sized(7000, number as u64));
        let form = form.text("x", x.to_string()).text("y", "0");
        let record: Value = app.post(form).await.json().await.unwrap();
        records.insert(record["id"].as_str().unwrap().to_owned(), record);
    }
    records
}

#[tokio::test]
async fn the_first_records_come_together_and_later_ones_alone() {
    let app = spawn_app().await;
    let records = upload_at(&app, &[-90_000, 0, 90_000]).await;
    let path = "/ws?batch=1&around=-500,-500,1000,1000";
    let mut viewer = Viewer::connect(app.address, path).await;
    let batch = viewer.expect_before("Image:batch", &["Image:update"]).await;
    // The one in view, then the newest.
    assert_eq!(batch["x"], json!([0, 90_000, -90_000]));
    assert_eq!(batch["count"], 3);
    for (at, id) in batch["id"].as_array().unwrap().iter().enumerate() {
        let id = id_from(id.as_str().unwrap());
        let record = &records[&id.to_string()];
        for name in ["fileName", "size", "width", "height", "thumbhash"] {
            assert_eq!(batch[name][at], record[name], "{name}");
        }
        let hash = batch["sha256"][at].as_str().unwrap();
        assert!(record["sha256"].as_str().unwrap().starts_with(hash));
        assert_eq!(
            record["type"],
            format!("image/{}", batch["type"][at].as_str().unwrap())
        );
        let added = id.ms() + batch["createdAt"][at].as_i64().unwrap();
        let created: Timestamp = record["createdAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(added, created.as_millis());
    }
    viewer.ready().await;
    let added = app.upload("dog.png", sized(7000, 9)).await;
    let update = viewer.expect_before("Image:update", &["Image:batch"]).await;
    assert_eq!(update, added);
}

#[tokio::test]
async fn an_address_with_a_malformed_part_is_refused() {
    let app = spawn_app().await;
    for query in [
        "batch=2",
        "batch=",
        "batch=1&around=1,2,3",
        "around=a,b,c,d",
        "around=1,2,3,inf",
    ] {
        problem(app.get(&format!("/ws?{query}")).await, 400).await;
    }
}

/// A socket with `permessage-deflate`, which the WebSocket library of the other tests does not know.
struct CompressedSocket(TcpStream);

impl CompressedSocket {
    async fn connect(app: &TestApp, path: &str) -> Self {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
            app.address
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let accepted = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assert!(head.contains(accepted), "{head}");
        Self(stream)
    }

    /// Reads a message. Returns its event, and the length of the frame if it was compressed.
    async fn event(&mut self) -> (Value, Option<usize>) {
        let first = self.0.read_u8().await.unwrap();
        let length = match self.0.read_u8().await.unwrap() {
            126 => usize::from(self.0.read_u16().await.unwrap()),
            127 => self.0.read_u64().await.unwrap() as usize,
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.unwrap();
        if first & 0x40 == 0 {
            return (serde_json::from_slice(&payload).unwrap(), None);
        }
        payload.extend([0, 0, 0xff, 0xff]);
        let mut decoder = DeflateDecoder::new(Vec::new());
        decoder.write_all(&payload).unwrap();
        decoder.flush().unwrap();
        let event = serde_json::from_slice(decoder.get_ref()).unwrap();
        (event, Some(length))
    }

    async fn expect(&mut self, name: &str) -> (Value, Option<usize>) {
        loop {
            let (event, length) = self.event().await;
            if event["event"] == name {
                return (event["data"].clone(), length);
            }
        }
    }

    /// Sends a compressed text in two frames.
    async fn send(&mut self, event: &Value) {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(event.to_string().as_bytes()).unwrap();
        encoder.flush().unwrap();
        let compressed = encoder.get_ref();
        let payload = &compressed[..compressed.len() - 4];
        let (start, end) = payload.split_at(payload.len() / 2);
        for (first, part) in [(0x41, start), (0x80, end)] {
            assert!(part.len() < 126);
            // Masked with zeros, which change nothing.
            let head = [first, 0x80 | part.len() as u8, 0, 0, 0, 0];
            self.0.write_all(&[&head, part].concat()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn batches_are_compressed_and_commands_may_be() {
    let app = spawn_app().await;
    let positions: Vec<i32> = (0..30).map(|at| at * 300).collect();
    let records = upload_at(&app, &positions).await;
    let mut socket = CompressedSocket::connect(&app, "/ws?batch=1").await;
    let (batch, length) = socket.expect("Image:batch").await;
    assert_eq!(batch["count"], records.len());
    let plain = batch.to_string().len();
    let compressed = length.expect("a batch is compressed");
    assert!(compressed < plain / 2, "{compressed} of {plain} bytes");
    let name = json!({"event": "User:name", "data": {"name": "Ada"}, "ref": 1});
    socket.send(&name).await;
    let (answer, _) = socket.expect("Ack").await;
    assert_eq!(answer["person"]["name"], "Ada");
    socket.send(&json!({"event": "nothing"})).await;
    let (answer, _) = socket.expect("Ack").await;
    assert_eq!(answer["ok"], false);
}
