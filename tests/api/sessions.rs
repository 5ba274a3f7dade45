//! Each socket session has one changefeed and one database connection, and closes them when it ends.

use std::time::{Duration, Instant};

use futures::future::join_all;
use realtime_photo::web;

use crate::files::read;
use crate::helpers::{TestApp, WAIT_LIMIT, spawn_app, spawn_with_settings, wait_for};
use crate::viewer::Viewer;

const VIEWERS: usize = 50;

/// The changefeed by which the server follows all boards.
const OF_THE_SERVER: usize = 1;

async fn ready(app: &TestApp, path: &str) -> Viewer {
    let mut viewer = Viewer::connect(app.address, path).await;
    viewer.initial().await;
    viewer
}

async fn no_connection_is_left(app: &TestApp, before: usize) {
    app.proxy.until_open(|open| open <= before).await;
    if let Some(engine) = &app.database.embedded {
        // The engine notices the end of a connection later than the proxy.
        wait_for("the engine closes its sessions", || {
            engine.changefeeds() == OF_THE_SERVER && engine.sessions() <= before
        })
        .await;
    }
}

#[tokio::test]
async fn each_of_fifty_sockets_has_a_connection_until_it_closes() {
    let app = spawn_app().await;
    for path in ["/ws", "/ws?feed=latest"] {
        // `before` counts the connections of the pool, including those that a viewer uses besides its feed.
        let first = ready(&app, path).await;
        let before = app.proxy.open() - 1;
        first.close().await;
        app.proxy.until_open(|open| open <= before).await;
        let viewers = join_all((0..VIEWERS).map(|_| ready(&app, path))).await;
        let open = app.proxy.open();
        assert!(open >= before + VIEWERS, "{open} of {before} + {VIEWERS}");
        if let Some(engine) = &app.database.embedded {
            // The engine notices the end of the first viewer's connection later than the proxy.
            wait_for("each viewer has one changefeed", || {
                engine.changefeeds() == VIEWERS + OF_THE_SERVER
            })
            .await;
        }
        join_all(viewers.into_iter().map(Viewer::close)).await;
        no_connection_is_left(&app, open - VIEWERS).await;
    }
}

#[tokio::test]
async fn dropped_sockets_leave_no_connection() {
    let app = spawn_app().await;
    let viewers = join_all((0..VIEWERS).map(|_| ready(&app, "/ws"))).await;
    let open = app.proxy.open();
    drop(viewers);
    no_connection_is_left(&app, open - VIEWERS).await;
}

#[tokio::test]
async fn a_socket_that_does_not_answer_pings_is_disconnected() {
    let settings = web::Settings {
        // Longer than a pong can be delayed on a busy machine.
        heartbeat_interval: Duration::from_secs(3),
        shutdown_timeout: 2 * WAIT_LIMIT,
        ..web::Settings::default()
    };
    let app = spawn_with_settings(settings).await;
    let mut alive = ready(&app, "/ws").await;
    let living = tokio::spawn(async move { alive.expect("Image:update").await });
    let before = app.proxy.open();
    // Nobody reads from this socket any more, so it does not answer pings.
    let silent = ready(&app, "/ws").await;
    assert!(app.proxy.open() > before);
    match &app.database.embedded {
        // Not by the proxy, which would also count connections that the pool opens in the meantime.
        Some(engine) => {
            wait_for("its changefeed ends", || {
                engine.changefeeds() == 1 + OF_THE_SERVER
            })
            .await
        }
        None => app.proxy.until_open(|open| open <= before).await,
    }
    assert!(silent.breaks_off().await);
    let record = app.upload("cat.png", read("plain.png")).await;
    assert_eq!(living.await.unwrap(), record);
    // With an open connection, the server would wait until its shutdown timeout.
    let start = Instant::now();
    drop(app);
    assert!(
        start.elapsed() < WAIT_LIMIT,
        "the server waits for a connection"
    );
}
