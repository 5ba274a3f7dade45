//! The store against a database: each test in a database of its own, which it drops at its end.
//!
//! `TEST_RETHINKDB_URL` names a RethinkDB to use instead of the embedded engine; its database is ignored.

mod feeds;
mod images;
mod placing;
mod proxy;
mod recovery;
mod removal;
mod thumbs;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reql::r;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::{ClusterSettings, Insert, Store};
use crate::engine::{Engine, EngineSettings};
use crate::image::{
    ImageId, ImageMeta, ImageRecord, ImageType, NewImage, Placement, RequestedPlacement, Timestamp,
};

/// Longer than any test takes.
const UNDO_WINDOW: Duration = Duration::from_secs(3600);

/// A database server, and settings for a database on it that does not exist yet.
struct Server {
    settings: ClusterSettings,
    /// Kept running.
    _engine: Option<(Engine, TempDir)>,
}

impl Server {
    /// The RethinkDB that `TEST_RETHINKDB_URL` names, or else an embedded engine of the test's own.
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

    async fn store(self) -> TestStore {
        let store = Store::connect(self.settings.clone(), UNDO_WINDOW)
            .await
            .unwrap();
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
    // It blocks, which a test's runtime does not allow on its own threads.
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

    /// Another store on the same database.
    async fn again(&self) -> Store {
        self.again_with(UNDO_WINDOW).await
    }

    /// Another store on the same database, which purges sooner or later.
    async fn again_with(&self, undo_window: Duration) -> Store {
        let settings = self.server.settings.clone();
        Store::connect(settings, undo_window).await.unwrap()
    }

    /// Drops the database. Without this, as after a failed test, it stays.
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

/// An image that the store takes; it does not look at the bytes.
fn image(bytes: &'static [u8]) -> NewImage {
    image_with_id(ImageId::new(), Bytes::from_static(bytes))
}

fn image_with_id(id: ImageId, file: Bytes) -> NewImage {
    NewImage {
        meta: ImageMeta {
            id,
            file_name: "a \"b\"\r\n😀.png".into(),
            alt: None,
            kind: ImageType::Png,
            size: file.len() as u64,
            width: 2,
            height: 1,
            sha256: format!("{:x}", HexDigest(&file)),
            author: Some("Åsa".into()),
            damaged: false,
            created_at: Timestamp::now(),
        },
        requested: RequestedPlacement::default(),
        file,
        thumb: None,
    }
}

struct HexDigest<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexDigest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digest = Sha256::digest(self.0);
        digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

async fn created(store: &Store, image: NewImage) -> ImageRecord {
    match store.insert(image).await.unwrap() {
        Insert::Created(record) => record,
        other => panic!("{other:?}"),
    }
}
