//! `GET /images/download`

use std::io::{Cursor, Read as _};
use std::time::Duration;

use zip::ZipArchive;

use crate::files::{read, sized};
use crate::helpers::{TestApp, problem, spawn_app, timely};

/// Returns the names and bytes of the files in the archive.
async fn archive(app: &TestApp) -> Vec<(String, Vec<u8>)> {
    let bytes = app.get_bytes("/images/download").await;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let length = archive.len();
    let file = |number| {
        let mut file = archive.by_index(number).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.name().unwrap().into_owned(), bytes)
    };
    (0..length).map(file).collect()
}

#[tokio::test]
async fn the_archive_has_every_image_oldest_first() {
    let app = spawn_app().await;
    assert!(archive(&app).await.is_empty());
    app.upload("😀 \"cat\".png", read("plain.png")).await;
    app.upload("cat.png", sized(70_000, 1)).await;
    let deleted = app.upload("gone.png", sized(7000, 2)).await;
    app.upload("cat.png", sized(7000, 3)).await;
    app.delete(deleted["url"].as_str().unwrap()).await;
    let expected = [
        ("😀 \"cat\".png", read("plain.png")),
        ("cat.png", sized(70_000, 1)),
        ("cat (2).png", sized(7000, 3)),
    ];
    let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes));
    assert_eq!(archive(&app).await, expected);
}

#[tokio::test]
async fn the_name_of_the_archive_contains_the_date() {
    let app = spawn_app().await;
    let url = app.url("/images/download");
    for request in [app.client.get(&url), app.client.head(&url)] {
        let response = request.send().await.unwrap();
        let headers = response.headers();
        assert_eq!(headers["content-type"], "application/zip");
        assert_eq!(headers["cache-control"], "no-store");
        let disposition = headers["content-disposition"].to_str().unwrap();
        let name = disposition.split('"').nth(1).unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
        assert_eq!(
            (name.len(), &name[..6], &name[16..]),
            (20, "board-", ".zip")
        );
    }
    problem(app.client.post(&url).send().await.unwrap(), 405).await;
}

#[tokio::test]
async fn at_most_four_archives_are_sent_at_once() {
    let app = spawn_app().await;
    for number in 0..3 {
        // More than the socket buffers hold, so the server cannot finish sending.
        app.upload("large.png", sized(8_000_000, number)).await;
    }
    let mut open = Vec::new();
    for _ in 0..4 {
        let response = app.get("/images/download").await;
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    problem(app.get("/images/download").await, 503).await;
    drop(open);
    // The server notices a disconnect only at its next write.
    let slot_is_free = async {
        while app.get("/images/download").await.status() == 503 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timely("a slot is free again", slot_is_free).await;
}

#[tokio::test]
async fn a_database_failure_breaks_the_connection() {
    let app = spawn_app().await;
    for number in 0..3 {
        app.upload("large.png", sized(8_000_000, number)).await;
    }
    let mut response = app.get("/images/download").await;
    assert_eq!(response.status(), 200);
    response.chunk().await.unwrap().unwrap();
    app.proxy.cut();
    let rest = async {
        while response.chunk().await?.is_some() {}
        Ok::<_, reqwest::Error>(())
    };
    let rest = timely("the connection ends", rest).await;
    assert!(rest.is_err());
}
