//! Tests of the storage. They wait for conditions set by other threads, with a time limit, and never sleep for a fixed
//! time.

mod basics;
mod blobs;
mod checking;
mod codec;
mod compaction;
mod damage;
mod disk;
mod durability;
mod faults;
mod full_disk;
mod indexes;
mod opening;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::poll;

use super::*;
use crate::engine::datum::{Binary, Datum};
use crate::engine::error::{ErrorKind, ReqlError};

/// The time limit of a wait. Only a failing test takes this long.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A storage in a temporary folder, with one table, and the commits that it reports.
pub(super) struct Fixture {
    pub(super) folder: tempfile::TempDir,
    pub(super) storage: Storage,
    pub(super) commits: Arc<Mutex<Vec<Commit>>>,
    pub(super) table: TableId,
}

impl Fixture {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (storage, commits) = open(&folder);
        let table = create_table(&storage).await;
        commits.lock().unwrap().clear();
        Self {
            folder,
            storage,
            commits,
            table,
        }
    }

    pub(super) async fn put(&self, key: &str, datum: &Datum) {
        put(
            &self.storage,
            self.table,
            Durability::Hard,
            key,
            datum.clone(),
        )
        .await
        .unwrap();
    }

    pub(super) fn get(&self, key: &str) -> Option<Datum> {
        self.storage
            .snapshot()
            .unwrap()
            .get(self.table, key.as_bytes())
            .unwrap()
    }

    /// The size in bytes of the documents and blobs in the file.
    pub(super) fn stored_bytes(&self) -> u64 {
        stored_bytes(&self.storage)
    }
}

pub(super) fn open(folder: &tempfile::TempDir) -> (Storage, Arc<Mutex<Vec<Commit>>>) {
    let commits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&commits);
    let storage = Storage::open(
        folder.path(),
        by_field(),
        Box::new(move |commit| log.lock().unwrap().push(commit)),
    );
    (storage.unwrap(), commits)
}

/// Compiles the functions of indexes: each is the name of a field that holds a string.
pub(super) fn by_field() -> CompileIndex {
    Box::new(|index| {
        let name = Arc::clone(&index.function);
        if name.is_empty() {
            return Err(ReqlError::op_failed("an index without a function"));
        }
        Ok(Arc::new(move |document| {
            let value = document.field(&name).map(|value| value.as_str().cloned());
            let value = value.transpose().ok().flatten();
            Ok(value
                .map(|value| (value.as_bytes().to_vec(), 0))
                .into_iter()
                .collect())
        }))
    })
}

pub(super) async fn create_table(storage: &Storage) -> TableId {
    let created = storage.write(Durability::Hard, |batch| {
        let database = batch.create_database("test")?;
        batch.create_table(database, new_table("things"))
    });
    created.await.unwrap()
}

pub(super) fn new_table(name: &str) -> NewTable {
    NewTable {
        name: name.to_owned(),
        primary_key: "id".to_owned(),
        durability: Durability::Hard,
    }
}

pub(super) fn put(
    storage: &Storage,
    table: TableId,
    durability: Durability,
    key: &str,
    datum: Datum,
) -> impl Future<Output = Result<(), ReqlError>> + Send + use<> {
    let key = key.to_owned();
    storage.write(durability, move |batch| {
        batch.put(table, key.as_bytes(), &datum)
    })
}

pub(super) fn stored_bytes(storage: &Storage) -> u64 {
    let transaction = storage.handle.snapshots.database.begin_write().unwrap();
    let stored = transaction.stats().unwrap().stored_bytes();
    transaction.abort().unwrap();
    stored
}

/// Calls `attempt` until it returns a value.
///
/// # Panics
/// After [`WAIT_LIMIT`], with a message that names `missing`.
pub(super) async fn eventually<T>(missing: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(start.elapsed() < WAIT_LIMIT, "still missing: {missing}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Blocks the writer thread until the sender is dropped. Returns once the writer is blocked.
///
/// Writes polled in the meantime stay in the queue and are committed as one group.
pub(super) async fn occupy_writer(
    storage: &Storage,
) -> (
    mpsc::Sender<()>,
    impl Future<Output = Result<(), ReqlError>> + use<>,
) {
    let (release, wait) = mpsc::channel::<()>();
    let (entered, started) = tokio::sync::oneshot::channel();
    let mut write = Box::pin(storage.write(Durability::Soft, move |_| {
        entered.send(()).unwrap();
        let _ = wait.recv();
        Ok(())
    }));
    enqueue(&mut write).await;
    started.await.unwrap();
    (release, write)
}

/// Polls a write once, which adds it to the queue of a blocked writer.
pub(super) async fn enqueue<T>(write: &mut (impl Future<Output = T> + Unpin)) {
    // Unconstrained, because a task that has used up its tokio budget would return before it queues anything.
    assert!(poll!(tokio::task::unconstrained(write)).is_pending());
}

pub(super) fn object<const N: usize>(fields: [(&str, Datum); N]) -> Datum {
    let fields: BTreeMap<Arc<str>, Datum> = fields
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect();
    Datum::Object(Arc::new(fields))
}

pub(super) fn number(value: f64) -> Datum {
    Datum::Number(value)
}

pub(super) fn binary(bytes: impl Into<Bytes>) -> Datum {
    Datum::Binary(Binary::Inline(bytes.into()))
}

/// The value of a field of an object.
pub(super) fn field<'a>(datum: &'a Datum, name: &str) -> &'a Datum {
    let Datum::Object(fields) = datum else {
        panic!("not an object")
    };
    fields.get(name).unwrap()
}

/// The bytes of the binary in field `file`, and `true` if they are stored as a blob.
pub(super) fn file(datum: &Datum) -> (Bytes, bool) {
    let Datum::Binary(binary) = field(datum, "file") else {
        panic!("not a binary")
    };
    (
        binary.bytes().unwrap(),
        matches!(binary, Binary::Stored { .. }),
    )
}

/// Bytes that do not compress, different for each seed.
pub(super) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(next).collect()
}

/// The number in field `n`.
pub(super) fn n(datum: &Datum) -> f64 {
    let Datum::Number(value) = field(datum, "n") else {
        panic!("not a number")
    };
    *value
}
