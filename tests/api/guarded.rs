//! A server that wants links, with boards, links and viewers.

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::files::read;
use crate::helpers::{TestApp, file_form, spawn_with_options};
use crate::viewer::Viewer;
use realtime_photo::config::{Access, Settings};

pub(crate) const ADMIN: &str = "an-admin-token-for-tests";

/// Every role, in order.
pub(crate) const ROLES: [&str; 5] = ["view", "add", "edit", "host", "admin"];

/// The way in which a client sends its token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Carrier {
    Bearer,
    Cookie,
}

/// A server that wants links, with one board, and a token for each role on it.
pub(crate) struct Guarded {
    pub(crate) app: TestApp,
    pub(crate) board: String,
    /// By role, in the order of [`ROLES`].
    pub(crate) tokens: Vec<String>,
}

impl Guarded {
    pub(crate) async fn new() -> Self {
        let app = guarded_app().await;
        let board = make_board(&app, "Party").await;
        let mut tokens = Vec::new();
        for role in &ROLES[..4] {
            tokens.push(make_link(&app, &board, json!({ "role": role })).await.0);
        }
        tokens.push(ADMIN.to_owned());
        Self { app, board, tokens }
    }

    pub(crate) fn token(&self, role: &str) -> &str {
        let number = ROLES.iter().position(|other| *other == role);
        &self.tokens[number.unwrap()]
    }

    /// Adds an image to the board as an administrator. Returns its id.
    pub(crate) async fn add_image(&self) -> String {
        let record = upload(&self.app, &self.board, ADMIN, None).await;
        record["id"].as_str().unwrap().to_owned()
    }

    /// A request with a token for the board, without following redirects.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        token: &str,
        carrier: Carrier,
    ) -> RequestBuilder {
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

pub(crate) async fn guarded_app() -> TestApp {
    spawn_with_options(needs_links).await
}

pub(crate) fn needs_links(settings: &mut Settings) {
    settings.access = Access::Links(ADMIN.parse().unwrap());
}

pub(crate) async fn as_admin(app: &TestApp, method: Method, path: &str, body: Value) -> Response {
    let request = app.client.request(method, app.url(path)).bearer_auth(ADMIN);
    request.json(&body).send().await.unwrap()
}

pub(crate) async fn make_board(app: &TestApp, title: &str) -> String {
    let made = as_admin(app, Method::POST, "/boards", json!({ "title": title })).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// Makes a link. Returns its token and its id.
pub(crate) async fn make_link(app: &TestApp, board: &str, link: Value) -> (String, String) {
    let path = format!("/boards/{board}/links");
    let made = as_admin(app, Method::POST, &path, link).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let token = made["url"].as_str().unwrap().rsplit('/').next().unwrap();
    (token.to_owned(), made["id"].as_str().unwrap().to_owned())
}

/// Uploads an image, with the cookie of a browser if `owner` names one. Returns its record.
pub(crate) async fn upload(app: &TestApp, board: &str, token: &str, owner: Option<&str>) -> Value {
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

pub(crate) async fn connect(app: &TestApp, board: &str, token: &str) -> Result<Viewer, Error> {
    connect_as(app, board, token, "").await
}

pub(crate) async fn connect_as(
    app: &TestApp,
    board: &str,
    token: &str,
    owner: &str,
) -> Result<Viewer, Error> {
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("cookie", &*format!("photo-owner={owner}")),
    ];
    Viewer::try_connect(app.address, &format!("/ws?board={board}"), &headers).await
}

/// The status with which a socket was refused.
pub(crate) fn refusal(result: Result<Viewer, Error>) -> u16 {
    match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the socket is open"),
    }
}

/// The time in `seconds` as RFC 3339.
pub(crate) fn chrono_in(seconds: i64) -> String {
    let now = realtime_photo::image::Timestamp::now().as_millis();
    realtime_photo::image::Timestamp::from_millis(now + seconds * 1_000).to_string()
}
