//! Opening a data folder, and the errors of it.

use redb::{Builder, ReadableDatabase as _};

use super::super::layout::{FORMAT, META, read_format, write_format};
use super::*;

fn failure(folder: &Path) -> OpenError {
    Storage::open(folder, by_field(), Box::new(|_| {}))
        .err()
        .unwrap()
}

#[tokio::test]
async fn a_folder_in_use_cannot_be_opened_again() {
    let it = Fixture::new().await;
    let error = failure(it.folder.path());
    assert!(matches!(error, OpenError::Held { .. }));
    let folder = it.folder.path().display();
    assert_eq!(
        error.to_string(),
        format!(
            "the data folder {folder} is in use by another process: stop that one, or choose another folder"
        )
    );
    drop(it.storage);
    open(&it.folder);
}

#[tokio::test]
async fn a_folder_of_a_newer_version_is_refused() {
    let it = Fixture::new().await;
    it.storage.close();
    let path = it.folder.path().join("board.redb");
    let database = Builder::new().open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    write_format(&mut transaction.open_table(META).unwrap(), FORMAT + 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = failure(it.folder.path());
    assert!(matches!(error, OpenError::Newer { .. }));
    let formats = format!(
        "(format {}; this version reads formats up to {FORMAT}): use that one",
        FORMAT + 1
    );
    assert!(error.to_string().ends_with(&formats), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_redb_is_refused_as_newer_not_as_damaged() {
    let it = Fixture::new().await;
    it.storage.close();
    let path = it.folder.path().join("board.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    // The offsets of the file format version in the two commit slots of redb's header.
    for slot in [64, 192] {
        assert_eq!(bytes[slot], 3);
        bytes[slot] = 9;
    }
    std::fs::write(&path, bytes).unwrap();
    let error = failure(it.folder.path());
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
}

#[test]
fn the_error_names_a_folder_that_cannot_be_created() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("data"), "/proc/data".into()] {
        let error = failure(&path);
        assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&format!(
            "the data folder {} cannot be written to (",
            path.display()
        )));
    }
}

#[tokio::test]
async fn a_damaged_file_is_reported_as_damaged() {
    let it = Fixture::new().await;
    for number in 0..100 {
        it.put(
            &number.to_string(),
            &object([("file", binary(noise(5000, number)))]),
        )
        .await;
    }
    it.storage.close();
    let path = it.folder.path().join("board.redb");
    let whole = std::fs::read(&path).unwrap();
    let check = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Storage::open(it.folder.path(), by_field(), Box::new(|_| {})).err()
    };
    let damaged = |error: Option<OpenError>| matches!(error, Some(OpenError::Damaged { .. }));
    assert!(damaged(check(
        b"this text is long enough to be mistaken for the header of a database"
    )));
    assert!(damaged(check(&whole[..whole.len() / 2])));
    // Everything after the page with redb's header.
    let mut zeroed = whole.clone();
    zeroed[4096..].fill(0);
    assert!(damaged(check(&zeroed)));
    assert!(check(&whole).is_none());
}

#[test]
fn a_redb_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = Builder::new()
        .create(folder.path().join("board.redb"))
        .unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(redb::TableDefinition::<u64, u64>::new("other"))
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(failure(folder.path()), OpenError::Damaged { .. }));
}

#[test]
fn an_empty_file_left_by_a_crash_in_the_first_start_is_initialised() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("board.redb"), "").unwrap();
    let (storage, _) = open(&folder);
    assert_eq!(storage.snapshot().unwrap().seq(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn no_write_is_acknowledged_while_the_file_is_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    let storage = Storage::open(&data, by_field(), Box::new(|_| {})).unwrap();
    storage.sync().await.unwrap();
    std::fs::rename(&data, &away).unwrap();
    let error = storage.sync().await.unwrap_err();
    assert!(error.message.contains("removed"), "{error}");
    std::fs::rename(&away, &data).unwrap();
    storage.sync().await.unwrap();
}

/// Writes a folder as the first release did, without using this version's code.
fn write_first_release(folder: &Path, blob: &[u8]) {
    use redb::TableDefinition;
    let database = Builder::new().create(folder.join("board.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let meta = TableDefinition::<&str, &[u8]>::new("meta");
        let mut meta = transaction.open_table(meta).unwrap();
        let state = [7, 1, 3].map(u64::to_le_bytes).concat();
        let catalog = br#"{"databases":[{"id":"8a50ff1c-4a41-4d4c-9ba8-4f3c4e3c9a01","name":"realtime_photo"}],
            "tables":[{"id":"5f0f9dd2-6d1c-4b8e-8f0a-0d2f3a9c1e02","database":"8a50ff1c-4a41-4d4c-9ba8-4f3c4e3c9a01",
            "name":"images","primary_key":"id","soft":false,
            "indexes":[{"name":"n","function":"[170]","multi":false,"geo":false}]}]}"#;
        meta.insert("format", &1_u64.to_le_bytes()[..]).unwrap();
        meta.insert("state", &state[..]).unwrap();
        meta.insert("catalog", &catalog[..]).unwrap();
        let documents =
            TableDefinition::<&[u8], &[u8]>::new("documents/5f0f9dd2-6d1c-4b8e-8f0a-0d2f3a9c1e02");
        let mut documents = transaction.open_table(documents).unwrap();
        // {"file": blob 0 of 2000 bytes, "n": 3}
        let document = b"\x01\x07\x02\x04file\x09\x00\xd0\x0f\x01n\x04\x06";
        documents.insert(&b"a"[..], &document[..]).unwrap();
        let chunks = TableDefinition::<(u64, u32), &[u8]>::new(
            "chunks/5f0f9dd2-6d1c-4b8e-8f0a-0d2f3a9c1e02",
        );
        let mut chunks = transaction.open_table(chunks).unwrap();
        chunks.insert((0, 0), &blob[..1500]).unwrap();
        chunks.insert((0, 1), &blob[1500..]).unwrap();
    }
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_folder_of_the_first_release_opens() {
    let folder = tempfile::tempdir().unwrap();
    let blob = noise(2000, 1);
    write_first_release(folder.path(), &blob);
    let (storage, _) = open(&folder);
    let snapshot = storage.snapshot().unwrap();
    // The conversion to the present format is a commit, as are the steps of the build of the index.
    assert!(snapshot.seq() >= 8);
    let database = snapshot.catalog().database("realtime_photo").unwrap();
    let table = snapshot.catalog().table(database.id, "images").unwrap();
    assert_eq!(table.durability, Durability::Hard);
    assert_eq!(table.indexes[0].name, "n");
    let document = snapshot.get(table.id, b"a").unwrap().unwrap();
    assert_eq!((n(&document), file(&document)), (3.0, (blob.into(), true)));

    // New blobs do not overwrite the old one.
    let new = object([("file", binary(noise(3000, 2))), ("n", number(4.0))]);
    put(&storage, table.id, Durability::Hard, "b", new)
        .await
        .unwrap();
    assert_eq!(file(&document).0, noise(2000, 1));
    assert!(storage.snapshot().unwrap().seq() > 8);
}

#[tokio::test]
async fn a_folder_of_the_first_release_gets_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let blob = noise(2000, 1);
    write_first_release(folder.path(), &blob);
    let (storage, commits) = open(&folder);
    let table = storage.snapshot().unwrap().catalog().tables()[0].id;
    eventually("the checksums", async || {
        let snapshot = storage.snapshot().unwrap();
        let stored = snapshot.stored(table, b"a").unwrap().unwrap();
        let is_done = checksum::is_sealed(&stored) && !snapshot.has_plain_blobs(table).unwrap();
        is_done.then_some(())
    })
    .await;
    let document = storage.snapshot().unwrap().get(table, b"a");
    let document = document.unwrap().unwrap();
    assert_eq!(
        (n(&document), file(&document)),
        (3.0, (blob.clone().into(), true))
    );
    // That is no change for those who follow the table.
    let commits = commits.lock().unwrap();
    assert!(commits.iter().all(|commit| commit.changes.is_empty()));
    drop(document);
    storage.close();
    drop(storage);
    let (storage, _) = open(&folder);
    let document = storage.snapshot().unwrap().get(table, b"a");
    assert_eq!(file(&document.unwrap().unwrap()).0, blob);
}

#[test]
fn a_check_and_a_compaction_leave_the_format_of_an_earlier_release() {
    let folder = tempfile::tempdir().unwrap();
    write_first_release(folder.path(), &noise(2000, 1));
    let path = folder.path().join("board.redb");
    let before = std::fs::read(&path).unwrap();
    let report = check(folder.path(), by_field(), &mut |_, _| None).unwrap();
    assert_eq!((report.documents, report.without_checksum), (1, 1));
    assert_eq!((report.blobs, report.damage), (1, Vec::new()));
    assert!(std::fs::read(&path).unwrap() == before);
    compact(folder.path()).unwrap();
    let database = Builder::new().open(&path).unwrap();
    let transaction = database.begin_read().unwrap();
    let meta = transaction.open_table(META).unwrap();
    assert_eq!(read_format(&meta).unwrap(), 1);
}

#[tokio::test]
async fn checksums_bring_back_no_table_that_was_dropped() {
    let folder = tempfile::tempdir().unwrap();
    write_first_release(folder.path(), &noise(2000, 1));
    let (storage, _) = open(&folder);
    let table = storage.snapshot().unwrap().catalog().tables()[0].id;
    let dropped = storage.write(Durability::Hard, move |batch| batch.drop_table(table));
    dropped.await.unwrap();
    let sealed = storage.write(Durability::Hard, move |batch| batch.seal(table, b"a"));
    sealed.await.unwrap_err();
    let tables = storage.handle.snapshots.database.begin_write().unwrap();
    let names: Vec<_> = tables
        .list_tables()
        .unwrap()
        .map(|table| redb::TableHandle::name(&table).to_owned())
        .collect();
    assert_eq!(names, ["meta"]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_belongs_to_its_owner_alone_also_if_an_earlier_release_made_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).unwrap();
    };
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let file = folder.join("board.redb");
    let storage = Storage::open(&folder, by_field(), Box::new(|_| {})).unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    drop(storage);
    set(&folder, 0o755);
    set(&file, 0o644);
    let storage = Storage::open(&folder, by_field(), Box::new(|_| {})).unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    drop(storage);
    // A folder with other things in it is not closed to others.
    set(&folder, 0o755);
    std::fs::write(folder.join("holiday.jpg"), "").unwrap();
    let storage = Storage::open(&folder, by_field(), Box::new(|_| {})).unwrap();
    assert_eq!((mode(&folder), mode(&file)), (0o755, 0o600));
    drop(storage);
}
