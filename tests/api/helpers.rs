//! A server and a database for each test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use realtime_photo::config::{Access, Database, Settings, parse_rethinkdb_url};
use realtime_photo::engine::{Engine, EngineSettings};
use realtime_photo::image::Metadata;
use realtime_photo::startup::Application;
use realtime_photo::store::{BoardLimits, ClusterSettings, DEFAULT_UNDO_WINDOW, Store};
use realtime_photo::web;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::proxy::Proxy;
use crate::viewer::Viewer;

/// The time limit of every wait in a test. It only ends a test that hangs, so it allows for a busy machine.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(120);

/// The largest upload that the servers accept: the default of `--max-upload`.
pub(crate) const MAX_UPLOAD: usize = 16 << 20;

/// A running server with its own database. Dropping it stops the server and drops the database.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    /// All connections between the server and the database go through it.
    pub(crate) proxy: Proxy,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    pub(crate) database: TestDatabase,
}

/// The database of one test.
pub(crate) struct TestDatabase {
    settings: ClusterSettings,
    pub(crate) embedded: Option<Embedded>,
}

/// An engine that can be stopped and restarted.
pub(crate) struct Embedded {
    engine: Option<Engine>,
    folder: TempDir,
    address: SocketAddr,
}

/// A server as `main` builds it.
pub(crate) async fn spawn_app() -> TestApp {
    spawn_with_options(|_| {}).await
}

/// A cluster for settings whose database is replaced.
pub(crate) fn unused_cluster() -> ClusterSettings {
    ClusterSettings::new("127.0.0.1", 1)
}

/// The settings of a server on a database.
pub(crate) fn settings_on(cluster: ClusterSettings) -> Settings {
    Settings {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        database: Database::Cluster(cluster),
        metrics_listen: None,
        log_format: Default::default(),
        tls: None,
        public_url: None,
        embedding: Vec::new(),
        trusted_proxies: web::TrustedProxies::default(),
        access: Access::ByAddress,
        max_upload: MAX_UPLOAD as u64,
        max_pixels: 100_000_000,
        board_limits: BoardLimits::default(),
        upload_memory: 256 << 20,
        upload_dir: None,
        undo_window: DEFAULT_UNDO_WINDOW,
        // Most tests compare stored bytes with files whose padding would be removed.
        metadata: Metadata::Keep,
    }
}

/// Another server on the database of `app`, with other options. Returns its address. It runs until the tests end.
pub(crate) async fn spawn_beside(
    app: &TestApp,
    change: impl FnOnce(&mut Settings) + Send + 'static,
) -> SocketAddr {
    let cluster = app.database.settings.clone();
    let (started, address) = oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut settings = settings_on(cluster);
            change(&mut settings);
            let application = Application::build(settings).await.unwrap();
            started.send(application.address()).unwrap();
            // Fails when the database of the test ends.
            let _ = application.run_until(std::future::pending()).await;
        });
    });
    address.await.expect("the server starts")
}

/// A server as `main` builds it, with other options.
pub(crate) async fn spawn_with_options(
    change: impl FnOnce(&mut Settings) + Send + 'static,
) -> TestApp {
    spawn_with(|cluster| async move {
        let mut settings = settings_on(cluster);
        change(&mut settings);
        let application = Application::build(settings).await.unwrap();
        let address = application.address();
        (address, async move |stop: oneshot::Receiver<()>| {
            let stopped = async { drop(stop.await) };
            application.run_until(stopped).await.unwrap();
        })
    })
    .await
}

/// A server with web settings that are not available on the command line.
pub(crate) async fn spawn_with_settings(settings: web::Settings) -> TestApp {
    let settings = web::Settings {
        metadata: Metadata::Keep,
        ..settings
    };
    spawn_with(move |cluster| async move {
        let store = Store::connect(cluster, DEFAULT_UNDO_WINDOW).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let server = {
            let mut registry = realtime_photo::metrics::registry();
            web::server(listener, store, settings, &mut registry, shutdown.clone()).unwrap()
        };
        (address, async move |stop: oneshot::Receiver<()>| {
            let handle = server.handle();
            let running = tokio::spawn(server);
            let _ = stop.await;
            shutdown.cancel();
            handle.stop(true).await;
            running.await.unwrap().unwrap();
        })
    })
    .await
}

async fn spawn_with<B, F, R>(build: B) -> TestApp
where
    B: FnOnce(ClusterSettings) -> F + Send + 'static,
    F: Future<Output = (SocketAddr, R)>,
    R: AsyncFnOnce(oneshot::Receiver<()>),
{
    let database = TestDatabase::new();
    let host = &database.settings.hosts[0];
    let proxy = Proxy::new(format!("{}:{}", host.host, host.port)).await;
    let mut cluster = database.settings.clone();
    cluster.hosts = vec![realtime_photo::store::Address::new(
        "127.0.0.1",
        proxy.address.port(),
    )];
    let (stop, stopped) = oneshot::channel();
    let (started, address) = oneshot::channel();
    // On its own threads, as in the real program, so that a blocked test does not stall the server.
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (address, run) = build(cluster).await;
            started.send(address).unwrap();
            run(stopped).await;
        });
        runtime.shutdown_background();
    });
    TestApp {
        address: address.await.expect("the server starts"),
        // No reuse: the server closes idle connections after five seconds, possibly just when a request begins.
        client: Client::builder()
            .timeout(WAIT_LIMIT)
            .pool_max_idle_per_host(0)
            .build()
            .unwrap(),
        proxy,
        stop: Some(stop),
        server: Some(server),
        database,
    }
}

impl TestApp {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn get_bytes(&self, path: &str) -> Vec<u8> {
        self.get(path).await.bytes().await.unwrap().to_vec()
    }

    pub(crate) async fn delete(&self, path: &str) -> Response {
        self.client.delete(self.url(path)).send().await.unwrap()
    }

    pub(crate) async fn post(&self, form: Form) -> Response {
        let request = self.client.post(self.url("/image")).multipart(form);
        request.send().await.unwrap()
    }

    /// Uploads a file and returns its record. The upload must succeed.
    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> Value {
        let response = self.post(file_form(name, bytes)).await;
        assert_eq!(response.status(), 201, "{name}");
        response.json().await.unwrap()
    }

    /// Starts to stop the server, without waiting for it.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A viewer of the board.
    pub(crate) async fn board(&self) -> Viewer {
        Viewer::connect(self.address, "/ws").await
    }

    /// A viewer of the latest image.
    pub(crate) async fn latest(&self) -> Viewer {
        Viewer::connect(self.address, "/ws?feed=latest").await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.server.take().map(JoinHandle::join);
        self.database.remove();
        if !std::thread::panicking() {
            assert!(
                ended.is_some_and(|ended| ended.is_ok()),
                "the server stops without an error"
            );
        }
    }
}

impl TestDatabase {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("api_test_{}_{number}", std::process::id());
        let (mut settings, embedded) = match std::env::var("TEST_RETHINKDB_URL") {
            Ok(url) => (parse_rethinkdb_url(&url).unwrap(), None),
            Err(_) => {
                let folder = tempfile::tempdir().unwrap();
                let engine = start_engine(&folder, (Ipv4Addr::LOCALHOST, 0).into());
                let address = engine.address();
                let mut settings = ClusterSettings::new("127.0.0.1", address.port());
                settings.password = PASSWORD.to_owned().into();
                (
                    settings,
                    Some(Embedded {
                        engine: Some(engine),
                        folder,
                        address,
                    }),
                )
            }
        };
        settings.database = name;
        Self { settings, embedded }
    }

    /// Drops the database from a shared RethinkDB. An embedded engine ends with the test.
    fn remove(&self) {
        if self.embedded.is_some() {
            return;
        }
        let settings = self.settings.clone();
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Runtime::new()
                .unwrap()
                .block_on(drop_database(settings));
        });
        assert!(
            dropped.join().is_ok() || std::thread::panicking(),
            "the database can be dropped"
        );
    }
}

const PASSWORD: &str = "of the tests";

fn start_engine(folder: &TempDir, listen: SocketAddr) -> Engine {
    let settings = EngineSettings {
        data_dir: folder.path().to_owned(),
        listen,
        password: Some(PASSWORD.to_owned()),
    };
    // On another thread, because the engine blocks on its own runtime, which tokio forbids within the test's.
    std::thread::spawn(|| Engine::start(settings).unwrap())
        .join()
        .unwrap()
}

async fn drop_database(settings: ClusterSettings) {
    use futures::StreamExt as _;
    use reql::r;

    let host = &settings.hosts[0];
    let options = reql::cmd::connect::Options::new()
        .host(host.host.clone())
        .port(host.port)
        .user(settings.user.clone())
        .password(settings.password.reveal().to_owned());
    let session = r.connect(options).await.unwrap();
    let mut answer = r
        .db_drop(settings.database.as_str())
        .run::<_, Value>(&session);
    answer.next().await.unwrap().unwrap();
}

impl Embedded {
    /// The number of database sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.engine.as_ref().map_or(0, Engine::sessions)
    }

    /// The number of open changefeeds.
    pub(crate) fn changefeeds(&self) -> usize {
        self.engine
            .as_ref()
            .map_or(0, |engine| engine.changefeeds().0)
    }

    pub(crate) fn stop(&mut self) {
        self.engine.take().unwrap().shutdown();
    }

    pub(crate) fn start(&mut self) {
        self.engine = Some(start_engine(&self.folder, self.address));
    }
}

/// Waits until `condition` holds. Polls, for counters that send no notification.
pub(crate) async fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let polling = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timely(what, polling).await;
}

/// Runs a future that must complete within [`WAIT_LIMIT`]; `what` names it in the panic message.
pub(crate) async fn timely<T>(what: &str, future: impl Future<Output = T>) -> T {
    let completed = tokio::time::timeout(WAIT_LIMIT, future).await;
    completed.unwrap_or_else(|_| panic!("timed out: {what}"))
}

/// A form with only a file.
pub(crate) fn file_form(name: &str, bytes: Vec<u8>) -> Form {
    Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()))
}

/// Asserts that a response is a problem document with this status. Returns its detail.
pub(crate) async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["type"], "about:blank");
    assert!(problem["title"].is_string());
    problem["detail"].as_str().unwrap().to_owned()
}
