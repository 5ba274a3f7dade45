//! Damaged files: every answer is right, or an error that names what is damaged.

use std::ops::Bound;

use redb::{Builder, ReadableTable};

use super::super::layout;
use super::*;

pub(super) const DOCUMENTS: u64 = 24;

pub(super) fn image(number: u64) -> Datum {
    object([
        ("id", Datum::String(key(number).into())),
        ("file", binary(noise(size(number), number))),
        ("n", super::number(number as f64)),
    ])
}

fn size(number: u64) -> usize {
    [300, 2000, 5000, 9000][number as usize % 4]
}

pub(super) fn key(number: u64) -> String {
    format!("image-{number:03}")
}

/// The encoded primary key.
pub(super) fn encoded(number: u64) -> String {
    format!("S{}", key(number))
}

/// A closed folder with images.
pub(super) async fn folder_of_images() -> (tempfile::TempDir, TableId) {
    let it = Fixture::new().await;
    let table = it.table;
    let created = it.storage.write(Durability::Hard, move |batch| {
        batch.create_index(
            table,
            NewIndex {
                name: "by_id".to_owned(),
                function: "id".into(),
                multi: false,
            },
        )
    });
    created.await.unwrap();
    for number in 0..DOCUMENTS {
        it.put(&encoded(number), &image(number)).await;
    }
    it.storage.close();
    (it.folder, it.table)
}

pub(super) fn path(folder: &tempfile::TempDir) -> std::path::PathBuf {
    folder.path().join("board.redb")
}

/// Changes a stored value in place.
pub(super) fn change<K: redb::Key + 'static>(
    folder: &tempfile::TempDir,
    table: redb::TableDefinition<'_, K, &'static [u8]>,
    key: K::SelfType<'_>,
    change: impl FnOnce(&mut Vec<u8>),
) {
    let database = Builder::new().open(path(folder)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(table).unwrap();
        let mut value = table.get(&key).unwrap().unwrap().value().to_vec();
        change(&mut value);
        table.insert(key, value.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

pub(super) fn read(
    storage: &Storage,
    table: TableId,
    number: u64,
) -> Result<Option<(f64, Bytes)>, ReqlError> {
    let document = storage.snapshot()?.get(table, encoded(number).as_bytes())?;
    let Some(document) = document else {
        return Ok(None);
    };
    let Datum::Binary(binary) = field(&document, "file") else {
        panic!("not a binary")
    };
    Ok(Some((n(&document), binary.bytes()?)))
}

/// The keys of the documents that the index has for an image.
fn indexed(storage: &Storage, table: TableId, number: u64) -> Result<Vec<Vec<u8>>, ReqlError> {
    let snapshot = storage.snapshot()?;
    let found = snapshot.catalog().table_by_id(table);
    let index = found.and_then(|table| table.index("by_id")).unwrap();
    if !index.ready {
        return Err(ReqlError::op_failed("the index by_id is being built"));
    }
    let range = EntryRange::of(key(number).as_bytes());
    let mut entries = snapshot.scan_index(table, index.id, &range, Direction::Ascending)?;
    std::iter::from_fn(|| entries.next_primary_key()).collect()
}

/// A file in which some bits are flipped.
pub(super) fn with_flipped_bits(whole: &[u8], count: usize, seed: u64) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    for dice in noise(count * 8, seed).chunks(8) {
        let dice = u64::from_le_bytes(dice.try_into().unwrap());
        let bit = dice as usize % (bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    bytes
}

pub(super) fn right(number: u64) -> Option<(f64, Bytes)> {
    Some((number as f64, noise(size(number), number).into()))
}

#[tokio::test]
async fn a_damaged_document_is_an_error_that_names_it_and_the_others_are_read() {
    let (folder, table) = folder_of_images().await;
    let name = layout::documents_name(table);
    let damaged = encoded(3);
    change(
        &folder,
        layout::documents(&name),
        damaged.as_bytes(),
        |value| *value.last_mut().unwrap() ^= 1,
    );
    let (storage, _) = open(&folder);
    let message = "The stored data of table `test.things`, key \"image-003\", is damaged: its checksum does not match.";
    assert_eq!(storage.damage(), [message]);
    let error = read(&storage, table, 3).unwrap_err();
    assert_eq!(
        (error.kind, &*error.message),
        (ErrorKind::Internal, message)
    );
    for number in (0..DOCUMENTS).filter(|number| *number != 3) {
        assert_eq!(read(&storage, table, number).unwrap(), right(number));
    }
    // A scan skips it.
    let snapshot = storage.snapshot().unwrap();
    let (from, to) = (Bound::Unbounded, Bound::Unbounded);
    let scan = snapshot.scan(table, from, to, Direction::Ascending);
    assert_eq!(
        scan.unwrap().map(Result::unwrap).count() as u64,
        DOCUMENTS - 1
    );
    let scanned = storage.write(Durability::Soft, move |batch| {
        let (from, to) = (Bound::Unbounded, Bound::Unbounded);
        let scan = batch.scan(table, from, to, Direction::Ascending)?;
        Ok(scan.filter(Result::is_ok).count())
    });
    assert_eq!(scanned.await.unwrap() as u64, DOCUMENTS - 1);
    // Other writes work.
    let new = image(77);
    put(&storage, table, Durability::Hard, "new", new)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_document_at_the_wrong_key_is_damaged_at_both() {
    let (folder, table) = folder_of_images().await;
    let database = Builder::new().open(path(&folder)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let name = layout::documents_name(table);
        let mut documents = transaction.open_table(layout::documents(&name)).unwrap();
        let removed = documents.remove(encoded(5).as_bytes()).unwrap();
        let value = removed.unwrap().value().to_vec();
        documents.insert(&b"Simage-555"[..], &value[..]).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let (storage, _) = open(&folder);
    assert_eq!(storage.damage().len(), 2, "{:?}", storage.damage());
    let error = read(&storage, table, 5).unwrap_err();
    assert!(error.message.contains("\"image-005\""), "{error}");
    let error = read(&storage, table, 555).unwrap_err();
    assert!(error.message.contains("\"image-555\""), "{error}");
    assert_eq!(read(&storage, table, 6).unwrap(), right(6));
    assert_eq!(read(&storage, table, 666).unwrap(), None);
}

#[tokio::test]
async fn damaged_misplaced_and_missing_chunks_are_errors() {
    let (folder, table) = folder_of_images().await;
    let (storage, _) = open(&folder);
    let blob = |number: u64| {
        let snapshot = storage.snapshot().unwrap();
        let key = encoded(number);
        let document = snapshot.get(table, key.as_bytes()).unwrap().unwrap();
        match field(&document, "file") {
            Datum::Binary(Binary::Stored { blob, .. }) => *blob,
            _ => panic!("not stored"),
        }
    };
    let (damaged, one, other, cut) = (blob(1), blob(2), blob(6), blob(3));
    storage.close();
    drop(storage);
    let name = layout::blobs_name(table);
    let chunks = || layout::chunks(&name);
    change(&folder, chunks(), (damaged, 0), |value| value[100] ^= 0x80);
    {
        let database = Builder::new().open(path(&folder)).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut chunks = transaction.open_table(chunks()).unwrap();
            // Two images of the same size that have changed places, and one that has lost its end.
            let mut first = |blob| chunks.remove((blob, 0)).unwrap().unwrap().value().to_vec();
            let (of_one, of_other) = (first(one), first(other));
            chunks.insert((one, 0), &of_other[..]).unwrap();
            chunks.insert((other, 0), &of_one[..]).unwrap();
            chunks
                .retain_in((cut, 1)..=(cut, 99), |_, _| false)
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    let (storage, _) = open(&folder);
    for (number, detail) in [
        (1, "the checksum of its binary does not match"),
        (2, "the checksum of its binary does not match"),
        (6, "the checksum of its binary does not match"),
        (3, "its binary does not have the right length"),
    ] {
        let expected = format!(
            "The stored data of table `test.things`, key {:?}, is damaged: {detail}.",
            key(number)
        );
        assert_eq!(read(&storage, table, number).unwrap_err().message, expected);
    }
    // Known once each, however often they are read.
    let _ = read(&storage, table, 1);
    assert_eq!(storage.damage().len(), 4);
    assert_eq!(read(&storage, table, 5).unwrap(), right(5));
    // A damaged image can be deleted.
    let deleted = storage.write(Durability::Hard, move |batch| {
        batch.delete(table, encoded(1).as_bytes())
    });
    assert!(deleted.await.unwrap());
}

#[tokio::test]
async fn a_damaged_index_is_an_error_that_names_it_and_is_built_anew() {
    let (folder, table) = folder_of_images().await;
    let (storage, _) = open(&folder);
    let catalog = Arc::clone(storage.snapshot().unwrap().catalog());
    let index = catalog.table_by_id(table).unwrap().index("by_id").unwrap();
    storage.close();
    let name = layout::entries_name(index.id);
    let snapshot_key = [key(3).as_bytes(), &[0], encoded(3).as_bytes(), &[0; 4]].concat();
    change(&folder, layout::entries(&name), &snapshot_key, |value| {
        value[5] ^= 4;
    });
    let (storage, _) = open(&folder);
    let message = "The stored data of index `by_id` of table `test.things` is damaged: \
                   an entry is not what was written. A restart builds it anew.";
    assert_eq!(storage.damage(), [message]);
    eventually("an index that is built anew", async || {
        let found = indexed(&storage, table, 3).ok()?;
        assert_eq!(found, [encoded(3).into_bytes()]);
        Some(())
    })
    .await;
}

/// Asserts that the index and a scan return the documents as they were written, or leave them out.
fn assert_indexed_and_scanned_are_right(storage: &Storage, table: TableId, run: u64) {
    for number in 0..DOCUMENTS {
        if let Ok(found) = indexed(storage, table, number) {
            // Or the document is damaged, and so not in an index that was built anew.
            let is_right = found == [encoded(number).into_bytes()];
            let is_damaged = found.is_empty() && read(storage, table, number).is_err();
            assert!(
                is_right || is_damaged,
                "run {run}: image {number} by index: {found:?}"
            );
        }
    }
    let (from, to) = (Bound::Unbounded, Bound::Unbounded);
    let Ok(snapshot) = storage.snapshot() else {
        return;
    };
    let Ok(scan) = snapshot.scan(table, from, to, Direction::Descending) else {
        return;
    };
    for (_, document) in scan.flatten() {
        let number = n(&document) as u64;
        let Datum::Binary(file) = field(&document, "file") else {
            panic!("not a binary")
        };
        if let Ok(bytes) = file.bytes() {
            assert_eq!(bytes, noise(size(number), number), "run {run}");
        }
    }
}

#[tokio::test]
async fn flipped_bits_are_never_served() {
    let (folder, table) = folder_of_images().await;
    let whole = std::fs::read(path(&folder)).unwrap();
    // More runs by hand.
    let runs = std::env::var("FLIP_RUNS").map_or(200, |runs| runs.parse().unwrap());
    let (mut refused, mut right_answers, mut errors, mut unnamed) = (0, 0, 0, 0);
    let first = std::env::var("FLIP_FIRST").map_or(0, |run| run.parse().unwrap());
    for run in first..first + runs {
        std::fs::write(path(&folder), with_flipped_bits(&whole, 20, run + 1)).unwrap();
        let storage = match Storage::open(folder.path(), by_field(), Box::new(|_| {})) {
            Ok(storage) => storage,
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert!(text.contains("damaged") || text.contains("newer"), "{text}");
                continue;
            }
        };
        for number in 0..DOCUMENTS {
            match read(&storage, table, number) {
                Ok(found) => {
                    assert_eq!(found, right(number), "run {run}: image {number}");
                    right_answers += 1;
                }
                Err(error) => {
                    errors += 1;
                    let text = &error.message;
                    if !text.contains(&key(number)) && !text.contains("test.things") {
                        unnamed += 1;
                        eprintln!("run {run}: {text}");
                    }
                }
            }
        }
        assert_indexed_and_scanned_are_right(&storage, table, run);
        // A write succeeds or fails with an error; the writer does not end.
        let _ = put(&storage, table, Durability::Hard, "new", image(99)).await;
        let _ = storage.sync().await;
        storage.close();
    }
    eprintln!(
        "{runs} runs: {refused} refused, {right_answers} right, {errors} errors, {unnamed} unnamed"
    );
    assert!(right_answers > errors && errors > 0);
}
