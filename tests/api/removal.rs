//! Deleting images and undoing it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::files::{read, sized};
use crate::helpers::{TestApp, file_form, problem, spawn_app, spawn_with_options};

async fn restore(app: &TestApp, record: &Value) -> reqwest::Response {
    let path = format!("{}/restore", record["url"].as_str().unwrap());
    app.client.post(app.url(&path)).send().await.unwrap()
}

#[tokio::test]
async fn any_viewer_can_undo_a_deletion() {
    let app = spawn_app().await;
    let (mut one, mut other) = (app.board().await, app.board().await);
    one.initial().await;
    other.initial().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let url = record["url"].as_str().unwrap();
    let named = json!({"id": record["id"]});
    assert_eq!(app.delete(url).await.status(), 204);
    problem(app.get(url).await, 404).await;
    problem(app.delete(url).await, 404).await;
    problem(
        app.get(&url.replace("/image/", "/image/download/")).await,
        404,
    )
    .await;
    let by_hash = format!("/images?sha256={}", record["sha256"].as_str().unwrap());
    for list in ["/images", &by_hash] {
        assert_eq!(app.get_json(list).await["images"], json!([]), "{list}");
    }

    for viewer in [&mut one, &mut other] {
        assert_eq!(viewer.expect("Image:update").await, record);
        assert_eq!(viewer.expect("Image:delete").await, named);
    }
    assert_eq!(
        other.command("Image:restore", named.clone()).await["ok"],
        true
    );
    // `other` may receive the event before its answer, and then `command` skips it; so only `one` is checked.
    assert_eq!(one.expect("Image:update").await, record);
    assert_eq!(app.get_bytes(url).await, read("plain.png"));
    assert_eq!(app.get_json("/images").await["images"], json!([record]));
    assert_eq!(app.get_json(&by_hash).await["images"], json!([record]));

    // Restoring again changes nothing.
    assert_eq!(
        one.command("Image:restore", named.clone()).await["ok"],
        true
    );
    assert_eq!(restore(&app, &record).await.status(), 204);
    assert_eq!(one.command("Image:delete", named).await["ok"], true);
    assert_eq!(restore(&app, &record).await.status(), 204);
    assert_eq!(app.get(url).await.status(), 200);
}

#[tokio::test]
async fn a_deleted_image_cannot_be_changed_and_is_hidden_from_new_viewers() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    app.delete(record["url"].as_str().unwrap()).await;
    let mut viewer = app.board().await;
    assert!(viewer.initial().await.is_empty());
    for (event, data) in [
        ("Image:update", json!({"id": record["id"], "x": 1})),
        ("Image:delete", json!({"id": record["id"]})),
    ] {
        let answer = viewer.command(event, data).await;
        assert_eq!(answer["message"], "there is no such photo", "{event}");
    }
    assert_eq!(restore(&app, &record).await.status(), 204);
    assert_eq!(viewer.expect("Image:update").await, record);
}

#[tokio::test]
async fn latest_shows_the_image_before_until_the_deletion_is_undone() {
    let app = spawn_app().await;
    let before = app.upload("before.png", sized(7000, 1)).await;
    let last = app.upload("last.png", sized(7000, 2)).await;
    let mut viewer = app.latest().await;
    assert_eq!(viewer.expect("Image:update").await["id"], last["id"]);
    viewer.image_bytes().await;
    app.delete(last["url"].as_str().unwrap()).await;
    assert_eq!(viewer.expect("Image:delete").await["id"], last["id"]);
    assert_eq!(viewer.expect("Image:update").await["id"], before["id"]);
    assert_eq!(viewer.image_bytes().await, sized(7000, 1));
    restore(&app, &last).await;
    assert_eq!(viewer.expect("Image:update").await["id"], last["id"]);
    assert_eq!(viewer.image_bytes().await, sized(7000, 2));
}

#[tokio::test]
async fn a_deletion_cannot_be_undone_after_the_undo_window() {
    let app = spawn_with_options(|options| options.undo_window = Duration::ZERO).await;
    let record = app.upload("cat.png", read("plain.png")).await;
    app.delete(record["url"].as_str().unwrap()).await;
    problem(restore(&app, &record).await, 404).await;
    let mut viewer = app.board().await;
    let answer = viewer
        .command("Image:restore", json!({"id": record["id"]}))
        .await;
    assert_eq!(answer["message"], "there is no such photo");
}

#[tokio::test]
async fn restoring_an_unknown_image_is_not_found() {
    let app = spawn_app().await;
    for id in ["0194bd2c-7a00-7000-8000-000000000001", "x"] {
        let path = format!("/image/{id}/restore");
        problem(app.client.post(app.url(&path)).send().await.unwrap(), 404).await;
    }
    let record = app.upload("cat.png", read("plain.png")).await;
    let path = format!("{}/restore", record["url"].as_str().unwrap());
    let answer = app.get(&path).await;
    assert_eq!(answer.headers()["allow"], "POST");
    problem(answer, 405).await;
}

#[tokio::test]
async fn a_repeated_upload_does_not_undo_a_deletion() {
    let app = spawn_app().await;
    let id = "0194bd2c-7a00-7000-8000-000000000001";
    let form = || file_form("cat.png", read("plain.png")).text("id", id);
    assert_eq!(app.post(form()).await.status(), 201);
    assert_eq!(app.post(form()).await.status(), 200);
    app.delete(&format!("/image/{id}")).await;
    let refused = problem(app.post(form()).await, 409).await;
    assert_eq!(refused, "The photo was stored and has been deleted since.");
    assert_eq!(app.get_json("/images").await["images"], json!([]));
}
