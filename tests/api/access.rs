//! Who may do what: every route and every command, for every role, with good and bad links.

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_beside, spawn_with_options};
use crate::viewer::Viewer;
use realtime_photo::config::{Access, Settings};

const ADMIN: &str = "an-admin-token-for-tests";

/// Every role, in order.
const ROLES: [&str; 5] = ["view", "add", "edit", "host", "admin"];

/// How a client sends its token.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Carrier {
    Bearer,
    Cookie,
}

/// A server that wants links, with one board, and a token for each role on it.
struct Guarded {
    app: TestApp,
    board: String,
    /// By role, in the order of [`ROLES`].
    tokens: Vec<String>,
}

impl Guarded {
    async fn new() -> Self {
        let app = guarded_app().await;
        let board = make_board(&app, "Party").await;
        let mut tokens = Vec::new();
        for role in &ROLES[..4] {
            tokens.push(make_link(&app, &board, json!({ "role": role })).await.0);
        }
        tokens.push(ADMIN.to_owned());
        Self { app, board, tokens }
    }

    fn token(&self, role: &str) -> &str {
        let number = ROLES.iter().position(|other| *other == role);
        &self.tokens[number.unwrap()]
    }

    /// Adds an image to the board as an administrator. Returns its id.
    async fn add_image(&self) -> String {
        let record = upload(&self.app, &self.board, ADMIN, None).await;
        record["id"].as_str().unwrap().to_owned()
    }

    /// A request with a token for the board, without following redirects.
    fn request(&self, method: &str, path: &str, token: &str, carrier: Carrier) -> RequestBuilder {
        let client = Client::builder()
            .redirect(Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = client.request(method, self.app.url(path));
        match carrier {
            Carrier::Bearer => request.bearer_auth(token),
            Carrier::Cookie if token == ADMIN => {
                request.header("cookie", format!("photo-admin={token}"))
            }
            Carrier::Cookie => {
                request.header("cookie", format!("photo-board-{}={token}", self.board))
            }
        }
    }
}

async fn guarded_app() -> TestApp {
    spawn_with_options(needs_links).await
}

fn needs_links(settings: &mut Settings) {
    settings.access = Access::Links(ADMIN.parse().unwrap());
}

async fn as_admin(app: &TestApp, method: Method, path: &str, body: Value) -> Response {
    let request = app.client.request(method, app.url(path)).bearer_auth(ADMIN);
    request.json(&body).send().await.unwrap()
}

async fn make_board(app: &TestApp, title: &str) -> String {
    let made = as_admin(app, Method::POST, "/boards", json!({ "title": title })).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// Makes a link. Returns its token and its id.
async fn make_link(app: &TestApp, board: &str, link: Value) -> (String, String) {
    let path = format!("/boards/{board}/links");
    let made = as_admin(app, Method::POST, &path, link).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let token = made["url"].as_str().unwrap().rsplit('/').next().unwrap();
    (token.to_owned(), made["id"].as_str().unwrap().to_owned())
}

/// Uploads an image, with the cookie of a browser if `owner` names one. Returns its record.
async fn upload(app: &TestApp, board: &str, token: &str, owner: Option<&str>) -> Value {
    let url = app.url(&format!("/image?board={board}"));
    let mut request = app.client.post(url).bearer_auth(token);
    if let Some(owner) = owner {
        request = request.header("cookie", format!("photo-owner={owner}"));
    }
    let form = file_form("cat.png", read("plain.png"));
    let response = request.multipart(form).send().await.unwrap();
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

async fn connect(app: &TestApp, board: &str, token: &str) -> Result<Viewer, Error> {
    connect_as(app, board, token, "").await
}

async fn connect_as(app: &TestApp, board: &str, token: &str, owner: &str) -> Result<Viewer, Error> {
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("cookie", &*format!("photo-owner={owner}")),
    ];
    Viewer::try_connect(app.address, &format!("/ws?board={board}"), &headers).await
}

/// The status with which a socket was refused.
fn refusal(result: Result<Viewer, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the socket is open"),
    }
}

/// A route: method, path with `{board}` and `{id}`, and the least role. Every image is one that somebody else has added.
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
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;

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

/// The time in `seconds` as RFC 3339.
fn chrono_in(seconds: i64) -> String {
    let now = realtime_photo::image::Timestamp::now().as_millis();
    realtime_photo::image::Timestamp::from_millis(now + seconds * 1_000).to_string()
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
    // A wrong token does no harm either.
    let wrong = app.client.get(app.url("/images")).bearer_auth("wrong");
    assert_eq!(wrong.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_link_is_followed_once_and_its_secret_leaves_the_address() {
    let guarded = Guarded::new().await;
    let app = &guarded.app;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let join = async |token: &str| {
        let url = app.url(&format!("/join/{token}"));
        client.get(url).send().await.unwrap()
    };
    let joined = join(guarded.token("add")).await;
    assert_eq!(joined.status(), 303);
    assert_eq!(
        joined.headers()["location"],
        format!("/b/{}", guarded.board)
    );
    let cookies: Vec<&str> = joined
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2);
    for cookie in &cookies {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
    let pairs = cookies
        .iter()
        .map(|cookie| cookie.split(';').next().unwrap());
    let pairs: Vec<&str> = pairs.collect();
    let page = client.get(app.url(&format!("/b/{}", guarded.board)));
    let page = page
        .header("cookie", pairs.join("; "))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.headers().get("set-cookie").is_none());

    let joined = join(ADMIN).await;
    assert_eq!(
        (
            joined.status().as_u16(),
            &joined.headers()["location"] == "/"
        ),
        (303, true)
    );
    for unknown in ["wrong", "%20", "0123456789012345678901"] {
        problem(join(unknown).await, 404).await;
    }
}

#[tokio::test]
async fn guests_share_the_link_that_the_start_has_shown_and_nobody_below_them_does() {
    // On all addresses, so that there is one to share.
    let app = spawn_with_options(|settings| {
        settings.listen = ([0, 0, 0, 0], 0).into();
        settings.access = Access::Links(ADMIN.parse().unwrap());
    })
    .await;
    let invited = async |token: &str| {
        let invite = app.client.get(app.url("/invite")).bearer_auth(token);
        let invite = invite.header("host", "photos.local:8000");
        let invite: Value = invite.send().await.unwrap().json().await.unwrap();
        invite["url"].as_str().map(str::to_owned)
    };
    let (viewer, _) = make_link(&app, "main", json!({ "role": "view" })).await;
    let (guest, _) = make_link(&app, "main", json!({ "role": "add" })).await;
    assert_eq!(invited(&viewer).await, None);
    let url = invited(&guest).await.unwrap();
    let token = url.strip_prefix("http://photos.local:8000/join/").unwrap();
    assert_eq!(invited(token).await.as_deref(), Some(&*url));
    let links = as_admin(&app, Method::GET, "/boards/main/links", Value::Null).await;
    let links: Value = links.json().await.unwrap();
    assert_eq!(links["links"][0]["name"], "Shown at the start");
    let path = format!(
        "/boards/main/links/{}",
        links["links"][0]["id"].as_str().unwrap()
    );
    as_admin(&app, Method::DELETE, &path, Value::Null).await;
    assert_eq!(invited(&guest).await, None);
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

#[tokio::test]
async fn a_session_ends_when_its_link_is_revoked_or_expires_or_the_board_is_deleted() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let (token, link) = make_link(app, board, json!({ "role": "edit" })).await;
    let soon = json!({ "role": "edit", "expiresAt": chrono_in(2) });
    let (expiring, _) = make_link(app, board, soon).await;
    let mut revoked = connect(app, board, &token).await.unwrap();
    let mut expired = connect(app, board, &expiring).await.unwrap();
    let mut stays = connect(app, board, guarded.token("view")).await.unwrap();
    let path = format!("/boards/{board}/links/{link}");
    assert_eq!(
        as_admin(app, Method::DELETE, &path, Value::Null)
            .await
            .status(),
        204
    );
    assert_eq!(revoked.closed().await.map(u16::from), Some(4401));
    assert_eq!(expired.closed().await.map(u16::from), Some(4401));
    assert_eq!(refusal(connect(app, board, &token).await), 401);
    let path = format!("/boards/{board}");
    assert_eq!(
        as_admin(app, Method::DELETE, &path, Value::Null)
            .await
            .status(),
        204
    );
    assert_eq!(stays.closed().await.map(u16::from), Some(4404));
    assert_eq!(refusal(connect(app, board, ADMIN).await), 404);
    // Whoever had a link learns that the board is gone.
    assert_eq!(
        refusal(connect(app, board, guarded.token("view")).await),
        404
    );
}

#[tokio::test]
async fn a_link_revoked_on_one_server_ends_its_sessions_on_another() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let other = spawn_beside(app, needs_links).await;
    let (token, link) = make_link(app, board, json!({ "role": "edit" })).await;
    let path = format!("/ws?board={board}");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    let mut viewer = Viewer::try_connect(other, &path, &headers).await.unwrap();
    viewer.board_update().await;
    let revoke = format!("/boards/{board}/links/{link}");
    let revoked = as_admin(app, Method::DELETE, &revoke, Value::Null).await;
    assert_eq!(revoked.status(), 204);
    assert_eq!(viewer.closed().await.map(u16::from), Some(4401));
    assert_eq!(
        refusal(Viewer::try_connect(other, &path, &headers).await),
        401
    );
    let url = format!("http://{other}/images?board={board}");
    let list = app
        .client
        .get(url)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(list.status(), 401);
}

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

#[tokio::test]
async fn on_a_moderated_board_guests_see_only_their_own_images_until_a_host_approves() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let path = format!("/boards/{board}");
    as_admin(app, Method::PATCH, &path, json!({ "moderated": true })).await;
    let add = guarded.token("add").to_owned();
    let mut ada = connect_as(app, board, &add, "browser-of-ada")
        .await
        .unwrap();
    let mut bo = connect_as(app, board, &add, "browser-of-bo").await.unwrap();
    let mut host = connect(app, board, guarded.token("host")).await.unwrap();
    for viewer in [&mut ada, &mut bo, &mut host] {
        viewer.ready().await;
    }
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
    // Nor of one that is deleted before, or of the end of its upload; and others do not end it.
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
    // What editors add does not wait.
    let record = upload(app, board, guarded.token("edit"), None).await;
    assert_eq!(record.get("waiting"), None);
}

#[tokio::test]
async fn on_a_moderated_board_guests_show_neither_texts_nor_restored_images_without_approval() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let path = format!("/boards/{board}");
    as_admin(app, Method::PATCH, &path, json!({ "moderated": true })).await;
    let add = guarded.token("add").to_owned();
    let mut ada = connect_as(app, board, &add, "browser-of-ada")
        .await
        .unwrap();
    let mut viewer = connect(app, board, guarded.token("view")).await.unwrap();
    let token = format!("Bearer {}", guarded.token("view"));
    let headers = [("authorization", &*token)];
    let latest = format!("/ws?feed=latest&board={board}");
    let mut latest = Viewer::try_connect(app.address, &latest, &headers)
        .await
        .unwrap();
    for viewer in [&mut ada, &mut viewer, &mut latest] {
        viewer.ready().await;
    }
    let record = upload(app, board, &add, Some("browser-of-ada")).await;
    let id = record["id"].as_str().unwrap();
    let caption = |text: &str| json!({ "id": id, "caption": text });
    let command = async |viewer: &mut Viewer, event: &str, data: Value| {
        let mut ack = viewer.command(event, data).await;
        (ack["ok"].take(), ack["message"].take())
    };
    let (ok, _) = command(&mut ada, "Image:update", caption("mine")).await;
    assert_eq!(ok, true);
    let approve = format!("/image/{id}/approve");
    let approve = guarded.request("POST", &approve, guarded.token("host"), Carrier::Bearer);
    assert_eq!(approve.send().await.unwrap().status(), 204);
    assert_eq!(viewer.expect("Image:update").await["caption"], "mine");
    let (ok, message) = command(&mut ada, "Image:update", caption("never read")).await;
    let expected = "a host has approved this photo: its texts can no longer be changed";
    assert_eq!((ok, message), (json!(false), json!(expected)));
    let (ok, _) = command(&mut ada, "Image:update", json!({ "id": id, "x": 7 })).await;
    assert_eq!(ok, true);
    let moved = viewer.expect("Image:update").await;
    assert_eq!(
        (&moved["x"], &moved["caption"]),
        (&json!(7.0), &json!("mine"))
    );

    let delete = format!("/image/{id}");
    let delete = guarded.request("DELETE", &delete, guarded.token("host"), Carrier::Bearer);
    assert_eq!(delete.send().await.unwrap().status(), 204);
    viewer.expect("Image:delete").await;
    let (ok, _) = command(&mut ada, "Image:restore", json!({ "id": id })).await;
    assert_eq!(ok, true);
    let list = format!("/images?board={board}");
    let list = guarded.request("GET", &list, guarded.token("host"), Carrier::Bearer);
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    let restored = &list["images"][0];
    assert_eq!(restored["waiting"], true);
    assert_eq!(restored["id"], id);
    let file = format!("/image/{id}");
    let get = guarded.request("GET", &file, guarded.token("view"), Carrier::Bearer);
    assert_eq!(get.send().await.unwrap().status(), 404);
    // It is deleted while it waits, of which nobody is told who was not told of it.
    let (ok, _) = command(&mut ada, "Image:delete", json!({ "id": id })).await;
    assert_eq!(ok, true);
    let shown = upload(app, board, guarded.token("host"), None).await;
    let unwanted = ["Image:delete"];
    let next = viewer.expect_before("Image:update", &unwanted).await;
    assert_eq!(next["id"], shown["id"]);
    let mut deletions = 0;
    loop {
        let Message::Text(text) = latest.next().await else {
            continue;
        };
        deletions += usize::from(text.contains("Image:delete"));
        if text.contains("Image:update") && text.contains(shown["id"].as_str().unwrap()) {
            break;
        }
    }
    assert_eq!(deletions, 1);
}

#[tokio::test]
async fn who_follows_a_link_keeps_one_that_permits_more() {
    let guarded = Guarded::new().await;
    let (app, board) = (&guarded.app, &*guarded.board);
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    // The role with which a browser that has followed `first` comes back from following `then`.
    let role_after = async |first: &str, then: &str| {
        let cookie = format!("photo-board-{board}={}", guarded.token(first));
        let join = client.get(app.url(&format!("/join/{}", guarded.token(then))));
        let joined = join.header("cookie", &cookie).send().await.unwrap();
        assert_eq!(joined.status(), 303);
        let set = joined.headers().get_all("set-cookie").iter();
        let set = set.filter_map(|set| set.to_str().ok()?.split(';').next());
        let mut set = set.filter(|pair| pair.starts_with("photo-board-"));
        let cookie = set.next_back().unwrap_or(&cookie).to_owned();
        let show = client.get(app.url(&format!("/boards/{board}")));
        let shown = show.header("cookie", cookie).send().await.unwrap();
        let mut shown: Value = shown.json().await.unwrap();
        shown["role"].take()
    };
    assert_eq!(role_after("host", "view").await, "host");
    assert_eq!(role_after("view", "host").await, "host");
    assert_eq!(role_after("add", "add").await, "add");
}
