//! A viewer: a client of the socket, as the page is.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::helpers::WAIT_LIMIT;

/// The client's side of a socket session.
pub(crate) struct Viewer {
    socket: WebSocketStream<TcpStream>,
}

impl Viewer {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        Self::try_connect(address, path, &[]).await.unwrap()
    }

    /// Connects with additional headers.
    pub(crate) async fn try_connect(
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let stream = TcpStream::connect(address).await.unwrap();
        Self::over(stream, address, path, headers).await
    }

    /// Connects over a stream opened by the caller.
    pub(crate) async fn over(
        stream: TcpStream,
        address: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, tungstenite::Error> {
        let mut request: Request = format!("ws://{address}{path}")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        Ok(Self { socket })
    }

    /// The next message of any kind.
    pub(crate) async fn next(&mut self) -> Message {
        let message = timeout(WAIT_LIMIT, self.socket.next())
            .await
            .expect("a message arrives");
        message.expect("the socket is open").unwrap()
    }

    /// The next event. Skips pings and pongs, and `Board:update`, with which every session begins.
    pub(crate) async fn event(&mut self) -> Value {
        loop {
            let event = self.any_event().await;
            if event["event"] != "Board:update" {
                return event;
            }
        }
    }

    /// The data of the next `Board:update`. Skips other events.
    pub(crate) async fn board_update(&mut self) -> Value {
        loop {
            let mut event = self.any_event().await;
            if event["event"] == "Board:update" {
                return event["data"].take();
            }
        }
    }

    async fn any_event(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not an event, but {}", kind(&other)),
            }
        }
    }

    /// The data of the next event with this name. Skips other events, but fails on an unwanted one.
    pub(crate) async fn expect_before(&mut self, name: &str, unwanted: &[&str]) -> Value {
        let search = async {
            loop {
                let mut event = self.event().await;
                let found = event["event"].as_str().unwrap();
                if found == name {
                    return event["data"].take();
                }
                assert!(!unwanted.contains(&found), "{event}");
            }
        };
        timeout(WAIT_LIMIT, search)
            .await
            .unwrap_or_else(|_| panic!("no {name} arrives"))
    }

    /// The data of the next event with this name. Skips other events.
    pub(crate) async fn expect(&mut self, name: &str) -> Value {
        self.expect_before(name, &[]).await
    }

    /// Waits until the server reports this number of viewers.
    pub(crate) async fn until_count(&mut self, count: usize) {
        let search = async { while self.expect("User:update").await["count"] != count {} };
        timeout(WAIT_LIMIT, search)
            .await
            .unwrap_or_else(|_| panic!("the number of viewers is never {count}"));
    }

    /// Waits for a ping, which the WebSocket library answers.
    pub(crate) async fn until_ping(&mut self) {
        while !matches!(self.next().await, Message::Ping(_)) {}
    }

    /// Waits until the feed is ready. Skips everything before, including the bytes of images.
    pub(crate) async fn ready(&mut self) {
        loop {
            if let Message::Text(text) = self.next().await
                && text.contains("\"ready\"")
            {
                return;
            }
        }
    }

    /// Waits for the next state of the feed.
    pub(crate) async fn state(&mut self) -> String {
        let data = self.expect("Feed:state").await;
        data["state"].as_str().unwrap().to_owned()
    }

    /// Returns the initial images by id: those between `initializing` and `ready`.
    pub(crate) async fn initial(&mut self) -> BTreeMap<String, Value> {
        let state = self.expect_before("Feed:state", &["Image:update"]).await;
        assert_eq!(state["state"], "initializing");
        let mut images = BTreeMap::new();
        loop {
            let mut event = self.event().await;
            match event["event"].as_str().unwrap() {
                "Image:update" => {
                    let record = event["data"].take();
                    images.insert(record["id"].as_str().unwrap().to_owned(), record);
                }
                "Feed:state" => {
                    assert_eq!(event["data"]["state"], "ready");
                    return images;
                }
                "User:update" => {}
                _ => panic!("unexpected {event}"),
            }
        }
    }

    /// The bytes that follow a record on `feed=latest`.
    pub(crate) async fn image_bytes(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                Message::Binary(bytes) => return bytes.to_vec(),
                Message::Ping(_) => {}
                other => panic!("not the bytes of an image, but {}", kind(&other)),
            }
        }
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) {
        self.socket.send(message.into()).await.unwrap();
    }

    /// Sends raw bytes, which need not be valid frames.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.get_mut().write_all(bytes).await
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn command(&mut self, event: &str, data: Value) -> Value {
        let reference = format!("{event} {data}");
        self.send(json!({"event": event, "data": data, "ref": reference}).to_string())
            .await;
        loop {
            let answer = self.expect("Ack").await;
            if answer["ref"] == *reference {
                return answer;
            }
        }
    }

    /// Waits until the server closes the session. Returns the code.
    pub(crate) async fn closed(&mut self) -> Option<CloseCode> {
        loop {
            if let Message::Close(frame) = self.next().await {
                return frame.map(|frame| frame.code);
            }
        }
    }

    /// Closes the session with a close frame and waits for the answer.
    pub(crate) async fn close(mut self) {
        self.socket.close(None).await.unwrap();
        while let Ok(Some(Ok(_))) = timeout(WAIT_LIMIT, self.socket.next()).await {}
    }

    /// Reads to the end. Returns `true` if the connection broke without a close frame.
    pub(crate) async fn breaks_off(mut self) -> bool {
        loop {
            match timeout(WAIT_LIMIT, self.socket.next()).await {
                Ok(Some(Ok(Message::Close(_)))) | Err(_) => return false,
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) => return true,
            }
        }
    }
}

/// Describes a message, without the bytes of an image.
fn kind(message: &Message) -> String {
    match message {
        Message::Binary(bytes) => format!("{} bytes", bytes.len()),
        other => format!("{other:?}"),
    }
}
