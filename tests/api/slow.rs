//! Clients that read slowly or not at all.

use std::time::Duration;

use realtime_photo::web;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::files::sized;
use crate::helpers::{TestApp, WAIT_LIMIT, spawn_with_settings, timely};
use crate::viewer::Viewer;

/// A connection with a small receive buffer: if the client does not read, the server soon cannot send.
fn connection_with_small_buffer(app: &TestApp) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8 << 10).unwrap();
    socket.connect(&app.address.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    TcpStream::from_std(socket.into()).unwrap()
}

/// A viewer with such a connection.
async fn viewer_with_small_buffer(app: &TestApp, path: &str) -> Viewer {
    let stream = connection_with_small_buffer(app);
    Viewer::over(stream, app.address, path, &[]).await.unwrap()
}

/// Uploads an image while a viewer of the latest image reads it. Reading only afterwards would look like a stalled
/// viewer if the upload takes long.
async fn upload_and_read(app: &TestApp, viewer: &mut Viewer, bytes: Vec<u8>) {
    let reading = async {
        viewer.expect("Image:update").await;
        viewer.image_bytes().await
    };
    let (_, read) = tokio::join!(app.upload("large.png", bytes.clone()), reading);
    assert!(read == bytes);
}

/// A server with a short read timeout. It is still longer than a busy machine delays a viewer that reads.
async fn spawn_with_short_timeout() -> TestApp {
    let settings = web::Settings {
        session_read_timeout: Duration::from_secs(4),
        ..web::Settings::default()
    };
    spawn_with_settings(settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_stops_reading_is_disconnected_and_another_gets_everything() {
    // Generated first, because generating an image would block the reader.
    let images: Vec<Vec<u8>> = (0..4).map(|number| sized(3 << 20, number)).collect();
    let app = spawn_with_short_timeout().await;
    let mut reader = app.latest().await;
    reader.initial().await;
    let mut stalled = viewer_with_small_buffer(&app, "/ws?feed=latest").await;
    stalled.initial().await;
    reader.until_count(2).await;
    let expected = images.clone();
    let reading = tokio::spawn(async move {
        for image in expected {
            reader.expect("Image:update").await;
            assert!(reader.image_bytes().await == image);
        }
        reader
    });
    for image in images {
        app.upload("large.png", image).await;
    }
    let mut reader = reading.await.unwrap();
    // The reader may have skipped the message about the lower count between two images, so change the count again.
    let _third = app.board().await;
    reader.until_count(2).await;
    assert!(
        stalled.breaks_off().await,
        "the stalled viewer gets everything from a buffer"
    );
}

#[tokio::test]
async fn a_viewer_with_a_small_receive_buffer_gets_the_whole_image() {
    let app = spawn_with_short_timeout().await;
    let mut slow = viewer_with_small_buffer(&app, "/ws?feed=latest").await;
    slow.initial().await;
    let bytes = sized(2 << 20, 1);
    // The server has to wait for the small buffer many times.
    upload_and_read(&app, &mut slow, bytes).await;
}

#[tokio::test]
async fn a_viewer_with_nothing_to_read_stays_connected() {
    let settings = web::Settings {
        heartbeat_interval: Duration::from_millis(4200),
        session_read_timeout: Duration::from_secs(4),
        ..web::Settings::default()
    };
    let app = spawn_with_settings(settings).await;
    let mut viewer = app.latest().await;
    viewer.initial().await;
    for number in 0..2 {
        upload_and_read(&app, &mut viewer, sized(1 << 20, number)).await;
        // The second ping is later than the read timeout.
        viewer.until_ping().await;
        viewer.until_ping().await;
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_its_download_is_disconnected() {
    let settings = web::Settings {
        download_read_timeout: Duration::from_secs(4),
        ..web::Settings::default()
    };
    let app = spawn_with_settings(settings).await;
    let record = app.upload("large.png", sized(8 << 20, 1)).await;
    let url = record["url"].as_str().unwrap();
    let mut stalled = connection_with_small_buffer(&app);
    let request = format!("GET {url} HTTP/1.1\r\nHost: {}\r\n\r\n", app.address);
    stalled.write_all(request.as_bytes()).await.unwrap();
    stalled.readable().await.unwrap();
    // A connection that the server has closed takes no more bytes.
    let is_closed = async {
        while stalled.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timely("the server closes the connection", is_closed).await;
    let mut rest = Vec::new();
    let reading = timeout(WAIT_LIMIT, stalled.read_to_end(&mut rest));
    let _ = reading.await.expect("the connection ends");
    assert!(rest.len() < 8 << 20, "{} bytes came", rest.len());
    // A client that reads gets the whole image.
    assert_eq!(app.get_bytes(url).await.len(), 8 << 20);
}
