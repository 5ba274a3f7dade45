//! Shutdown by signals.

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::server::{Server, folder};

#[tokio::test]
async fn a_signal_closes_open_sockets_and_stops_the_program_despite_an_endless_upload() {
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
        let mut upload = server.begin_upload().await;

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
        assert_eq!(server.end().await, Some(0), "SIG{signal}");
        // A server that waits longer for the upload answers it with 408 when it has become too slow.
        assert_eq!(upload.read(&mut [0; 1]).await.unwrap_or(0), 0);
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
    // The status after a second signal; a server that waits for the upload exits with 0.
    assert_eq!(server.end().await, Some(130));
    assert_eq!(upload.read(&mut [0; 1]).await.unwrap_or(0), 0);
}
