//! Uploads that are too large, slow, or cut off.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio::task::spawn_blocking;

use crate::files::{read, sized};
use crate::helpers::{
    MAX_UPLOAD, TestApp, WAIT_LIMIT, file_form, problem, spawn_app, spawn_with_options,
};
use crate::upload::{LAST, count};

#[tokio::test]
async fn seventeen_mebibytes_are_refused_with_and_without_a_length() {
    let app = spawn_app().await;
    let bytes = sized(17 << 20, 1);
    problem(app.post(file_form("large.png", bytes.clone())).await, 413).await;
    let chunks: Vec<Result<Vec<u8>, std::io::Error>> = bytes
        .chunks(64 << 10)
        .map(|chunk| Ok(chunk.to_vec()))
        .collect();
    let stream = Body::wrap_stream(futures::stream::iter(chunks));
    let part = Part::stream(stream).file_name("large.png");
    problem(app.post(Form::new().part("file", part)).await, 413).await;
    assert_eq!(count(&app).await, 0);
}

/// Sends the head of an upload. The body is chunked unless its length is given.
fn begin_upload(app: &TestApp, length: Option<usize>) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    stream.set_write_timeout(Some(WAIT_LIMIT)).unwrap();
    let length = match length {
        Some(length) => format!("Content-Length: {length}"),
        None => "Transfer-Encoding: chunked".to_owned(),
    };
    let head = format!(
        "POST /image HTTP/1.1\r\nHost: {}\r\n{length}\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n",
        app.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

const PART: &[u8] =
    b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";

fn write_chunk(stream: &mut TcpStream, chunk: &[u8]) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
    stream.write_all(chunk)?;
    stream.write_all(b"\r\n")
}

#[tokio::test]
async fn a_form_that_is_large_without_an_image_is_malformed() {
    let app = spawn_app().await;
    let long_header = [b"--b\r\nX: ".as_slice(), &vec![b'a'; 14 << 20]].concat();
    let many_headers = [b"--b\r\n".as_slice(), &b"X: a\r\n".repeat(100_000)].concat();
    let preamble = vec![b'a'; 15 << 20];
    let other_field = [
        b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n".as_slice(),
        &vec![0; MAX_UPLOAD + (1 << 20)],
    ]
    .concat();
    for beginning in [long_header, many_headers, preamble, other_field] {
        let mut stream = begin_upload(&app, None);
        let answer = spawn_blocking(move || {
            write_chunk(&mut stream, &beginning).unwrap();
            write_chunk(&mut stream, &[PART, &read("plain.png"), LAST].concat()).unwrap();
            stream.write_all(b"0\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            answer
        });
        assert_eq!(answer.await.unwrap(), *b"HTTP/1.1 400");
    }
    assert_eq!(count(&app).await, 0);
}

#[tokio::test]
async fn slow_uploads_do_not_block_others_and_leave_nothing() {
    const ANNOUNCED: usize = 15 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uploads");
    let chosen = path.clone();
    let app = spawn_with_options(|settings| settings.upload_dir = Some(chosen)).await;
    let trickle = |_| {
        let mut stream = begin_upload(&app, Some(ANNOUNCED));
        // More than is kept in memory.
        stream.write_all(&[PART, &[0; 100 << 10]].concat()).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..100).map(trickle).collect();
    app.upload("large.png", sized(5 << 20, 1)).await;
    app.upload("small.png", sized(900 << 10, 2)).await;
    drop(slow);
    app.upload("largest.png", sized(MAX_UPLOAD, 3)).await;
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0);
}

#[tokio::test]
async fn a_client_that_reads_only_after_sending_everything_gets_the_refusal() {
    let app = spawn_app().await;
    for length in [17 << 20, 30 << 20] {
        let mut announced = begin_upload(&app, Some(PART.len() + length + LAST.len()));
        let mut chunked = begin_upload(&app, None);
        let answers = spawn_blocking(move || {
            let file = vec![0; length];
            announced.write_all(&[PART, &file, LAST].concat()).unwrap();
            write_chunk(&mut chunked, PART).unwrap();
            for chunk in file.chunks(64 << 10) {
                write_chunk(&mut chunked, chunk).unwrap();
            }
            chunked.write_all(b"0\r\n\r\n").unwrap();
            [announced, chunked].map(|mut stream| {
                let mut answer = [0; 12];
                stream.read_exact(&mut answer).unwrap();
                answer
            })
        });
        assert_eq!(
            answers.await.unwrap(),
            [*b"HTTP/1.1 413", *b"HTTP/1.1 413"],
            "{length}"
        );
    }
}

#[tokio::test]
async fn a_client_that_keeps_sending_after_a_refusal_is_disconnected() {
    let app = spawn_app().await;
    let mut stream = begin_upload(&app, None);
    let sent = spawn_blocking(move || {
        write_chunk(&mut stream, PART).unwrap();
        let chunk = vec![0; 1 << 20];
        // It never reads the refusal, and stops only when a write fails.
        (0_u64..).find(|_| write_chunk(&mut stream, &chunk).is_err())
    });
    assert!(sent.await.unwrap().is_some());
    app.upload("plain.png", read("plain.png")).await;
}

#[tokio::test]
async fn a_client_that_disconnects_during_an_upload_leaves_nothing_behind() {
    let app = spawn_app().await;
    let file = read("plain.png");
    for shutdown in [Shutdown::Write, Shutdown::Both] {
        let mut stream = begin_upload(&app, Some(PART.len() + file.len() + LAST.len()));
        stream.write_all(PART).unwrap();
        stream.write_all(&file[..file.len() / 2]).unwrap();
        stream.shutdown(shutdown).unwrap();
    }
    let mut viewer = app.board().await;
    viewer.initial().await;
    let record = app.upload("next.png", file).await;
    // No other image was announced before it.
    assert_eq!(viewer.expect("Image:update").await["id"], record["id"]);
    assert_eq!(count(&app).await, 1);
}

#[tokio::test]
async fn an_upload_is_stored_even_if_its_client_does_not_wait_for_the_response() {
    let app = spawn_app().await;
    let mut viewer = app.board().await;
    viewer.initial().await;
    let file = read("plain.png");
    let mut stream = begin_upload(&app, Some(PART.len() + file.len() + LAST.len()));
    stream.write_all(&[PART, &file, LAST].concat()).unwrap();
    drop(stream);
    let record = viewer.expect("Image:update").await;
    assert_eq!(app.get_bytes(record["url"].as_str().unwrap()).await, file);
}
