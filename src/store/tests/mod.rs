//! The store against a database: each test in a database of its own, which it drops at its end.
//!
//! `TEST_RETHINKDB_URL` names a RethinkDB to use; its database is ignored.

mod feeds;
mod images;
mod proxy;
mod recovery;

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use reql::r;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{ClusterSettings, Insert, Store};
use crate::image::{ImageId, ImageMeta, ImageRecord, ImageType, NewImage, Place, Timestamp};

/// A store in a new, empty database.
struct TestStore {
    store: Store,
    settings: ClusterSettings,
}

impl TestStore {
    async fn new() -> Self {
        let settings = settings();
        let store = Store::connect(settings.clone()).await.unwrap();
        Self { store, settings }
    }

    /// Another store on the same database.
    async fn again(&self) -> Store {
        Store::connect(self.settings.clone()).await.unwrap()
    }

    /// Drops the database. Without this, as after a failed test, it stays.
    async fn drop_database(self) {
        let drop = r.db_drop(self.settings.database.as_str());
        self.store.pool().value::<Value>(drop).await.unwrap();
    }
}

impl std::ops::Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Where the tests' database server is, with the name of a database that does not exist yet.
fn settings() -> ClusterSettings {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("TEST_RETHINKDB_URL").unwrap();
    let mut settings = crate::config::parse_rethinkdb_url(&url).unwrap();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    settings.database = format!("store_test_{}_{number}", std::process::id());
    settings
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
            created_at: Timestamp::now(),
        },
        place: Place::default(),
        file,
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
