//! Tests of the store against a database server. Each test uses a database of its own and drops it at the end.
//!
//! If `TEST_RETHINKDB_URL` is set, the tests use that RethinkDB instead of the embedded engine. The database in the URL
//! is ignored.

mod boards;
mod clocks;
mod deletion;
mod feeds;
mod free_placements;
mod images;
mod proxy;
mod recovery;
mod stalls;
mod thumbnails;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::{Stream, StreamExt as _};
use reql::r;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{Board, ClusterSettings, Insert, Restored, Store, StoreError};
use crate::engine::{Engine, EngineSettings};
use crate::image::{
    BoardId, ImageId, ImageMeta, ImageRecord, ImageType, NewImage, Placement, RequestedPlacement,
    Timestamp,
};

/// Longer than any test takes.
const UNDO_WINDOW: Duration = Duration::from_secs(3600);

/// Bound for waiting on a condition, generous enough for a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A database server, and settings for a database that does not exist on it yet.
struct Server {
    settings: ClusterSettings,
    /// The server runs until this is dropped.
    _engine: Option<(Engine, TempDir)>,
}

impl Server {
    /// Uses the RethinkDB that `TEST_RETHINKDB_URL` names, or starts an embedded engine.
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let (mut settings, engine) = match std::env::var("TEST_RETHINKDB_URL") {
            Ok(url) => (crate::config::parse_rethinkdb_url(&url).unwrap(), None),
            Err(_) => {
                let (engine, folder) = start_engine();
                let port = engine.address().port();
                let mut settings = ClusterSettings::new("127.0.0.1", port);
                settings.password = engine.password().to_owned().into();
                (settings, Some((engine, folder)))
            }
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        settings.database = format!("store_test_{}_{number}", std::process::id());
        Self {
            settings,
            _engine: engine,
        }
    }

    /// Opens a store without background tasks: they could change documents between two steps of a test.
    async fn store(self) -> TestStore {
        let opened = Store::open(self.settings.clone(), UNDO_WINDOW).await;
        let (store, _) = opened.unwrap();
        TestStore {
            store,
            server: self,
        }
    }
}

fn start_engine() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = EngineSettings {
        data_dir: folder.path().join("data"),
        listen: "127.0.0.1:0".parse().unwrap(),
        password: None,
    };
    // Starting blocks, which tokio forbids on the threads of a runtime.
    let started = std::thread::spawn(|| Engine::start(settings)).join();
    (started.unwrap().unwrap(), folder)
}

/// A store in a new, empty database.
struct TestStore {
    store: Store,
    server: Server,
}

impl TestStore {
    async fn new() -> Self {
        Server::new().store().await
    }

    /// Connects another store to the same database, with background tasks.
    async fn again(&self) -> Store {
        self.again_with(UNDO_WINDOW).await
    }

    /// Like [`TestStore::again`], with another undo window.
    async fn again_with(&self, undo_window: Duration) -> Store {
        let settings = self.server.settings.clone();
        Store::connect(settings, undo_window).await.unwrap()
    }

    /// Drops the database. A failed test leaves it behind.
    async fn drop_database(self) {
        let drop = r.db_drop(self.server.settings.database.as_str());
        self.store.pool().value::<Value>(drop).await.unwrap();
    }
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// A new image. The store does not inspect its bytes.
fn image(bytes: &'static [u8]) -> NewImage {
    image_with_id(ImageId::new(), Bytes::from_static(bytes))
}

fn image_with_id(id: ImageId, file: Bytes) -> NewImage {
    NewImage {
        meta: ImageMeta {
            id,
            board: BoardId::MAIN,
            file_name: "a \"b\"\r\n😀.png".into(),
            alt: None,
            kind: ImageType::Png,
            size: file.len() as u64,
            width: 2,
            height: 1,
            sha256: HEXLOWER.encode(&Sha256::digest(&file)),
            author: Some("Åsa".into()),
            owner: None,
            waiting: false,
            damaged: false,
            created_at: Timestamp::now(),
        },
        requested: RequestedPlacement::default(),
        file,
        thumb: None,
        thumbhash: None,
    }
}

/// The main board.
fn main(store: &Store) -> Board {
    store.board(BoardId::MAIN)
}

/// Waits for a condition; fails after [`DEADLINE`].
async fn within_deadline<T>(condition: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(DEADLINE, condition).await;
    result.expect("the condition is met in time")
}

/// Returns the next event of a feed.
async fn next<T>(feed: &mut (impl Stream<Item = Result<T, StoreError>> + Unpin)) -> T {
    let next = within_deadline(feed.next()).await;
    next.expect("the feed is open").unwrap()
}

async fn created(store: &Store, image: NewImage) -> ImageRecord {
    match store.insert(image).await.unwrap() {
        Insert::Created(record) => record,
        other => panic!("{other:?}"),
    }
}
