//! `GET /image/{id}`, `DELETE /image/{id}` and `GET /images`

use serde_json::Value;

use crate::files::{read, sized};
use crate::helpers::{TestApp, file_form, problem, spawn_app};

const UNKNOWN: &str = "0194bd2c-7a00-7000-8000-000000000001";

fn url(record: &Value) -> &str {
    record["url"].as_str().unwrap()
}

#[tokio::test]
async fn an_image_is_served_with_security_and_cache_headers() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let response = app.get(url(&record)).await;
    let header = |name: &str| response.headers()[name].to_str().unwrap();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("content-length"), "6437");
    assert_eq!(
        header("etag"),
        format!("\"{}\"", record["sha256"].as_str().unwrap())
    );
    assert_eq!(
        header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("accept-ranges"), "bytes");
    assert!(header("content-security-policy").starts_with("default-src 'none';"));
    assert!(header("content-disposition").starts_with("inline; "));
}

#[tokio::test]
async fn head_returns_the_headers_of_get_without_a_body() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let get = app.get(url(&record)).await;
    let head = app.client.head(app.url(url(&record))).send().await.unwrap();
    assert_eq!(head.status(), 200);
    for name in [
        "content-type",
        "content-length",
        "etag",
        "cache-control",
        "content-disposition",
    ] {
        assert_eq!(head.headers()[name], get.headers()[name], "{name}");
    }
    assert!(head.bytes().await.unwrap().is_empty());
    for path in ["/", "/latest", "/images", "/healthz"] {
        let head = app.client.head(app.url(path)).send().await.unwrap();
        assert_eq!(head.status(), 200, "{path}");
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_request_with_a_matching_etag_is_answered_with_304() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let etag = format!("\"{}\"", record["sha256"].as_str().unwrap());
    for (known, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}, \"other\""), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let request = app
            .client
            .get(app.url(url(&record)))
            .header("if-none-match", &known);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{known}");
        assert_eq!(response.headers()["etag"], etag);
    }
}

#[tokio::test]
async fn range_requests_return_parts_of_an_image() {
    let app = spawn_app().await;
    let bytes = read("plain.png");
    let record = app.upload("cat.png", bytes.clone()).await;
    let range = async |range: &str, condition: Option<&str>| {
        let mut request = app.client.get(app.url(url(&record))).header("range", range);
        if let Some(condition) = condition {
            request = request.header("if-range", condition);
        }
        request.send().await.unwrap()
    };
    let part = range("bytes=1-3", None).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 1-3/6437");
    assert_eq!(part.bytes().await.unwrap(), "PNG");
    assert_eq!(
        range("bytes=-8", None).await.bytes().await.unwrap(),
        bytes[6429..]
    );
    let too_far = range("bytes=6437-", None).await;
    assert_eq!(too_far.headers()["content-range"], "bytes */6437");
    problem(too_far, 416).await;
    let etag = format!("\"{}\"", record["sha256"].as_str().unwrap());
    assert_eq!(range("bytes=0-0", Some(&etag)).await.status(), 206);
    assert_eq!(range("bytes=0-0", Some("\"old\"")).await.status(), 200);
}

#[tokio::test]
async fn a_download_keeps_the_name_of_the_file() {
    let app = spawn_app().await;
    let form = file_form("x.png", read("plain.png")).text("fileName", "Käse \"1\" 🧀.png");
    let record: Value = app.post(form).await.json().await.unwrap();
    let response = app
        .get(&format!(
            "/image/download/{}",
            record["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        response.headers()["content-disposition"],
        "attachment; filename=\"K_se _1_ _.png\"; filename*=UTF-8''K%C3%A4se%20%221%22%20%F0%9F%A7%80.png"
    );
    assert_eq!(response.bytes().await.unwrap(), read("plain.png"));
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let app = spawn_app().await;
    for id in [
        UNKNOWN,
        "7",
        "x",
        "%00",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "0194BD2C-7A00-7000-8000-000000000001",
    ] {
        for path in [format!("/image/{id}"), format!("/image/download/{id}")] {
            problem(app.get(&path).await, 404).await;
        }
        problem(app.delete(&format!("/image/{id}")).await, 404).await;
    }
}

#[tokio::test]
async fn a_deleted_image_is_gone_everywhere() {
    let app = spawn_app().await;
    let kept = app.upload("kept.png", read("plain.png")).await;
    let gone = app.upload("gone.gif", read("still.gif")).await;
    // The server caches it.
    app.get(url(&gone)).await;
    assert_eq!(app.delete(url(&gone)).await.status(), 204);
    problem(app.get(url(&gone)).await, 404).await;
    problem(app.delete(url(&gone)).await, 404).await;
    assert_eq!(
        app.get_json("/images").await["images"],
        Value::from(vec![kept])
    );
}

async fn list(app: &TestApp, query: &str) -> (Vec<String>, Value) {
    let page = app.get_json(&format!("/images{query}")).await;
    let images = page["images"].as_array().unwrap().iter();
    (
        images
            .map(|record| record["id"].as_str().unwrap().to_owned())
            .collect(),
        page["next"].clone(),
    )
}

#[tokio::test]
async fn the_list_is_paged_and_newest_first() {
    let app = spawn_app().await;
    assert_eq!(list(&app, "").await, (vec![], Value::Null));
    let mut ids = Vec::new();
    for number in 0..5 {
        let record = app.upload("cat.png", sized(7000, number)).await;
        ids.insert(0, record["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(list(&app, "").await, (ids.clone(), Value::Null));
    assert_eq!(list(&app, "?limit=5").await, (ids.clone(), Value::Null));
    assert_eq!(
        list(&app, "?limit=2").await,
        (ids[..2].to_vec(), ids[1].clone().into())
    );
    let second = format!("?limit=2&before={}", ids[1]);
    assert_eq!(
        list(&app, &second).await,
        (ids[2..4].to_vec(), ids[3].clone().into())
    );
    let last = format!("?limit=2&before={}", ids[3]);
    assert_eq!(list(&app, &last).await, (ids[4..].to_vec(), Value::Null));
    for wrong in ["?limit=0", "?limit=x", "?before=x", "?sha256=x"] {
        problem(app.get(&format!("/images{wrong}")).await, 400).await;
    }
}

#[tokio::test]
async fn images_can_be_found_by_hash() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let other = app.upload("dog.gif", read("still.gif")).await;
    let by_hash = format!("?sha256={}", record["sha256"].as_str().unwrap());
    assert_eq!(
        list(&app, &by_hash).await.0,
        [record["id"].as_str().unwrap()]
    );
    app.delete(url(&other)).await;
    let deleted = format!("?sha256={}", other["sha256"].as_str().unwrap());
    assert_eq!(list(&app, &deleted).await.0, [""; 0]);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_with_problems() {
    let app = spawn_app().await;
    for path in [
        "/nothing",
        "/image",
        "/image/a/b",
        "/images/",
        "/static/",
        "/static/nothing.js",
        "/.git/config",
    ] {
        let status = if path == "/image" { 405 } else { 404 };
        problem(app.get(path).await, status).await;
    }
    for (method, path, allow) in [
        ("GET", "/image", "POST"),
        ("PUT", "/image/x", "GET, HEAD, DELETE"),
        ("POST", "/images", "GET, HEAD, DELETE"),
        ("DELETE", "/", "GET, HEAD"),
        ("OPTIONS", "/ws", "GET"),
    ] {
        let request = app.client.request(method.parse().unwrap(), app.url(path));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["allow"], allow, "{path}");
        problem(response, 405).await;
    }
}
