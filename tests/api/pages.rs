//! The pages, the health endpoints and the limits.

use reqwest::header::HeaderMap;

use crate::helpers::{problem, spawn_app};

fn text(headers: &HeaderMap, name: &str) -> String {
    headers[name].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_pages_load_nothing_from_other_origins() {
    let app = spawn_app().await;
    for path in ["/", "/latest"] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(text(&headers, "content-type"), "text/html; charset=utf-8");
        assert_eq!(text(&headers, "x-content-type-options"), "nosniff");
        assert_eq!(text(&headers, "referrer-policy"), "no-referrer");
        let policy = text(&headers, "content-security-policy");
        for rule in [
            "default-src 'self';",
            "connect-src 'self' http: https: data: blob:;",
            "img-src 'self' blob: data:;",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_file_that_a_page_references_is_served_with_its_type() {
    let app = spawn_app().await;
    // The pages name their code as a whole; its modules can be read one by one, too.
    let mut waiting = [
        "/",
        "/latest",
        "/static/js/boards/boards.js",
        "/static/js/board/board.js",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let response = app.get(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        let kind = text(response.headers(), "content-type");
        let expected = match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(kind, expected, "{path}");
        let content = response.text().await.unwrap();
        for (at, _) in content.match_indices("\"/static/") {
            waiting.push(content[at + 1..].split('"').next().unwrap().to_owned());
        }
        // The imports of a module are relative to it.
        let module = reqwest::Url::parse(&app.url(&path)).unwrap();
        for start in ["from'", "import('"] {
            for (at, _) in content.match_indices(start) {
                let import = content[at + start.len()..].split('\'').next().unwrap();
                waiting.push(module.join(import).unwrap().path().to_owned());
            }
        }
    }
    // Fewer would mean that the search above misses references.
    assert!(seen.len() > 15, "{seen:?}");
    for path in [
        "/static/js/main.js",
        "/static/js/main.css",
        "/static/js/board/tile.js",
    ] {
        assert!(seen.contains(path), "{path} in {seen:?}");
    }
}

#[tokio::test]
async fn an_unchanged_page_is_answered_with_304() {
    let app = spawn_app().await;
    let first = app.get("/").await;
    assert_eq!(text(first.headers(), "cache-control"), "private, no-cache");
    let etag = text(first.headers(), "etag");
    let again = app
        .client
        .get(app.url("/"))
        .header("if-none-match", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(again.status(), 304);
    assert!(again.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn no_file_outside_the_static_folder_can_be_read() {
    let app = spawn_app().await;
    for path in [
        "..%2fCargo.toml",
        "%2e%2e/Cargo.toml",
        "..%5cCargo.toml",
        "%2fetc%2fpasswd",
        "js",
        "",
        "%00",
    ] {
        problem(app.get(&format!("/static/{path}")).await, 404).await;
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_page_for_browsers_and_a_problem_for_scripts() {
    let app = spawn_app().await;
    for path in [
        "/nowhere",
        "/static/nowhere",
        "/image/0194bd2c-7a00-7000-8000-000000000001",
    ] {
        let browser = app.client.get(app.url(path)).header(
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        );
        let page = browser.send().await.unwrap();
        assert_eq!(page.status(), 404, "{path}");
        let headers = page.headers().clone();
        assert_eq!(text(&headers, "content-type"), "text/html; charset=utf-8");
        assert_eq!(text(&headers, "vary"), "Accept");
        assert!(text(&headers, "content-security-policy").starts_with("default-src 'self'"));
        let page = page.text().await.unwrap();
        assert!(
            page.contains("<h1>") && page.contains("href=\"/\""),
            "{page}"
        );
        for accept in ["*/*", "application/json", "image/avif,image/webp,*/*;q=0.8"] {
            let script = app.client.get(app.url(path)).header("accept", accept);
            problem(script.send().await.unwrap(), 404).await;
        }
    }
}

#[tokio::test]
async fn the_health_endpoints_answer_200() {
    let app = spawn_app().await;
    assert_eq!(app.get("/healthz").await.status(), 200);
    assert_eq!(app.get("/readyz").await.status(), 200);
}

#[tokio::test]
async fn the_limits_of_uploads_are_readable() {
    let app = spawn_app().await;
    let limits: serde_json::Value = app.get("/limits").await.json().await.unwrap();
    assert_eq!(limits["maxUpload"], crate::helpers::MAX_UPLOAD as u64);
    assert!(limits["maxPixels"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn files_are_minified_and_compressed_as_the_client_accepts() {
    let app = spawn_app().await;
    for path in ["/", "/static/js/main.js", "/static/js/ui/base.css"] {
        let mut lengths = Vec::new();
        let mut etags = Vec::new();
        for (accepts, encoding) in [
            ("identity", None),
            ("gzip, deflate", Some("gzip")),
            ("gzip, deflate, br, zstd", Some("br")),
        ] {
            let get = |etag: &str| {
                let request = app.client.get(app.url(path));
                let request = request.header("accept-encoding", accepts);
                request.header("if-none-match", etag).send()
            };
            let response = get("\"other\"").await.unwrap();
            assert_eq!(response.status(), 200);
            let headers = response.headers().clone();
            let sent = headers.get("content-encoding");
            assert_eq!(sent.map(|sent| sent.to_str().unwrap()), encoding, "{path}");
            assert!(text(&headers, "vary").contains("Accept-Encoding"));
            let etag = text(&headers, "etag");
            assert_eq!(get(&etag).await.unwrap().status(), 304);
            etags.push(etag);
            lengths.push(response.bytes().await.unwrap().len());
        }
        let is_less = lengths[1..].iter().all(|&sent| sent < lengths[0] / 2);
        assert!(is_less, "{path}: {lengths:?}");
        assert_eq!(
            etags
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len(),
            3
        );
    }
    let module = app.get("/static/js/main.js").await.text().await.unwrap();
    assert!(!module.contains("@ts-check"), "comments are not sent");
    assert!(
        module.contains("class Lightbox"),
        "what it imports is part of it"
    );
    assert!(
        !module.contains("import{"),
        "nothing else has to be requested"
    );
}
