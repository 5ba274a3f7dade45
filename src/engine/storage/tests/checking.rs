//! The check of a folder, and what else must not conceal damage: copies, the meta table, and scans of indexes.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use redb::Builder;

use super::super::layout::{self, META};
use super::super::{CheckReport, check, copy};
use super::damage::{
    DOCUMENTS, change, encoded, folder_of_images, image, key, path, read, right, with_flipped_bits,
};
use super::*;

fn checked(folder: &Path) -> CheckReport {
    check(folder, by_field(), &mut |_, _| None).unwrap()
}

/// The files of a folder and their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    entries.map(file).collect()
}

fn index_of(storage: &Storage, table: TableId) -> Index {
    let catalog = Arc::clone(storage.snapshot().unwrap().catalog());
    let table = catalog.table_by_id(table).unwrap();
    table.index("by_id").unwrap().clone()
}

#[tokio::test]
async fn a_damaged_document_does_not_keep_the_others_of_its_index_from_being_read() {
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
    let index = index_of(&storage, table);
    for direction in [Direction::Ascending, Direction::Descending] {
        let snapshot = storage.snapshot().unwrap();
        let scan = snapshot.scan_index(table, index.id, &EntryRange::all(), direction);
        let found = scan
            .unwrap()
            .map(|found| n(&found.unwrap().document) as u64);
        let mut found: Vec<_> = found.collect();
        found.sort_unstable();
        let others: Vec<_> = (0..DOCUMENTS).filter(|number| *number != 3).collect();
        assert_eq!(found, others);
    }
    assert_eq!(storage.damage().len(), 1, "{:?}", storage.damage());
}

#[tokio::test]
async fn an_index_that_was_dropped_is_an_error_and_no_damage() {
    let (folder, table) = folder_of_images().await;
    let (storage, _) = open(&folder);
    let index = index_of(&storage, table);
    let dropped = storage.write(Durability::Hard, move |batch| {
        batch.drop_index(table, "by_id")
    });
    dropped.await.unwrap();
    let snapshot = storage.snapshot().unwrap();
    let scan = snapshot.scan_index(table, index.id, &EntryRange::all(), Direction::Ascending);
    let error = scan.err().unwrap();
    assert_eq!(
        error,
        ReqlError::op_failed("The index does not exist any more.")
    );
    assert_eq!(storage.damage(), [""; 0]);
}

#[tokio::test]
async fn a_changed_state_or_catalog_is_found_at_the_start() {
    let (folder, _) = folder_of_images().await;
    let whole = std::fs::read(path(&folder)).unwrap();
    for (entry, bytes) in [("state", 29), ("catalog", 300)] {
        for at in (0..bytes).step_by(7) {
            std::fs::write(path(&folder), &whole).unwrap();
            change(&folder, META, entry, |value| value[at] ^= 1);
            let opened = Storage::open(folder.path(), by_field(), Box::new(|_| {}));
            let error = opened.err().expect("a damaged entry").to_string();
            assert!(error.contains("is damaged"), "{entry} {at}: {error}");
        }
    }
}

#[tokio::test]
async fn a_check_leaves_the_folder_as_it_is_also_after_a_crash() {
    let it = Fixture::new().await;
    for number in 0..40 {
        it.put(&encoded(number), &image(number)).await;
    }
    it.storage.sync().await.unwrap();
    // As after a crash: the database is still open.
    let crashed = tempfile::tempdir().unwrap();
    std::fs::copy(path(&it.folder), path(&crashed)).unwrap();
    it.storage.close();
    for folder in [&it.folder, &crashed] {
        let before = files(folder.path());
        let report = checked(folder.path());
        assert_eq!((report.documents, report.damage), (40, Vec::new()));
        assert!(files(folder.path()) == before);
    }
}

#[tokio::test]
async fn a_check_finds_lost_and_stale_entries_of_an_index() {
    let (folder, table) = folder_of_images().await;
    let (storage, _) = open(&folder);
    let index = index_of(&storage, table);
    storage.close();
    drop(storage);
    let name = layout::entries_name(index.id);
    {
        let database = Builder::new().open(path(&folder)).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut entries = transaction.open_table(layout::entries(&name)).unwrap();
            let lost = [key(3).as_bytes(), &[0], encoded(3).as_bytes(), &[0; 4]].concat();
            entries.remove(&lost[..]).unwrap().unwrap();
            let stale = [b"image-004x", &[0][..], encoded(4).as_bytes(), &[0; 4]].concat();
            let sealed =
                super::super::checksum::seal_entry(index.id, &stale, encoded(4).as_bytes());
            entries.insert(&stale[..], &sealed[..]).unwrap();
        }
        transaction.commit().unwrap();
    }
    assert_eq!(
        checked(folder.path()).damage,
        [
            "The index `by_id` of table `test.things` lacks 1 entries of documents, and has 1 of no document. Restoring a \
             backup builds it anew."
        ]
    );
}

#[tokio::test]
async fn neither_a_check_nor_a_copy_conceals_damage() {
    let (folder, table) = folder_of_images().await;
    let whole = std::fs::read(path(&folder)).unwrap();
    let copied_folder = tempfile::tempdir().unwrap();
    let runs = std::env::var("FLIP_RUNS").map_or(60, |runs| runs.parse().unwrap());
    let (mut clean, mut copies) = (0, 0);
    for run in 0..runs {
        // From one bit, which mostly falls into free space, to twenty.
        let flips = [1, 2, 5, 20][run as usize % 4];
        std::fs::write(
            path(&folder),
            with_flipped_bits(&whole, flips, 1_000_000 + run),
        )
        .unwrap();
        let Ok(report) = check(folder.path(), by_field(), &mut |_, _| None) else {
            continue;
        };
        let Ok(storage) = Storage::open(folder.path(), by_field(), Box::new(|_| {})) else {
            continue;
        };
        if report.damage.is_empty() {
            clean += 1;
            for number in 0..DOCUMENTS {
                let found = read(&storage, table, number).unwrap();
                assert_eq!(found, right(number), "run {run}: {report:?}");
            }
            for number in 0..DOCUMENTS {
                let written = storage.write(Durability::Hard, move |batch| {
                    batch.delete(table, encoded(number).as_bytes())?;
                    batch.put(table, encoded(100 + number).as_bytes(), &image(number))
                });
                written.await.unwrap();
            }
        }
        let copied = path(&copied_folder);
        let _ = std::fs::remove_file(&copied);
        if let Ok(snapshot) = storage.snapshot() {
            let mut new = Builder::new().create(&copied).unwrap();
            if copy::copy(&snapshot, &mut new, &AtomicBool::new(false)).is_ok() {
                drop(new);
                copies += 1;
                let (copy, _) = open(&copied_folder);
                let moved = if report.damage.is_empty() { 100 } else { 0 };
                for number in 0..DOCUMENTS {
                    let found = copy.snapshot().and_then(|snapshot| {
                        snapshot.get(table, encoded(moved + number).as_bytes())
                    });
                    assert!(
                        !matches!(found, Ok(None)),
                        "run {run}: the copy conceals image {number}"
                    );
                }
                copy.close();
            }
        }
        storage.close();
    }
    assert!(clean > 0 && copies > 0, "{clean} clean, {copies} copies");
}
