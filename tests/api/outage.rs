//! Outages of the database.

use serde_json::json;

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_app};

async fn viewers_catch_up(
    mut app: TestApp,
    mut away: impl FnMut(&mut TestApp),
    mut back: impl FnMut(&mut TestApp),
) {
    let kept = app.upload("kept.png", read("plain.png")).await;
    let mut board = app.board().await;
    board.initial().await;
    let mut latest = app.latest().await;
    latest.ready().await;
    let mut command = app.board().await;
    command.initial().await;

    away(&mut app);
    assert_eq!(board.state().await, "interrupted");
    assert_eq!(latest.state().await, "interrupted");
    let ready = app.get("/readyz").await;
    assert!(ready.headers().contains_key("retry-after"));
    problem(ready, 503).await;
    problem(app.get("/images").await, 503).await;
    assert_eq!(app.get("/healthz").await.status(), 200);
    let answer = command
        .command("Image:delete", json!({"id": kept["id"]}))
        .await;
    assert_eq!(answer["ok"], false);

    back(&mut app);
    // `initial` accepts no second `interrupted`: the state is not repeated for each attempt to reconnect.
    let images = board.initial().await;
    assert!(images.values().eq([&kept]));
    assert_eq!(latest.state().await, "initializing");
    assert_eq!(latest.expect("Image:update").await["id"], kept["id"]);
    assert!(latest.image_bytes().await == read("plain.png"));
    assert_eq!(latest.state().await, "ready");
    let next = app.upload("next.gif", read("still.gif")).await;
    assert_eq!(board.expect("Image:update").await, next);
    assert_eq!(app.get("/readyz").await.status(), 200);
}

#[tokio::test]
async fn viewers_catch_up_after_a_lost_database_connection() {
    viewers_catch_up(
        spawn_app().await,
        |app| app.proxy.cut(),
        |app| app.proxy.mend(),
    )
    .await;
}

#[tokio::test]
async fn viewers_catch_up_after_a_restart_of_the_engine() {
    let app = spawn_app().await;
    if app.database.embedded.is_none() {
        return;
    }
    viewers_catch_up(
        app,
        |app| app.database.embedded.as_mut().unwrap().stop(),
        |app| app.database.embedded.as_mut().unwrap().start(),
    )
    .await;
}

#[tokio::test]
async fn a_viewer_that_connects_during_an_outage_gets_all_images_afterwards() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    app.proxy.cut();
    let mut viewer = app.board().await;
    assert_eq!(viewer.state().await, "interrupted");
    app.proxy.mend();
    assert_eq!(
        viewer.initial().await.into_values().collect::<Vec<_>>(),
        [record]
    );
}

#[tokio::test]
async fn an_upload_during_an_outage_is_answered_with_503() {
    let app = spawn_app().await;
    app.proxy.cut();
    let response = app.post(file_form("cat.png", read("plain.png"))).await;
    assert!(response.headers().contains_key("retry-after"));
    problem(response, 503).await;
    app.proxy.mend();
    app.upload("cat.png", read("plain.png")).await;
}
