//! `GET /ws?feed=latest`, the feed of the tutorial's page: the last saved image with its bytes.

use serde_json::{Value, json};

use crate::files::{read, sized};
use crate::helpers::{TestApp, spawn_app};
use crate::viewer::Viewer;

async fn ready(app: &TestApp) -> Viewer {
    let mut viewer = app.latest().await;
    viewer.ready().await;
    viewer
}

/// Expects this record, followed by its bytes.
async fn expect_image(viewer: &mut Viewer, record: &Value, bytes: &[u8]) {
    let shown = viewer
        .expect_before("Image:update", &["Image:delete"])
        .await;
    assert_eq!(shown["file"], json!({"size": bytes.len()}));
    for name in [
        "id",
        "fileName",
        "type",
        "size",
        "width",
        "height",
        "sha256",
        "createdAt",
        "url",
    ] {
        assert_eq!(shown[name], record[name], "{name}");
    }
    assert!(
        viewer.image_bytes().await == bytes,
        "the bytes are those of the image"
    );
}

#[tokio::test]
async fn the_last_image_is_shown_first_and_then_every_new_one() {
    let app = spawn_app().await;
    app.upload("older.png", read("plain.png")).await;
    let last = app.upload("last.gif", read("still.gif")).await;
    let mut viewer = app.latest().await;
    assert_eq!(viewer.state().await, "initializing");
    expect_image(&mut viewer, &last, &read("still.gif")).await;
    assert_eq!(viewer.state().await, "ready");
    let mut early = ready(&app).await;
    for number in 0..3 {
        let bytes = sized(100_000, number);
        let record = app.upload("new.png", bytes.clone()).await;
        expect_image(&mut viewer, &record, &bytes).await;
        expect_image(&mut early, &record, &bytes).await;
    }
}

#[tokio::test]
async fn a_large_image_arrives_complete() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let bytes = sized(5_000_001, 1);
    let record = app.upload("large.png", bytes.clone()).await;
    expect_image(&mut viewer, &record, &bytes).await;
}

#[tokio::test]
async fn deleting_the_shown_image_shows_the_one_before_it() {
    let app = spawn_app().await;
    let first = app.upload("first.png", read("plain.png")).await;
    let second = app.upload("second.gif", read("still.gif")).await;
    let third = app.upload("third.jpg", read("baseline.jpg")).await;
    let mut viewer = app.latest().await;
    expect_image(&mut viewer, &third, &read("baseline.jpg")).await;
    // An image that is not shown.
    app.delete(second["url"].as_str().unwrap()).await;
    assert_eq!(viewer.expect("Image:delete").await["id"], second["id"]);
    app.delete(third["url"].as_str().unwrap()).await;
    assert_eq!(viewer.expect("Image:delete").await["id"], third["id"]);
    expect_image(&mut viewer, &first, &read("plain.png")).await;
    app.delete(first["url"].as_str().unwrap()).await;
    assert_eq!(viewer.expect("Image:delete").await["id"], first["id"]);
    let next = app.upload("next.gif", read("still.gif")).await;
    expect_image(&mut viewer, &next, &read("still.gif")).await;
}

#[tokio::test]
async fn moves_are_not_sent() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let mut viewer = ready(&app).await;
    let answer = viewer
        .command("Image:update", json!({"id": record["id"], "x": 5}))
        .await;
    assert_eq!(answer["ok"], true);
    let next = app.upload("next.gif", read("still.gif")).await;
    expect_image(&mut viewer, &next, &read("still.gif")).await;
}

#[tokio::test]
async fn no_message_comes_between_a_record_and_its_bytes() {
    let app = spawn_app().await;
    let mut viewer = ready(&app).await;
    let bytes = sized(3_000_000, 1);
    let record = app.upload("large.png", bytes.clone()).await;
    // The answers to these compete with the image for the socket.
    for number in 0..300 {
        viewer
            .send(json!({"event": "?", "data": {}, "ref": number}).to_string())
            .await;
    }
    expect_image(&mut viewer, &record, &bytes).await;
    viewer
        .send(json!({"event": "?", "data": {}, "ref": "last"}).to_string())
        .await;
    while viewer.expect("Ack").await["ref"] != "last" {}
}
