//! The rights of roles: every route and every command, for every role, with good and bad links.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::files::read;
use crate::guarded::{
    ADMIN, Carrier, Guarded, ROLES, as_admin, chrono_in, connect, connect_as, guarded_app,
    make_board, make_link, refusal, upload,
};
use crate::helpers::{problem, spawn_with_options};
use crate::viewer::Viewer;
use realtime_photo::config::Access;

/// A route: method, path with `{board}` and `{id}`, and the least role. Every image is one that somebody else has
/// added.
type Route = (&'static str, &'static str, &'static str);

const ROUTES: [Route; 30] = [
    ("GET", "/b/{board}", "view"),
    ("HEAD", "/b/{board}", "view"),
    ("GET", "/b/{board}/latest", "view"),
    ("GET", "/?board={board}", "view"),
    ("GET", "/latest?board={board}", "view"),
    ("GET", "/limits?board={board}", "view"),
    ("GET", "/images?board={board}", "view"),
    ("HEAD", "/images?board={board}", "view"),
    ("GET", "/images/download?board={board}", "view"),
    ("GET", "/image/{id}", "view"),
    ("HEAD", "/image/{id}", "view"),
    ("GET", "/image/download/{id}", "view"),
    ("GET", "/image/{id}/thumb", "view"),
    ("GET", "/invite?board={board}", "view"),
    ("GET", "/boards/{board}", "view"),
    ("GET", "/ws?board={board}", "view"),
    ("POST", "/image?board={board}", "add"),
    ("POST", "/image/?board={board}", "add"),
    ("GET", "/images/deleted?board={board}", "add"),
    ("DELETE", "/image/{id}", "edit"),
    ("POST", "/image/{id}/restore", "edit"),
    ("POST", "/image/{id}/approve", "host"),
    ("POST", "/images/approve?board={board}", "host"),
    ("DELETE", "/images?board={board}", "host"),
    ("PATCH", "/boards/{board}", "host"),
    ("GET", "/boards/{board}/links", "host"),
    ("POST", "/boards/{board}/links", "host"),
    ("DELETE", "/boards/{board}/links/unknown", "host"),
    ("POST", "/qr?board={board}", "host"),
    ("GET", "/boards", "admin"),
];

#[tokio::test]
async fn every_route_wants_its_role_and_a_link_that_is_valid() {
    let guarded = Guarded::new().await;
    let app = &guarded.app;
    let board = &*guarded.board;
    let other = make_board(app, "Other").await;
    let (foreign, _) = make_link(app, &other, json!({ "role": "host" })).await;
    let (revoked, link) = make_link(app, board, json!({ "role": "host" })).await;
    let path = format!("/boards/{board}/links/{link}");
    let removed = as_admin(app, Method::DELETE, &path, Value::Null).await;
    assert_eq!(removed.status(), 204);
    let soon = chrono_in(1);
    let (expired, _) = make_link(app, board, json!({ "role": "host", "expiresAt": soon })).await;
    // The link ends this session when it expires, unless it has expired already.
    if let Ok(mut session) = connect(app, board, &expired).await {
        assert_eq!(session.closed().await.map(u16::from), Some(4401));
    }

    for carrier in [Carrier::Bearer, Carrier::Cookie] {
        for (method, pattern, least) in ROUTES {
            let fill = |id: &str| pattern.replace("{board}", board).replace("{id}", id);
            let id = guarded.add_image().await;
            for token in ["wrong", &revoked, &expired] {
                let answer = guarded.request(method, &fill(&id), token, carrier);
                let answer = answer.send().await.unwrap();
                assert_eq!(answer.status(), 401, "{method} {pattern} with {carrier:?}");
            }
            // A link to another board does not reveal that this one exists.
            if carrier == Carrier::Bearer && least != "admin" {
                let answer = guarded.request(method, &fill(&id), &foreign, carrier);
                let answer = answer.send().await.unwrap();
                assert_eq!(answer.status(), 404, "{method} {pattern}");
            }
            for role in ROLES {
                let may = rank(role) >= rank(least);
                let id = guarded.add_image().await;
                let answer = guarded.request(method, &fill(&id), guarded.token(role), carrier);
                let status = answer.send().await.unwrap().status();
                let is_refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                assert_eq!(!is_refused, may, "{method} {pattern} as {role}: {status}");
                if !may {
                    assert_eq!(status, 403, "{method} {pattern} as {role}");
                }
                assert!(
                    !status.is_server_error(),
                    "{method} {pattern} as {role}: {status}"
                );
            }
        }
    }
}

fn rank(role: &str) -> usize {
    ROLES.iter().position(|other| *other == role).unwrap()
}

#[tokio::test]
async fn only_what_belongs_to_no_board_needs_no_link() {
    let app = guarded_app().await;
    for path in ["/healthz", "/readyz", "/static/js/main.js"] {
        assert_eq!(app.get(path).await.status(), 200, "{path}");
    }
    for path in [
        "/",
        "/latest",
        "/images",
        "/limits",
        "/boards",
        "/boards/main",
        "/invite",
        "/b/0123456789012345678901",
        "/image/0194bd2c-7a00-7000-8000-000000000001",
        "/image/nonsense",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.headers()["www-authenticate"], "Bearer", "{path}");
        assert_eq!(problem(answer, 401).await, "You need a link to this board.");
    }
    assert_eq!(
        refusal(Viewer::try_connect(app.address, "/ws", &[]).await),
        401
    );
    // A browser is shown a page.
    let page = app.client.get(app.url("/")).header("accept", "text/html");
    let page = page.send().await.unwrap();
    assert_eq!(page.status(), 401);
}

#[tokio::test]
async fn without_the_need_for_links_everybody_is_admin() {
    let app = spawn_with_options(|settings| settings.access = Access::Open).await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let mut viewer = app.board().await;
    let board = viewer.board_update().await;
    assert_eq!(
        board,
        json!({
            "id": "main", "title": "Photos", "createdAt": "1970-01-01T00:00:00.000Z",
            "settings": {"locked": false, "moderated": false}, "role": "admin", "me": null,
            "access": "open",
        })
    );
    assert_eq!(app.get_json("/boards/main").await, board);
    assert_eq!(record.get("board"), None);
    // A wrong token is ignored where nobody needs a link.
    let wrong = app.client.get(app.url("/images")).bearer_auth("wrong");
    assert_eq!(wrong.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_guest_changes_only_what_the_same_browser_has_added() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let token = guarded.token("add").to_owned();
    let own = upload(app, board, &token, Some("browser-of-ada")).await;
    let other = upload(app, board, &token, Some("browser-of-bo")).await;
    assert_ne!(own["owner"], other["owner"]);
    assert_eq!(own["board"], board);
    let mut ada = connect_as(app, board, &token, "browser-of-ada")
        .await
        .unwrap();
    let update = ada.board_update().await;
    assert_eq!(
        (&update["me"], &update["role"]),
        (&own["owner"], &json!("add"))
    );
    for (record, ok) in [(&own, true), (&other, false)] {
        for (event, data) in [
            (
                "Image:update",
                json!({ "id": record["id"], "caption": "mine" }),
            ),
            (
                "Image:arrange",
                json!({ "places": [{ "id": record["id"], "x": 5, "y": 5 }] }),
            ),
            ("Image:delete", json!({ "id": record["id"] })),
            ("Image:restore", json!({ "id": record["id"] })),
        ] {
            let ack = ada.command(event, data).await;
            assert_eq!(ack["ok"], ok, "{event}: {ack}");
        }
        let url = app.url(&format!("/image/{}", record["id"].as_str().unwrap()));
        let delete = app.client.delete(url).bearer_auth(&token);
        let delete = delete.header("cookie", "photo-owner=browser-of-ada");
        let status = delete.send().await.unwrap().status();
        assert_eq!(status, if ok { 204 } else { 403 });
    }
    // A script without the cookie owns nothing.
    let mut script = connect(app, board, &token).await.unwrap();
    let ack = script
        .command("Image:delete", json!({ "id": other["id"] }))
        .await;
    assert_eq!(ack["ok"], false);
}

#[tokio::test]
async fn the_file_of_a_deleted_image_is_for_those_who_can_restore_it() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let add = guarded.token("add").to_owned();
    let record = upload(app, board, &add, Some("browser-of-ada")).await;
    let id = record["id"].as_str().unwrap();
    let url = app.url(&format!("/image/{id}"));
    let deleted = app.client.delete(url).bearer_auth(ADMIN).send().await;
    assert_eq!(deleted.unwrap().status(), 204);
    let status = async |path: &str, token: &str, owner: &str| {
        let request = app.client.get(app.url(path)).bearer_auth(token);
        let request = request.header("cookie", format!("photo-owner={owner}"));
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["", "download/"] {
        let path = format!("/image/{path}{id}");
        let binned = format!("{path}?deleted=true");
        for (role, owner, expected) in [
            ("view", "browser-of-ada", 404),
            ("add", "browser-of-bo", 404),
            ("add", "browser-of-ada", 200),
            ("edit", "browser-of-bo", 200),
        ] {
            let token = guarded.token(role);
            let answer = status(&binned, token, owner).await;
            assert_eq!(answer, expected, "{binned} as {role}, {owner}");
            assert_eq!(status(&path, token, owner).await, 404, "{path} as {role}");
        }
    }
    let lock = json!({ "locked": true });
    let lock = app
        .client
        .patch(app.url(&format!("/boards/{board}")))
        .json(&lock);
    let locked = lock.bearer_auth(ADMIN).send().await.unwrap();
    assert_eq!(locked.status(), 200);
    let binned = format!("/image/{id}?deleted=true");
    assert_eq!(status(&binned, &add, "browser-of-ada").await, 404);
}

#[tokio::test]
async fn every_command_wants_its_role() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    for role in ROLES {
        let mut viewer = connect(app, board, guarded.token(role)).await.unwrap();
        assert_eq!(viewer.board_update().await["role"], role);
        let id = guarded.add_image().await;
        let upload = realtime_photo::image::ImageId::new().to_string();
        for (event, data, least) in [
            ("User:name", json!({ "name": "Ada" }), "view"),
            (
                "Upload:begin",
                json!({ "upload": upload, "fileName": "a.png" }),
                "add",
            ),
            ("Upload:end", json!({ "upload": upload }), "add"),
            ("Image:update", json!({ "id": id, "caption": "x" }), "edit"),
            (
                "Image:arrange",
                json!({ "places": [{ "id": id, "x": 1, "y": 2 }] }),
                "edit",
            ),
            ("Image:delete", json!({ "id": id }), "edit"),
            ("Image:restore", json!({ "id": id }), "edit"),
        ] {
            let ack = viewer.command(event, data).await;
            assert_eq!(
                ack["ok"],
                rank(role) >= rank(least),
                "{event} as {role}: {ack}"
            );
        }
    }
}
