//! Shutdown by signals.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{Server, folder};

#[tokio::test]
async fn a_signal_closes_open_sockets_and_stops_the_program_in_time() {
    for signal in ["TERM", "INT"] {
        let (_folder, data) = folder();
        let mut server = Server::start(&data).await;
        let mut sockets = Vec::new();
        for feed in ["board", "latest"].repeat(5) {
            let url = format!("ws://{}/ws?feed={feed}", server.address);
            let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
            // An answer shows that the session is running.
            socket.send(Message::text("{}")).await.unwrap();
            assert!(socket.next().await.unwrap().is_ok());
            sockets.push(socket);
        }
        // An idle connection, and a request that never ends.
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
async fn a_second_signal_stops_the_program_immediately() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let mut upload = server.begin_upload().await;
    let url = format!("ws://{}/ws", server.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    server.signal("INT");
    // The closed socket shows that the server is stopping. It now waits for the upload.
    while !matches!(socket.next().await.unwrap().unwrap(), Message::Close(_)) {}
    server.signal("INT");
    let (status, took) = server.end().await;
    // 130 is the status after a second signal; a server that waits for the upload exits with 0.
    assert_eq!(status, Some(130));
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(upload.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
