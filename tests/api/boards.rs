//! Boards over HTTP and the socket.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_app, wait_for};
use crate::viewer::Viewer;

async fn send(app: &TestApp, method: Method, path: &str, body: Value) -> reqwest::Response {
    let request = app.client.request(method, app.url(path));
    request.json(&body).send().await.unwrap()
}

async fn make_board(app: &TestApp, title: &str) -> Value {
    let made = send(app, Method::POST, "/boards", json!({ "title": title })).await;
    assert_eq!(made.status(), 201);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = made.json().await.unwrap();
    assert_eq!(
        location,
        format!("/boards/{}", made["id"].as_str().unwrap())
    );
    made
}

async fn add(app: &TestApp, board: &str) -> Value {
    let request = app.client.post(app.url(&format!("/image?board={board}")));
    let request = request.multipart(file_form("cat.png", read("plain.png")));
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_board_is_made_listed_changed_and_deleted() {
    let app = spawn_app().await;
    let made = make_board(&app, " Party ").await;
    let id = made["id"].as_str().unwrap();
    assert_eq!((id.len(), made["title"].as_str()), (22, Some("Party")));
    let roles: Vec<&Value> = made["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| &link["role"])
        .collect();
    assert_eq!(roles, ["host", "add"]);
    add(&app, id).await;
    let _viewer = Viewer::connect(app.address, &format!("/ws?board={id}")).await;
    let list = app.get_json("/boards").await;
    assert_eq!(list["boards"][0]["id"], "main");
    let listed = &list["boards"][1];
    assert_eq!(
        (&listed["id"], &listed["images"], &listed["people"]),
        (&made["id"], &json!(1), &json!(1))
    );
    assert_eq!(listed["bytes"], read("plain.png").len());
    assert_eq!(list["version"], env!("CARGO_PKG_VERSION"));
    let path = format!("/boards/{id}");
    let changed = send(&app, Method::PATCH, &path, json!({ "title": "Wedding" })).await;
    assert_eq!(changed.json::<Value>().await.unwrap()["title"], "Wedding");
    assert_eq!(app.get_json(&path).await["title"], "Wedding");
    assert_eq!(app.get(&format!("/b/{id}")).await.status(), 200);
    for wrong in [
        json!({}),
        json!({ "title": "" }),
        json!({ "title": "x".repeat(81) }),
        json!({ "title": "x", "y": 1 }),
    ] {
        problem(send(&app, Method::POST, "/boards", wrong).await, 400).await;
    }
    assert_eq!(app.delete(&path).await.status(), 204);
    for path in [&*path, &format!("/b/{id}"), &format!("/images?board={id}")] {
        assert_eq!(
            problem(app.get(path).await, 404).await,
            "There is no such board."
        );
    }
    problem(app.delete("/boards/main").await, 400).await;
}

#[tokio::test]
async fn what_happens_on_a_board_is_seen_there_only() {
    let app = spawn_app().await;
    let id = make_board(&app, "Party").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut main = app.board().await;
    let mut party = Viewer::connect(app.address, &format!("/ws?board={id}")).await;
    main.ready().await;
    party.ready().await;
    let mut latest = Viewer::connect(app.address, &format!("/ws?feed=latest&board={id}")).await;
    party.until_count(2).await;
    latest.ready().await;
    let there = add(&app, &id).await;
    let here = app.upload("dog.png", read("plain.png")).await;
    assert_eq!(there["board"], *id);
    assert_eq!(party.expect("Image:update").await["id"], there["id"]);
    assert_eq!(latest.expect("Image:update").await["id"], there["id"]);
    assert_eq!(main.expect("Image:update").await["id"], here["id"]);
    // A command on an image of another board changes nothing.
    let ack = main
        .command("Image:delete", json!({ "id": there["id"] }))
        .await;
    assert_eq!(ack["message"], "there is no such photo");
    assert_eq!(
        app.get_json(&format!("/images?board={id}")).await["images"],
        json!([there])
    );
    let cleared: Value = send(
        &app,
        Method::DELETE,
        &format!("/images?board={id}"),
        Value::Null,
    )
    .await
    .json()
    .await
    .unwrap();
    assert_eq!(cleared, json!({ "deleted": 1 }));
    let bin = app.get_json(&format!("/images/deleted?board={id}")).await;
    assert_eq!(bin["images"][0]["id"], there["id"]);
    assert_eq!(app.get_json("/images/deleted").await["images"], json!([]));
    assert_eq!(app.get_json("/images").await["images"], json!([here]));
}

#[tokio::test]
async fn a_session_has_one_changefeed_and_the_server_one_of_all_boards() {
    let app = spawn_app().await;
    let Some(embedded) = &app.database.embedded else {
        return;
    };
    // One follows the boards; the allocator of placements starts with the first image.
    wait_for("the feed of the boards", || embedded.changefeeds() == 1).await;
    let id = make_board(&app, "Party").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut viewer = Viewer::connect(app.address, &format!("/ws?board={id}")).await;
    viewer.ready().await;
    assert_eq!(embedded.changefeeds(), 2);
    drop(viewer);
    wait_for("the end of the session", || embedded.changefeeds() == 1).await;
}

#[tokio::test]
async fn a_qr_code_is_drawn_of_addresses_of_this_server_only() {
    let app = spawn_app().await;
    let own = json!({ "text": app.url("/join/x") });
    let code = send(&app, Method::POST, "/qr", own).await;
    assert_eq!(code.headers()["content-type"], "image/svg+xml");
    assert!(code.text().await.unwrap().contains("<svg"));
    let foreign = json!({ "text": "https://evil.example/" });
    problem(send(&app, Method::POST, "/qr", foreign).await, 400).await;
}
