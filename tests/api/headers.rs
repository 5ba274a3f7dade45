//! The security headers of every answer.

use realtime_photo::config::Access;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};

use crate::files::read;
use crate::helpers::{TestApp, spawn_app, spawn_with_options};

/// Every path of the server, with images and boards that exist and others that do not, and the status of `GET`.
fn paths(image: &str) -> Vec<(String, u16)> {
    let unknown = "0194bd2c-7a00-7000-8000-000000000001";
    let mut paths: Vec<(String, u16)> = [
        ("/", 200),
        ("/latest", 200),
        ("/b/main", 200),
        ("/b/main/latest", 200),
        ("/b/unknown00000", 404),
        ("/boards", 200),
        ("/boards/main", 200),
        ("/boards/main/links", 200),
        ("/boards/main/links/x", 405),
        ("/static/js/main.js", 200),
        ("/static/js/upload/hash-worker.js", 200),
        ("/static/nothing.js", 404),
        ("/image", 405),
        ("/images", 200),
        ("/images?limit=x", 400),
        ("/images?%", 200),
        ("/images/deleted", 200),
        ("/images/download", 200),
        ("/images/approve", 405),
        ("/limits", 200),
        ("/ws", 426),
        ("/ws?feed=x", 400),
        ("/invite", 200),
        ("/invite/qr.svg", 404),
        ("/qr", 405),
        ("/join/unknown", 404),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/nothing", 404),
        ("/%00", 404),
    ]
    .map(|(path, status)| (path.to_owned(), status))
    .to_vec();
    for (id, status) in [(image, 200), (unknown, 404), ("malformed", 404)] {
        paths.push((format!("/image/{id}"), status));
        paths.push((format!("/image/download/{id}"), status));
        paths.push((format!("/image/{id}/thumb"), status));
        paths.push((format!("/image/{id}/restore"), 405));
        paths.push((format!("/image/{id}/approve"), 405));
    }
    paths
}

fn check(what: &str, headers: &HeaderMap, frame_ancestors: &str) {
    let text = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next().unwrap_or_else(|| panic!("{what}: no {name}"));
        assert!(values.next().is_none(), "{what}: {name} twice");
        value.to_str().unwrap()
    };
    assert_eq!(text("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(text("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(
        text("cross-origin-resource-policy"),
        "same-origin",
        "{what}"
    );
    assert!(text("permissions-policy").contains("camera=()"), "{what}");
    let policy = text("content-security-policy");
    let is_page = policy.starts_with("default-src 'self';");
    assert!(
        is_page || policy.starts_with("default-src 'none';"),
        "{what}: {policy}"
    );
    let ancestors = if is_page { frame_ancestors } else { "'none'" };
    assert!(
        policy.contains(&format!("frame-ancestors {ancestors}")),
        "{what}: {policy}"
    );
    // The browser's own page around an image has inline styles; nothing else may have any.
    let is_image = headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"image/") && kind != "image/svg+xml");
    assert!(is_image || !policy.contains("unsafe"), "{what}: {policy}");
    assert!(!policy.contains('*'), "{what}: {policy}");
}

/// Asks for every path with several methods, as a script and as a browser that navigates.
async fn walk(app: &TestApp, expected: impl Fn(u16) -> u16, frame_ancestors: &str) {
    let client = Client::builder()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let image = app.image_id().await;
    for (path, status) in paths(&image) {
        for method in ["GET", "HEAD", "PUT", "OPTIONS"] {
            for accept in ["*/*", "text/html"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let request = client.request(method.clone(), app.url(&path));
                let response = request.header("accept", accept).send().await.unwrap();
                let what = format!("{method} {path} as {accept}: {}", response.status());
                if method == Method::GET {
                    let actual = response.status().as_u16();
                    assert!(actual == status || actual == expected(status), "{what}");
                }
                check(&what, response.headers(), frame_ancestors);
            }
        }
    }
    for (name, value) in [("origin", "http://evil.example"), ("host", "evil.example")] {
        let request = client.post(app.url("/image")).header(name, value);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 403);
        check(
            &format!("foreign {name}"),
            response.headers(),
            frame_ancestors,
        );
    }
    let empty = client
        .post(app.url("/image"))
        .body("")
        .send()
        .await
        .unwrap();
    check("an empty upload", empty.headers(), frame_ancestors);
}

impl TestApp {
    /// The id of an image of the board; one is added if nobody needs a link.
    async fn image_id(&self) -> String {
        let added = self
            .post(crate::helpers::file_form("x.png", read("plain.png")))
            .await;
        match added.status().as_u16() {
            201 => {
                let record: serde_json::Value = added.json().await.unwrap();
                record["id"].as_str().unwrap().to_owned()
            }
            _ => "0194bd2c-7a00-7000-8000-000000000002".to_owned(),
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let app = spawn_app().await;
    // A small image has no thumbnail.
    walk(
        &app,
        |status| if status == 200 { 404 } else { status },
        "'none'",
    )
    .await;
}

#[tokio::test]
async fn so_has_every_answer_to_a_stranger() {
    let app = spawn_with_options(|settings| {
        settings.access = Access::Links("an-admin-token-for-tests".parse().unwrap());
    })
    .await;
    walk(&app, |_| 401, "'none'").await;
}

#[tokio::test]
async fn pages_can_be_embedded_where_the_operator_allows_it() {
    let app = spawn_with_options(|settings| {
        settings.embedding = vec!["https://www.example.com".parse().unwrap()];
    })
    .await;
    let allowed = "'self' https://www.example.com";
    walk(
        &app,
        |status| if status == 200 { 404 } else { status },
        allowed,
    )
    .await;
}

#[tokio::test]
async fn only_pages_that_take_images_may_fetch_from_other_sites() {
    let app = spawn_app().await;
    for (path, may_fetch) in [
        ("/", true),
        ("/latest", true),
        ("/boards", false),
        ("/nothing", false),
        ("/static/js/upload/hash-worker.js", false),
    ] {
        let request = app.client.get(app.url(path)).header("accept", "text/html");
        let response = request.send().await.unwrap();
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert_eq!(policy.contains("https:"), may_fetch, "{path}: {policy}");
    }
}
