//! Requests from other sites are refused.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Error;

use crate::files::read;
use crate::helpers::{TestApp, file_form, problem, spawn_app};
use crate::viewer::Viewer;

const FOREIGN: &str = "http://evil.example";

fn own(app: &TestApp) -> String {
    format!("http://{}", app.address)
}

#[tokio::test]
async fn other_sites_cannot_change_anything() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let url = app.url(record["url"].as_str().unwrap());
    for (name, value) in [
        ("origin", FOREIGN),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "http://localhost.evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let upload = app
            .client
            .post(app.url("/image"))
            .multipart(file_form("x.png", read("plain.png")));
        problem(upload.header(name, value).send().await.unwrap(), 403).await;
        problem(
            app.client
                .delete(&url)
                .header(name, value)
                .send()
                .await
                .unwrap(),
            403,
        )
        .await;
    }
    assert_eq!(
        app.get_json("/images").await["images"],
        Value::from(vec![record])
    );
}

#[tokio::test]
async fn the_boards_own_page_and_scripts_can_change_things() {
    let app = spawn_app().await;
    for headers in [
        vec![],
        vec![("origin", own(&app))],
        vec![("sec-fetch-site", "same-origin".to_owned())],
    ] {
        let mut upload = app
            .client
            .post(app.url("/image"))
            .multipart(file_form("x.png", read("plain.png")));
        for (name, value) in headers {
            upload = upload.header(name, value);
        }
        assert_eq!(upload.send().await.unwrap().status(), 201);
    }
}

#[tokio::test]
async fn on_loopback_a_foreign_host_name_is_refused() {
    let app = spawn_app().await;
    let get = async |host: &str| {
        app.client
            .get(app.url("/images"))
            .header("host", host)
            .send()
            .await
            .unwrap()
    };
    for host in [
        "evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "0.0.0.0",
    ] {
        problem(get(host).await, 403).await;
    }
    for host in ["localhost", "localhost:1", "127.0.0.1", "[::1]:8000"] {
        assert_eq!(get(host).await.status(), 200, "{host}");
    }
}

#[tokio::test]
async fn only_the_boards_own_page_can_open_a_socket() {
    let app = spawn_app().await;
    for headers in [
        [("origin", FOREIGN)],
        [("origin", "null")],
        [("host", "evil.example")],
    ] {
        match Viewer::try_connect(app.address, "/ws", &headers).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403, "{headers:?}"),
            Err(error) => panic!("{headers:?}: {error}"),
            Ok(_) => panic!("{headers:?} is accepted"),
        }
    }
    let own = own(&app);
    let mut viewer = Viewer::try_connect(app.address, "/ws", &[("origin", &own)])
        .await
        .unwrap();
    viewer.initial().await;
}
