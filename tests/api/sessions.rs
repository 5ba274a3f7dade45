//! One socket session is one changefeed and one connection to the database, and none is left behind.

use std::time::{Duration, Instant};

use futures::future::join_all;
use realtime_photo::web;

use crate::files::read;
use crate::helpers::{TestApp, spawn_app, spawn_with_settings};
use crate::viewer::Viewer;

const VIEWERS: usize = 50;

async fn ready(app: &TestApp, path: &str) -> Viewer {
    let mut viewer = Viewer::connect(app.address, path).await;
    viewer.initial().await;
    viewer
}

async fn no_connection_is_left(app: &TestApp, before: usize) {
    app.proxy.until_open(|open| open <= before).await;
    if let Some(engine) = &app.database.embedded {
        assert_eq!(engine.changefeeds(), 0);
        assert!(engine.sessions() <= before);
    }
}

#[tokio::test]
async fn fifty_sockets_are_fifty_connections_and_none_when_they_close() {
    let app = spawn_app().await;
    for path in ["/ws", "/ws?feed=latest"] {
        // The pool's own, with as many as a viewer needs beside its feed.
        let first = ready(&app, path).await;
        let before = app.proxy.open() - 1;
        first.close().await;
        app.proxy.until_open(|open| open <= before).await;
        let viewers = join_all((0..VIEWERS).map(|_| ready(&app, path))).await;
        let open = app.proxy.open();
        assert!(open >= before + VIEWERS, "{open} of {before} + {VIEWERS}");
        if let Some(engine) = &app.database.embedded {
            assert_eq!(engine.changefeeds(), VIEWERS);
        }
        join_all(viewers.into_iter().map(Viewer::close)).await;
        no_connection_is_left(&app, open - VIEWERS).await;
    }
}

#[tokio::test]
async fn sockets_that_vanish_without_a_word_leave_no_connection() {
    let app = spawn_app().await;
    let viewers = join_all((0..VIEWERS).map(|_| ready(&app, "/ws"))).await;
    let open = app.proxy.open();
    drop(viewers);
    no_connection_is_left(&app, open - VIEWERS).await;
}

#[tokio::test]
async fn a_socket_that_gives_no_sign_of_life_is_disconnected() {
    let settings = web::Settings {
        heartbeat: Duration::from_millis(500),
        ..web::Settings::default()
    };
    let app = spawn_with_settings(settings).await;
    let mut alive = ready(&app, "/ws").await;
    let before = app.proxy.open();
    // It is connected, and answers no question since nobody reads its socket from now on.
    let silent = ready(&app, "/ws").await;
    assert!(app.proxy.open() > before);
    let living = tokio::spawn(async move { alive.expect("Image:update").await });
    app.proxy.until_open(|open| open <= before).await;
    assert!(silent.breaks_off().await);
    let record = app.upload("cat.png", read("plain.png")).await;
    assert_eq!(living.await.unwrap(), record);
    let start = Instant::now();
    drop(app);
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "the server waits for no connection"
    );
}
