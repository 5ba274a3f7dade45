//! Large binaries.

use std::ops::Bound;

use super::*;

const MIB: usize = 1 << 20;

fn image(bytes: &[u8], x: f64) -> Datum {
    object([("file", binary(bytes.to_vec())), ("n", number(x))])
}

/// The document with another number, as after an update.
fn updated(datum: &Datum, x: f64) -> Datum {
    let Datum::Object(fields) = datum else {
        panic!("not an object")
    };
    let mut fields = (**fields).clone();
    fields.insert("n".into(), number(x));
    Datum::Object(Arc::new(fields))
}

fn blob_of(datum: &Datum) -> u64 {
    let Datum::Binary(Binary::Stored { blob, .. }) = field(datum, "file") else {
        panic!("not stored")
    };
    *blob
}

#[tokio::test]
async fn binaries_of_all_sizes_are_read_as_written() {
    let it = Fixture::new().await;
    // A chunk is 32 bytes (redb's overhead) smaller than its pages.
    let around = |size: usize| [size - 33, size - 32, size - 31, size];
    let sizes = [0, 1, 1023, 1024, 100_000, MIB, 3 * MIB + 7];
    let sizes = sizes.into_iter().chain(
        [4096, 8192, 32768, 65536, 131_072]
            .into_iter()
            .flat_map(around),
    );
    for (seed, size) in sizes.enumerate() {
        let bytes = noise(size, seed as u64);
        let key = format!("{size}");
        it.put(&key, &image(&bytes, 0.0)).await;
        let (read, stored) = file(&it.get(&key).unwrap());
        assert_eq!(read, bytes, "{size} bytes");
        assert_eq!(stored, size >= 1024);
    }
}

#[tokio::test]
async fn an_update_of_another_field_does_not_rewrite_the_blob() {
    let it = Fixture::new().await;
    let bytes = noise(MIB, 1);
    it.put("a", &image(&bytes, 1.0)).await;
    let first = it.get("a").unwrap();
    it.put("a", &updated(&first, 2.0)).await;
    let second = it.get("a").unwrap();
    assert_eq!(blob_of(&first), blob_of(&second));
    assert_eq!(file(&second).0, bytes);
    // One copy of the bytes, with redb's overhead.
    assert!(it.stored_bytes() < MIB as u64 + 20_000);
}

#[tokio::test]
async fn a_copy_of_a_document_has_its_own_blob() {
    let it = Fixture::new().await;
    let bytes = noise(MIB, 1);
    it.put("a", &image(&bytes, 1.0)).await;
    let original = it.get("a").unwrap();
    it.put("b", &original).await;
    assert_ne!(blob_of(&original), blob_of(&it.get("b").unwrap()));
    let table = it.table;
    it.storage
        .write(Durability::Hard, move |batch| batch.delete(table, b"a"))
        .await
        .unwrap();
    assert_eq!(file(&it.get("b").unwrap()).0, bytes);
    // `original` reads from a snapshot taken before the deletion.
    assert_eq!(file(&original).0, bytes);
}

#[tokio::test]
async fn blobs_are_removed_with_their_documents_and_their_space_is_reused() {
    let it = Fixture::new().await;
    let table = it.table;
    let empty = it.stored_bytes();
    let path = it.folder.path().join("board.redb");
    let mut sizes = Vec::new();
    for round in 0..6 {
        for number in 0..10 {
            it.put(
                &number.to_string(),
                &image(&noise(MIB, round * 10 + number), 0.0),
            )
            .await;
        }
        let deleted = it.storage.write(Durability::Hard, move |batch| {
            let scan = batch.scan(
                table,
                Bound::Unbounded,
                Bound::Unbounded,
                Direction::Ascending,
            )?;
            let keys = scan
                .map(|entry| entry.map(|(key, _)| key))
                .collect::<Result<Vec<_>, _>>()?;
            keys.iter()
                .try_for_each(|key| batch.delete(table, key).map(drop))?;
            Ok(keys.len())
        });
        assert_eq!(deleted.await.unwrap(), 10);
        // The reported changes hold binaries, and thus snapshots that prevent the reuse of the deleted space.
        it.commits.lock().unwrap().clear();
        assert!(it.stored_bytes() < empty + 1000);
        sizes.push(std::fs::metadata(&path).unwrap().len());
    }
    // The file grows at first, but reuses the deleted space from the second round on. A snapshot that a slow reader
    // still holds can keep the space of one round.
    assert!(
        sizes[5] <= 2 * sizes[1],
        "the file keeps growing: {sizes:?}"
    );
}

#[tokio::test]
async fn a_replaced_binary_is_removed_and_the_change_reports_both_versions() {
    let it = Fixture::new().await;
    let (old, new) = (noise(MIB, 1), noise(MIB, 2));
    it.put("a", &image(&old, 0.0)).await;
    it.put("a", &image(&new, 0.0)).await;
    assert!(it.stored_bytes() < MIB as u64 + 20_000);
    let commits = it.commits.lock().unwrap();
    let change = &commits[1].changes[0];
    let (bytes, stored) = file(change.old.as_ref().unwrap());
    assert!(
        stored && bytes == old,
        "the old version is read from a snapshot before the commit"
    );
    let (bytes, stored) = file(change.new.as_ref().unwrap());
    assert!(!stored && bytes == new, "the new version is in memory");
}

#[tokio::test]
async fn one_batch_can_insert_update_copy_and_delete_a_binary() {
    let it = Fixture::new().await;
    let table = it.table;
    let bytes = noise(MIB, 1);
    let document = image(&bytes, 1.0);
    let written = bytes.clone();
    let done = it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"a", &document)?;
        let read = batch.get(table, b"a")?.unwrap();
        assert_eq!(file(&read).0, written);
        batch.put(table, b"a", &updated(&read, 2.0))?;
        batch.put(table, b"b", &read)?;
        batch.put(table, b"c", &read)?;
        batch.delete(table, b"c")
    });
    assert!(done.await.unwrap());
    assert_eq!(file(&it.get("a").unwrap()).0, bytes);
    assert_eq!(file(&it.get("b").unwrap()).0, bytes);
    let stored = it.stored_bytes();
    assert!(
        (2 * MIB as u64..2 * MIB as u64 + 20_000).contains(&stored),
        "{stored}"
    );
}

#[tokio::test]
async fn a_failed_operation_neither_adds_nor_removes_blobs() {
    let it = Fixture::new().await;
    let table = it.table;
    let bytes = noise(MIB, 1);
    it.put("a", &image(&bytes, 1.0)).await;
    let before = it.stored_bytes();
    let other = image(&noise(MIB, 2), 1.0);
    let failed = it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"b", &other)?;
        batch.put(table, b"a", &other)?;
        batch.delete(table, b"a")?;
        Err::<(), _>(ReqlError::logic("no"))
    });
    assert_eq!(failed.await.unwrap_err().message, "no");
    assert_eq!(it.stored_bytes(), before);
    assert_eq!(file(&it.get("a").unwrap()).0, bytes);
}

#[tokio::test]
async fn a_document_deleted_and_reinserted_in_one_batch_keeps_its_binary() {
    let it = Fixture::new().await;
    let table = it.table;
    let bytes = noise(MIB, 1);
    it.put("a", &image(&bytes, 1.0)).await;
    let reinserted = it.storage.write(Durability::Hard, move |batch| {
        let read = batch.get(table, b"a")?.unwrap();
        batch.delete(table, b"a")?;
        batch.put(table, b"a", &read)
    });
    reinserted.await.unwrap();
    assert_eq!(file(&it.get("a").unwrap()).0, bytes);
    assert!(it.stored_bytes() < MIB as u64 + 20_000);
}

#[tokio::test]
async fn blob_numbers_are_not_reused() {
    let it = Fixture::new().await;
    it.put("a", &image(&noise(2000, 1), 1.0)).await;
    let first = blob_of(&it.get("a").unwrap());
    let table = it.table;
    it.storage
        .write(Durability::Hard, move |batch| batch.delete(table, b"a"))
        .await
        .unwrap();
    it.storage.close();
    let (storage, _) = open(&it.folder);
    put(
        &storage,
        table,
        Durability::Hard,
        "a",
        image(&noise(2000, 2), 1.0),
    )
    .await
    .unwrap();
    let second = storage
        .snapshot()
        .unwrap()
        .get(table, b"a")
        .unwrap()
        .unwrap();
    assert!(blob_of(&second) > first);
}

#[tokio::test]
async fn a_binary_keeps_its_snapshot_alive() {
    let it = Fixture::new().await;
    it.put("a", &image(&noise(2000, 1), 1.0)).await;
    let snapshot = it.storage.snapshot().unwrap();
    let weak = Arc::downgrade(&snapshot);
    let datum = snapshot.get(it.table, b"a").unwrap().unwrap();
    drop(snapshot);
    assert!(weak.upgrade().is_some(), "the binary needs the snapshot");
    drop(datum);
    assert!(weak.upgrade().is_none());
    // The old version in a reported change has a snapshot of its own.
    it.put("a", &image(&noise(2000, 2), 1.0)).await;
    let old = it.commits.lock().unwrap().pop().unwrap();
    assert!(file(old.changes[0].old.as_ref().unwrap()).1);
}
