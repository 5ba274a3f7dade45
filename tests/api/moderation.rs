//! Locked and moderated boards.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::files::read;
use crate::guarded::{Carrier, Guarded, as_admin, connect, connect_as, upload};
use crate::helpers::{file_form, problem};
use crate::viewer::Viewer;

#[tokio::test]
async fn a_locked_board_is_read_only_for_all_below_host() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let id = guarded.add_image().await;
    let mut editor = connect(app, board, guarded.token("edit")).await.unwrap();
    let mut host = connect(app, board, guarded.token("host")).await.unwrap();
    editor.board_update().await;
    let path = format!("/boards/{board}");
    let locked = as_admin(app, Method::PATCH, &path, json!({ "locked": true })).await;
    assert_eq!(
        locked.json::<Value>().await.unwrap()["settings"]["locked"],
        true
    );
    assert_eq!(editor.board_update().await["settings"]["locked"], true);
    let caption = json!({ "id": id, "caption": "x" });
    let refused = editor.command("Image:update", caption.clone()).await;
    assert_eq!(refused["message"], "the board is locked");
    assert_eq!(
        host.command("Image:update", caption.clone()).await["ok"],
        true
    );
    let url = app.url(&format!("/image?board={board}"));
    let add = app.client.post(url).bearer_auth(guarded.token("edit"));
    let add = add.multipart(file_form("cat.png", read("plain.png")));
    assert_eq!(
        problem(add.send().await.unwrap(), 403).await,
        "The board is locked."
    );
    as_admin(app, Method::PATCH, &path, json!({ "locked": false })).await;
    editor.board_update().await;
    assert_eq!(editor.command("Image:update", caption).await["ok"], true);
}

/// A server with a moderated board.
async fn moderated() -> Guarded {
    let guarded = Guarded::new().await;
    let path = format!("/boards/{}", guarded.board);
    let body = json!({ "moderated": true });
    let changed = as_admin(&guarded.app, Method::PATCH, &path, body).await;
    assert_eq!(changed.status(), 200);
    guarded
}

/// Connects a guest who may add photos, with a browser of its own.
async fn guest(guarded: &Guarded, browser: &str) -> Viewer {
    let add = guarded.token("add");
    let connected = connect_as(&guarded.app, &guarded.board, add, browser).await;
    let mut guest = connected.unwrap();
    guest.ready().await;
    guest
}

#[tokio::test]
async fn on_a_moderated_board_guests_see_only_their_own_images_until_a_host_approves() {
    let guarded = moderated().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let add = guarded.token("add").to_owned();
    let mut ada = guest(&guarded, "browser-of-ada").await;
    let mut bo = guest(&guarded, "browser-of-bo").await;
    let mut host = connect(app, board, guarded.token("host")).await.unwrap();
    host.ready().await;
    let begin = json!({ "upload": realtime_photo::image::ImageId::new().to_string(), "fileName": "secret.png" });
    assert_eq!(ada.command("Upload:begin", begin).await["ok"], true);
    let record = upload(app, board, &add, Some("browser-of-ada")).await;
    assert_eq!(record["waiting"], true);
    assert_eq!(ada.expect("Image:update").await["waiting"], true);
    assert_eq!(
        host.expect_before("Image:update", &["Upload:begin"]).await["id"],
        record["id"]
    );
    let file = format!("/image/{}", record["id"].as_str().unwrap());
    let seen = async |role: &str, owner: &str| {
        let get = app
            .client
            .get(app.url(&file))
            .bearer_auth(guarded.token(role));
        let get = get.header("cookie", format!("photo-owner={owner}"));
        let list = app.client.get(app.url(&format!("/images?board={board}")));
        let list = list.bearer_auth(guarded.token(role));
        let list = list.header("cookie", format!("photo-owner={owner}"));
        let list: Value = list.send().await.unwrap().json().await.unwrap();
        let status = get.send().await.unwrap().status();
        (status.as_u16(), list["images"].as_array().unwrap().len())
    };
    assert_eq!(seen("add", "browser-of-ada").await, (200, 1));
    assert_eq!(seen("add", "browser-of-bo").await, (404, 0));
    assert_eq!(seen("edit", "x").await, (404, 0));
    assert_eq!(seen("host", "x").await, (200, 1));
    let approve = format!("{file}/approve");
    let approve = guarded.request("POST", &approve, guarded.token("host"), Carrier::Bearer);
    assert_eq!(approve.send().await.unwrap().status(), 204);
    // The other guest is told of it now, and of nothing before.
    let shown = bo.expect_before("Image:update", &["Upload:begin"]).await;
    assert_eq!((&shown["id"], shown.get("waiting")), (&record["id"], None));
    assert_eq!(seen("add", "browser-of-bo").await, (200, 1));
}

#[tokio::test]
async fn on_a_moderated_board_guests_learn_nothing_of_an_image_that_is_deleted_while_it_waits() {
    let guarded = moderated().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let add = guarded.token("add").to_owned();
    let mut ada = guest(&guarded, "browser-of-ada").await;
    let mut bo = guest(&guarded, "browser-of-bo").await;
    // Nor of the end of its upload; and others do not end it.
    let upload_id = realtime_photo::image::ImageId::new().to_string();
    let begin = json!({ "upload": upload_id, "fileName": "secret.png", "width": 9, "height": 9 });
    assert_eq!(ada.command("Upload:begin", begin).await["ok"], true);
    let end = json!({ "upload": upload_id });
    assert_eq!(bo.command("Upload:end", end.clone()).await["ok"], false);
    assert_eq!(ada.command("Upload:end", end).await["ok"], true);
    let gone = upload(app, board, &add, Some("browser-of-ada")).await;
    let delete = json!({ "id": gone["id"] });
    assert_eq!(ada.command("Image:delete", delete).await["ok"], true);
    let shown = upload(app, board, guarded.token("host"), None).await;
    let unwanted = ["Upload:begin", "Upload:end", "Image:delete"];
    assert_eq!(
        bo.expect_before("Image:update", &unwanted).await["id"],
        shown["id"]
    );
}

#[tokio::test]
async fn what_editors_add_to_a_moderated_board_does_not_wait() {
    let guarded = moderated().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let record = upload(app, board, guarded.token("edit"), None).await;
    assert_eq!(record.get("waiting"), None);
}

/// Sends a request as the host, who may do it.
async fn as_host(guarded: &Guarded, method: &str, path: &str) -> Response {
    let request = guarded.request(method, path, guarded.token("host"), Carrier::Bearer);
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{method} {path}");
    response
}

#[tokio::test]
async fn on_a_moderated_board_guests_change_no_text_of_an_image_that_a_host_has_approved() {
    let guarded = moderated().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let add = guarded.token("add").to_owned();
    let mut ada = guest(&guarded, "browser-of-ada").await;
    let mut viewer = connect(app, board, guarded.token("view")).await.unwrap();
    viewer.ready().await;
    let record = upload(app, board, &add, Some("browser-of-ada")).await;
    let id = record["id"].as_str().unwrap();
    let caption = |text: &str| json!({ "id": id, "caption": text });
    let ack = ada.command("Image:update", caption("mine")).await;
    assert_eq!(ack["ok"], true);
    as_host(&guarded, "POST", &format!("/image/{id}/approve")).await;
    assert_eq!(viewer.expect("Image:update").await["caption"], "mine");
    let ack = ada.command("Image:update", caption("never read")).await;
    assert_eq!(ack["ok"], false);
    let expected = "a host has approved this photo: its texts can no longer be changed";
    assert_eq!(ack["message"], expected);
    let ack = ada
        .command("Image:update", json!({ "id": id, "x": 7 }))
        .await;
    assert_eq!(ack["ok"], true);
    let moved = viewer.expect("Image:update").await;
    assert_eq!(
        (&moved["x"], &moved["caption"]),
        (&json!(7.0), &json!("mine"))
    );
}

#[tokio::test]
async fn on_a_moderated_board_a_restored_image_of_a_guest_waits_again() {
    let guarded = moderated().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let add = guarded.token("add").to_owned();
    let mut ada = guest(&guarded, "browser-of-ada").await;
    let mut viewer = connect(app, board, guarded.token("view")).await.unwrap();
    let token = format!("Bearer {}", guarded.token("view"));
    let headers = [("authorization", &*token)];
    let latest = format!("/ws?feed=latest&board={board}");
    let mut latest = Viewer::try_connect(app.address, &latest, &headers)
        .await
        .unwrap();
    for viewer in [&mut viewer, &mut latest] {
        viewer.ready().await;
    }
    let record = upload(app, board, &add, Some("browser-of-ada")).await;
    let id = record["id"].as_str().unwrap();
    as_host(&guarded, "POST", &format!("/image/{id}/approve")).await;
    viewer.expect("Image:update").await;
    let file = format!("/image/{id}");
    as_host(&guarded, "DELETE", &file).await;
    viewer.expect("Image:delete").await;
    let ack = ada.command("Image:restore", json!({ "id": id })).await;
    assert_eq!(ack["ok"], true);
    let list = as_host(&guarded, "GET", &format!("/images?board={board}")).await;
    let list: Value = list.json().await.unwrap();
    let restored = &list["images"][0];
    assert_eq!(restored["waiting"], true);
    assert_eq!(restored["id"], id);
    let get = guarded.request("GET", &file, guarded.token("view"), Carrier::Bearer);
    assert_eq!(get.send().await.unwrap().status(), 404);
    // It is deleted while it waits. Nobody hears of that who has not heard of the image.
    let ack = ada.command("Image:delete", json!({ "id": id })).await;
    assert_eq!(ack["ok"], true);
    let shown = upload(app, board, guarded.token("host"), None).await;
    let unwanted = ["Image:delete"];
    let next = viewer.expect_before("Image:update", &unwanted).await;
    assert_eq!(next["id"], shown["id"]);
    assert_eq!(deletions_before(&mut latest, &shown).await, 1);
}

/// Counts the deletions that a viewer of the latest image is sent before an image.
async fn deletions_before(latest: &mut Viewer, image: &Value) -> usize {
    let id = image["id"].as_str().unwrap();
    let mut deletions = 0;
    loop {
        let Message::Text(text) = latest.next().await else {
            continue;
        };
        deletions += usize::from(text.contains("Image:delete"));
        if text.contains("Image:update") && text.contains(id) {
            return deletions;
        }
    }
}
