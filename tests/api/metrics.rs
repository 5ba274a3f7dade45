//! `/metrics`, and the id of a request.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use realtime_photo::config::{Access, Database, EmbeddedSettings};
use realtime_photo::startup::Application;
use reqwest::Client;
use tokio::sync::oneshot;

use crate::files::read;
use crate::helpers::{file_form, settings_on, timely, unused_cluster};
use crate::viewer::Viewer;

const ADMIN: &str = "an-admin-token-for-tests";

/// A server with its own engine and with metrics, until it is dropped.
struct Measured {
    address: SocketAddr,
    metrics: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    server: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Measured {
    async fn start(access: Access) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, addresses) = oneshot::channel();
        let server = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let mut settings = settings_on(unused_cluster());
                settings.database = Database::Embedded(EmbeddedSettings {
                    data,
                    publish: None,
                });
                settings.access = access;
                settings.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
                let application = Application::build(settings).await.unwrap();
                let metrics = application.metrics_address().unwrap();
                started.send((application.address(), metrics)).unwrap();
                let stopped = async { drop(stopped.await) };
                application.run_until(stopped).await.unwrap();
            });
            runtime.shutdown_background();
        });
        let (address, metrics) = addresses.await.expect("the server starts");
        Self {
            address,
            metrics,
            client: Client::builder().pool_max_idle_per_host(0).build().unwrap(),
            stop: Some(stop),
            server: Some(server),
            _folder: folder,
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn text(&self) -> String {
        let url = format!("http://{}/metrics", self.metrics);
        let response = self.client.get(url).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        response.text().await.unwrap()
    }

    /// The value of a metric with its labels, 0 if it is not there yet.
    async fn value(&self, name: &str) -> f64 {
        let text = self.text().await;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().unwrap())
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.server.take().map(std::thread::JoinHandle::join);
        assert!(std::thread::panicking() || ended.is_some_and(|ended| ended.is_ok()));
    }
}

/// Waits until a metric has a value.
async fn until(app: &Measured, name: &str, expected: f64) {
    let polling = async {
        while app.value(name).await != expected {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timely(name, polling).await;
}

#[tokio::test]
async fn what_the_server_does_is_counted() {
    let app = Measured::start(Access::ByAddress).await;
    let commits = app.value("realtime_photo_engine_commits_total ").await;
    let file = read("plain.png");
    let size = file.len() as f64;
    let request = app.client.post(app.url("/image"));
    let stored = request
        .multipart(file_form("a.png", file))
        .send()
        .await
        .unwrap();
    assert_eq!(stored.status(), 201);
    assert_eq!(app.value("realtime_photo_uploads_total ").await, 1.0);
    assert_eq!(app.value("realtime_photo_upload_bytes_total ").await, size);
    let requests =
        r#"realtime_photo_http_requests_total{method="POST",route="/image",status="201"} "#;
    assert_eq!(app.value(requests).await, 1.0);
    let durations = r#"realtime_photo_http_request_duration_seconds_count{route="/image"} "#;
    assert_eq!(app.value(durations).await, 1.0);
    assert!(app.value("realtime_photo_engine_commits_total ").await > commits);
    assert!(
        app.value("realtime_photo_engine_durable_commits_total ")
            .await
            >= 1.0
    );
    assert!(app.value("realtime_photo_engine_file_bytes ").await > size);
    assert!(
        app.value("realtime_photo_database_query_duration_seconds_count ")
            .await
            > 1.0
    );
    assert!(
        app.value("realtime_photo_database_connections_total ")
            .await
            >= 1.0
    );
    assert_eq!(app.value("realtime_photo_boards ").await, 1.0);
    assert_eq!(app.value("realtime_photo_sessions ").await, 0.0);
    let viewer = Viewer::connect(app.address, "/ws").await;
    until(&app, "realtime_photo_sessions ", 1.0).await;
    until(&app, "realtime_photo_boards_viewed ", 1.0).await;
    drop(viewer);
    until(&app, "realtime_photo_sessions ", 0.0).await;
}

#[tokio::test]
async fn the_way_of_a_change_to_its_viewers_is_measured() {
    let app = Measured::start(Access::ByAddress).await;
    let mut viewer = Viewer::connect(app.address, "/ws").await;
    viewer.ready().await;
    let queued = "realtime_photo_session_queue_seconds_count ";
    let before = app.value(queued).await;
    let request = app.client.post(app.url("/image"));
    let form = file_form("a.png", read("plain.png"));
    assert_eq!(request.multipart(form).send().await.unwrap().status(), 201);
    let id = viewer.expect("Image:update").await["id"].clone();
    let changes = "realtime_photo_engine_changefeed_changes_total ";
    assert!(app.value(changes).await >= 1.0);
    let delay = "realtime_photo_engine_changefeed_delay_seconds_total ";
    assert!(app.value(delay).await > 0.0);
    assert!(app.value(queued).await > before);
    let commits = "realtime_photo_engine_commit_seconds_total ";
    assert!(app.value(commits).await > 0.0);
    let durable = "realtime_photo_engine_durable_commit_seconds_total ";
    assert!(app.value(durable).await > 0.0);
    // The upload has filled the cache.
    let hits = "realtime_photo_image_cache_hits_total ";
    let before = app.value(hits).await;
    let url = app.url(&format!("/image/{}", id.as_str().unwrap()));
    assert_eq!(app.client.get(url).send().await.unwrap().status(), 200);
    assert_eq!(app.value(hits).await, before + 1.0);
    assert!(app.value("realtime_photo_image_cache_bytes ").await > 0.0);
}

#[tokio::test]
async fn a_reached_limit_is_counted_by_its_name() {
    let app = Measured::start(Access::Links(ADMIN.parse().unwrap())).await;
    let reached = r#"realtime_photo_limit_reached_total{limit="tokens"} "#;
    assert_eq!(app.value(reached).await, 0.0);
    let guesses = async {
        for number in 0.. {
            let url = app.url(&format!("/join/guess{number}"));
            if app.client.get(url).send().await.unwrap().status() == 429 {
                break;
            }
        }
    };
    timely("a limit for guesses", guesses).await;
    assert_eq!(app.value(reached).await, 1.0);
}

#[tokio::test]
async fn labels_are_routes_and_never_paths_or_tokens() {
    let app = Measured::start(Access::Links(ADMIN.parse().unwrap())).await;
    for path in ["/join/", "/images?token=", "/nothing/", "/image/"] {
        let url = app.url(&format!("{path}{ADMIN}"));
        drop(app.client.get(url).send().await.unwrap());
    }
    let odd = reqwest::Method::from_bytes(b"S3CRET").unwrap();
    drop(app.client.request(odd, app.url("/")).send().await.unwrap());
    let text = app.text().await;
    assert!(!text.contains(ADMIN) && !text.contains("S3CRET"), "{text}");
    let routes: BTreeSet<&str> = text
        .split("route=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let expected = ["/", "/image/{id}", "/images", "/join/{token}", "none"];
    assert_eq!(routes, expected.into_iter().collect());
}

#[tokio::test]
async fn every_response_has_the_id_of_its_request() {
    let app = Measured::start(Access::Links(ADMIN.parse().unwrap())).await;
    let mut ids = BTreeSet::new();
    for path in ["/healthz", "/images", "/nothing", "/static/none"] {
        let response = app.client.get(app.url(path)).header("x-request-id", "mine");
        let response = response.send().await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert!(id.len() == 16 && id.chars().all(|digit| digit.is_ascii_hexdigit()));
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), 4);
}

/// The names of metrics in a text, without the endings of histograms.
fn metric_names(text: &str) -> BTreeSet<String> {
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = text.split(|letter| !is_name(letter));
    words
        .filter(|word| word.starts_with("realtime_photo_") || word.starts_with("process_"))
        .map(|word| {
            let stripped = ["_bucket", "_sum", "_count"].iter();
            let mut stripped = stripped.filter_map(|ending| word.strip_suffix(ending));
            stripped.next().unwrap_or(word).to_owned()
        })
        .collect()
}

#[tokio::test]
async fn the_documentation_names_every_metric_and_no_other() {
    let app = Measured::start(Access::ByAddress).await;
    drop(app.client.get(app.url("/healthz")).send().await.unwrap());
    let described = app.text().await;
    let lines = described
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let existing = lines.filter_map(|line| line.split(' ').next());
    let existing: BTreeSet<String> = existing.map(str::to_owned).collect();
    let documented = metric_names(include_str!("../../docs/operations.md"));
    assert_eq!(documented, existing);
    let shown = metric_names(include_str!("../../docs/grafana.json"));
    assert!(shown.len() > 15, "{shown:?}");
    let unknown: Vec<&String> = shown.difference(&existing).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// The beginnings of all texts that are logged at `warn` or `error`, in a source file.
fn logged(source: &str) -> Vec<String> {
    let calls = ["log::warn!(", "log::error!("].iter();
    let calls = calls.flat_map(|call| source.split(call).skip(1));
    calls
        .filter_map(|rest| {
            let text = rest.trim_start().strip_prefix('"')?;
            let end = text.find(['{', '"', '\\'])?;
            Some(text[..end].trim().to_owned())
        })
        .filter(|text| text.len() > 3)
        .collect()
}

fn sources(folder: &std::path::Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_documentation_explains_every_warning() {
    let mut texts = Vec::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&folder, &mut texts);
    let logged: BTreeSet<String> = texts.iter().flat_map(|text| logged(text)).collect();
    assert!(logged.len() > 30, "{logged:?}");
    let documentation = include_str!("../../docs/operations.md");
    let explained: Vec<&str> = documentation.split('`').skip(1).step_by(2).collect();
    let is_explained = |text: &&String| {
        explained.iter().any(|start| {
            start.len() > 3 && (text.starts_with(start) || start.starts_with(text.as_str()))
        })
    };
    let missing: Vec<&String> = logged.iter().filter(|text| !is_explained(text)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
