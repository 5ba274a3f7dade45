//! The space of what is deleted comes back.

use std::time::Duration;

use super::super::medium::FileMedium;
use super::super::writer::WriterTiming;
use super::indexes::{create_index, indexed, scanned};
use super::*;

const TIMING: WriterTiming = WriterTiming {
    soft_delay: Duration::from_millis(20),
    first_pause: Duration::from_millis(1),
    max_pause: Duration::from_millis(4),
    reserve_delay: Duration::from_secs(3600),
    reserve_step: Duration::from_millis(1),
    reserve_retry: Duration::from_millis(5),
    compaction_delay: Duration::from_millis(100),
};

const SIZE: usize = 200_000;

fn open_quick(folder: &tempfile::TempDir) -> Storage {
    let medium = FileMedium::in_folder(folder.path()).unwrap();
    Storage::open_on(
        folder.path(),
        Box::new(medium),
        by_field(),
        Box::new(|_| {}),
        TIMING,
    )
    .unwrap()
}

fn image(number: u64) -> Datum {
    let key = format!("{number:03}");
    object([
        ("colour", Datum::from(&*key)),
        ("id", Datum::from(&*key)),
        ("file", binary(noise(SIZE, number))),
        ("n", super::number(number as f64)),
    ])
}

fn length(folder: &tempfile::TempDir) -> u64 {
    let path = folder.path().join("board.redb");
    std::fs::metadata(path).unwrap().len()
}

async fn add(storage: &Storage, table: TableId, number: u64) {
    let key = format!("{number:03}");
    put(storage, table, Durability::Hard, &key, image(number))
        .await
        .unwrap();
}

async fn remove(storage: &Storage, table: TableId, number: u64) {
    let key = format!("{number:03}");
    let removed = storage.write(Durability::Hard, move |batch| {
        batch.delete(table, key.as_bytes())
    });
    assert!(removed.await.unwrap());
}

#[tokio::test]
async fn the_space_of_deleted_images_comes_back_while_others_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_quick(&folder);
    let table = create_table(&storage).await;
    create_index(&storage, table).await;
    for number in 0..100 {
        add(&storage, table, number).await;
    }
    let full = length(&folder);
    // A reader of the file that is replaced.
    let snapshot = storage.snapshot().unwrap();
    let old = snapshot.get(table, b"007").unwrap().unwrap();
    for number in 0..95 {
        remove(&storage, table, number).await;
    }
    let mut soft = 0;
    let small = eventually("a smaller file", async || {
        soft += 1;
        let changed = object([("n", super::number(f64::from(soft)))]);
        let written = put(&storage, table, Durability::Soft, "soft", changed);
        written.await.unwrap();
        let length = length(&folder);
        (length < full / 4).then_some(length)
    })
    .await;
    let held = 5 * SIZE as u64;
    assert!(small < held * 6 / 5 + 1_000_000, "{small} bytes for {held}");
    assert_eq!(file(&old).0, noise(SIZE, 7), "old snapshots can be read");
    drop((old, snapshot));
    add(&storage, table, 200).await;
    let check = |storage: &Storage| {
        assert_eq!(indexed(storage, table), scanned(storage, table));
        let snapshot = storage.snapshot().unwrap();
        assert_eq!(snapshot.count(table).unwrap(), 7);
        for number in (95..100).chain([200]) {
            let key = format!("{number:03}");
            let found = snapshot.get(table, key.as_bytes()).unwrap().unwrap();
            assert_eq!(file(&found).0, noise(SIZE, number));
        }
        let found = snapshot.get(table, b"soft").unwrap().unwrap();
        assert_eq!(n(&found), f64::from(soft));
    };
    check(&storage);
    storage.close();
    assert!(!folder.path().join("board.redb.new").exists());
    drop(storage);
    check(&open_quick(&folder));
}

#[tokio::test]
async fn what_is_written_during_a_copy_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let storage = open_quick(&folder);
    let table = create_table(&storage).await;
    create_index(&storage, table).await;
    for number in 0..60 {
        add(&storage, table, number).await;
    }
    let full = length(&folder);
    for number in 0..50 {
        remove(&storage, table, number).await;
    }
    // Written until the file has been replaced, more than one round of copying takes.
    let mut next = 100;
    eventually("a smaller file", async || {
        add(&storage, table, next).await;
        if next % 3 == 0 {
            remove(&storage, table, next - 1).await;
        }
        next += 1;
        (length(&folder) < full * 9 / 10 || next > 400).then_some(())
    })
    .await;
    let check = |storage: &Storage| {
        assert_eq!(indexed(storage, table), scanned(storage, table));
        let snapshot = storage.snapshot().unwrap();
        for number in (50..60).chain(100..next) {
            let key = format!("{number:03}");
            let found = snapshot.get(table, key.as_bytes()).unwrap();
            let is_removed = number >= 100 && (number + 1) % 3 == 0 && number + 1 < next;
            assert_eq!(found.is_none(), is_removed, "{number}");
            if let Some(found) = found {
                assert_eq!(file(&found).0, noise(SIZE, number));
            }
        }
    };
    check(&storage);
    storage.close();
    drop(storage);
    check(&open_quick(&folder));
}
