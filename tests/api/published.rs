//! A server that a proxy publishes at another address, below a path.

use realtime_photo::config::Access;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_app, spawn_with_options};
use crate::viewer::Viewer;

const ADMIN: &str = "an-admin-token-for-tests";
const HOST: &str = "photos.example";
const ORIGIN: &str = "https://photos.example";

async fn published() -> TestApp {
    spawn_with_options(|settings| {
        settings.public_url = Some("https://photos.example/party/".parse().unwrap());
        settings.access = Access::Links(ADMIN.parse().unwrap());
    })
    .await
}

#[tokio::test]
async fn links_cookies_and_pages_name_the_published_address() {
    let app = published().await;
    let made = app.client.post(app.url("/party/boards")).bearer_auth(ADMIN);
    let made = made.header("host", HOST).header("origin", ORIGIN);
    let made = made
        .json(&json!({ "title": "Party" }))
        .send()
        .await
        .unwrap();
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = made.json().await.unwrap();
    let id = made["id"].as_str().unwrap();
    assert_eq!(location, format!("/party/boards/{id}"));
    let url = made["links"][1]["url"].as_str().unwrap();
    let token = url
        .strip_prefix("https://photos.example/party/join/")
        .unwrap();

    // With a proxy that strips the path, and with one that does not.
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    for path in ["/party/join", "/join"] {
        let joined = client
            .get(app.url(&format!("{path}/{token}")))
            .header("host", HOST);
        let joined = joined.send().await.unwrap();
        assert_eq!(joined.headers()["location"], format!("/party/b/{id}"));
        let cookie = joined.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("Path=/party/") && cookie.contains("Secure"),
            "{cookie}"
        );
    }
    let page = app.client.get(app.url("/party/")).bearer_auth(ADMIN);
    let page = page.header("host", HOST).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("href=\"/party/static/js/main.css\""));
    assert!(!page.contains("=\"/static/"));
    let add = app.client.post(app.url("/party/image")).bearer_auth(ADMIN);
    let add = add
        .header("host", HOST)
        .multipart(file_form("cat.png", read("plain.png")));
    let add = add.send().await.unwrap();
    assert!(
        add.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("/party/image/")
    );
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let app = published().await;
    let send = async |method: Method, host: &str, origin: Option<&str>| {
        let mut request = app
            .client
            .request(method, app.url("/images"))
            .bearer_auth(ADMIN);
        request = request.header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.send().await.unwrap()
    };
    assert_eq!(send(Method::DELETE, HOST, Some(ORIGIN)).await.status(), 200);
    assert_eq!(
        send(Method::DELETE, "127.0.0.1:8000", Some(ORIGIN))
            .await
            .status(),
        200
    );
    let rebound = send(Method::DELETE, "evil.example", Some("http://evil.example")).await;
    assert_eq!(
        problem(rebound, 403).await,
        "This server does not answer for that host. Open https://photos.example/party/"
    );
    for origin in ["http://photos.example", "https://evil.example", "null"] {
        problem(send(Method::DELETE, HOST, Some(origin)).await, 403).await;
    }
    let headers = [
        ("host", HOST),
        ("origin", ORIGIN),
        ("authorization", "Bearer an-admin-token-for-tests"),
    ];
    let mut viewer = Viewer::try_connect(app.address, "/party/ws", &headers)
        .await
        .unwrap();
    viewer.ready().await;
}

#[tokio::test]
async fn without_a_public_url_a_foreign_host_is_told_of_the_option() {
    let app = spawn_app().await;
    let request = app.client.get(app.url("/")).header("host", HOST);
    let detail = problem(request.send().await.unwrap(), 403).await;
    assert!(detail.contains("--public-url"), "{detail}");
}

#[tokio::test]
async fn health_checks_need_no_host() {
    let app = spawn_app().await;
    for (path, status) in [("/healthz", "200"), ("/readyz", "200"), ("/images", "400")] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
}
