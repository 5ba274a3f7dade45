//! Opening a data folder, and the reasons why it fails.

use redb::Builder;

use super::super::layout::{FORMAT, META, write_format};
use super::*;

fn failure(folder: &Path) -> OpenError {
    Storage::open(folder, Box::new(|_| {})).err().unwrap()
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
    assert!(error.to_string().ends_with(
        "was written by a newer version (format 2; this version reads formats up to 1): use that one"
    ));
}

#[tokio::test]
async fn a_file_of_a_newer_redb_is_refused_as_newer_not_as_damaged() {
    let it = Fixture::new().await;
    it.storage.close();
    let path = it.folder.path().join("board.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    // The file format version in each of the two commit slots of redb's header.
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
        Storage::open(it.folder.path(), Box::new(|_| {})).err()
    };
    let damaged = |error: Option<OpenError>| matches!(error, Some(OpenError::Damaged { .. }));
    assert!(damaged(check(
        b"this text is long enough to be mistaken for the header of a database"
    )));
    assert!(damaged(check(&whole[..whole.len() / 2])));
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
fn an_empty_file_left_by_a_crash_at_the_first_start_is_initialised() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("board.redb"), "").unwrap();
    let (storage, _) = open(&folder);
    assert_eq!(storage.snapshot().unwrap().seq(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn no_write_is_acknowledged_while_the_file_is_not_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    let storage = Storage::open(&data, Box::new(|_| {})).unwrap();
    storage.sync().await.unwrap();
    std::fs::rename(&data, &away).unwrap();
    let error = storage.sync().await.unwrap_err();
    assert!(error.message.contains("removed"), "{error}");
    std::fs::rename(&away, &data).unwrap();
    storage.sync().await.unwrap();
}
