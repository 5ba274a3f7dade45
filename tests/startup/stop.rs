//! Stopping.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{Server, folder};

#[tokio::test]
async fn it_stops_in_time_with_sockets_open_and_closes_them() {
    for signal in ["TERM", "INT"] {
        let (_folder, data) = folder();
        let mut server = Server::start(&data).await;
        let mut sockets = Vec::new();
        for feed in ["board", "latest"].repeat(5) {
            let url = format!("ws://{}/ws?feed={feed}", server.address);
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
            // A session that runs.
            socket.send(Message::text("{}")).await.unwrap();
            assert!(socket.next().await.unwrap().is_ok());
            sockets.push(socket);
        }
        // A connection on which nothing was asked, and a request that never comes to its end.
        let _idle = TcpStream::connect(server.address).await.unwrap();
        let _upload = server.begin_upload().await;

        server.signal(signal);
        for mut socket in sockets {
            let code = loop {
                match socket.next().await.unwrap().unwrap() {
                    Message::Close(frame) => break frame.unwrap().code,
                    _ => continue,
                }
            };
            assert_eq!(code, CloseCode::Away);
        }
        let (status, _) = server.end().await;
        assert_eq!(status, Some(0), "SIG{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let mut upload = server.begin_upload().await;
    let url = format!("ws://{}/ws", server.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    server.signal("INT");
    // It is stopping when it closes the socket, and waits for the upload now.
    while !matches!(socket.next().await.unwrap().unwrap(), Message::Close(_)) {}
    server.signal("INT");
    let (status, took) = server.end().await;
    // Status 130 is that of the second signal; a server that had waited for the upload would end with 0.
    assert_eq!(status, Some(130));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(upload.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
