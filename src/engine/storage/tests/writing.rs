//! Groups, isolation and order of operations.

use std::task::Poll;

use futures::future::join_all;
use futures::poll;

use super::*;

fn row(value: f64) -> Datum {
    object([("n", number(value))])
}

#[tokio::test]
async fn queued_writes_are_committed_together() {
    let it = Fixture::new().await;
    let before = it.storage.stats().commits;
    for round in 1..=10 {
        let (release, first) = occupy_writer(&it.storage).await;
        let mut writes: Vec<_> = (0..100)
            .map(|writer| {
                let key = format!("{writer}-{round}");
                put(&it.storage, it.table, Durability::Hard, &key, row(0.0))
            })
            .map(Box::pin)
            .collect();
        for write in &mut writes {
            enqueue(write).await;
        }
        drop(release);
        first.await.unwrap();
        assert!(join_all(writes).await.iter().all(Result::is_ok));
        assert_eq!(
            it.storage.snapshot().unwrap().count(it.table).unwrap(),
            round * 100
        );
        assert_eq!(it.storage.stats().commits - before, round);
    }
    let commits = it.commits.lock().unwrap();
    let changes: Vec<_> = commits.iter().map(|commit| commit.changes.len()).collect();
    assert_eq!(changes, [100; 10]);
}

#[tokio::test]
async fn a_failed_or_panicking_operation_does_not_affect_others() {
    let it = Fixture::new().await;
    let table = it.table;
    it.put("kept", &row(1.0)).await;
    let (release, first) = occupy_writer(&it.storage).await;
    let mut good = Box::pin(put(&it.storage, table, Durability::Hard, "good", row(2.0)));
    enqueue(&mut good).await;
    let mut failing = Box::pin(it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"bad", &row(3.0))?;
        batch.put(table, b"good", &row(3.0))?;
        batch.delete(table, b"kept")?;
        let database = batch.create_database("bad")?;
        let other = batch.create_table(database, new_table("bad"))?;
        batch.put(other, b"bad", &row(3.0))?;
        batch.drop_table(table)?;
        Err::<(), _>(ReqlError::logic("no"))
    }));
    enqueue(&mut failing).await;
    let mut panicking = Box::pin(it.storage.write(
        Durability::Hard,
        move |batch| -> Result<(), ReqlError> {
            batch.put(table, b"good", &row(4.0))?;
            panic!("injected panic");
        },
    ));
    enqueue(&mut panicking).await;
    // Not polled before the writer is released, so it is in another group.
    let late = put(&it.storage, table, Durability::Hard, "late", row(5.0));
    drop(release);
    first.await.unwrap();
    good.await.unwrap();
    assert_eq!(failing.await.unwrap_err(), ReqlError::logic("no"));
    assert_eq!(panicking.await.unwrap_err().kind, ErrorKind::Internal);
    late.await.unwrap();

    let snapshot = it.storage.snapshot().unwrap();
    assert_eq!(snapshot.count(table).unwrap(), 3);
    assert_eq!(n(&it.get("good").unwrap()), 2.0);
    assert!(snapshot.catalog().database("bad").is_none());
    let commits = it.commits.lock().unwrap();
    let keys: Vec<_> = commits
        .iter()
        .flat_map(|commit| &commit.changes)
        .map(|change| &change.key[..])
        .collect();
    assert_eq!(keys, [b"kept".as_slice(), b"good", b"late"]);
    assert!(
        commits
            .iter()
            .all(|commit| commit.dropped_tables.is_empty())
    );
}

#[tokio::test]
async fn a_write_completes_when_its_caller_stops_waiting() {
    let it = Fixture::new().await;
    let (release, first) = occupy_writer(&it.storage).await;
    let mut write = Box::pin(put(&it.storage, it.table, Durability::Hard, "a", row(1.0)));
    enqueue(&mut write).await;
    drop((write, release));
    first.await.unwrap();
    it.storage.sync().await.unwrap();
    assert!(it.get("a").is_some());
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait() {
    let it = Fixture::new().await;
    let (release, first) = occupy_writer(&it.storage).await;
    // More than the queue holds (`QUEUE_LENGTH`).
    let mut writes: Vec<_> = (0..3000)
        .map(|number| {
            Box::pin(put(
                &it.storage,
                it.table,
                Durability::Soft,
                "a",
                row(f64::from(number)),
            ))
        })
        .collect();
    for write in &mut writes {
        enqueue(write).await;
    }
    drop(release);
    first.await.unwrap();
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    let commits = it.commits.lock().unwrap();
    assert_eq!(
        commits
            .iter()
            .map(|commit| commit.changes.len())
            .sum::<usize>(),
        3000
    );
    // No commit is larger than a group (`GROUP_OPERATIONS`).
    assert!(commits.iter().all(|commit| commit.changes.len() <= 256));
}

#[tokio::test]
async fn closing_runs_queued_operations_and_rejects_new_ones() {
    let it = Fixture::new().await;
    let (release, first) = occupy_writer(&it.storage).await;
    let mut waiting = Box::pin(put(&it.storage, it.table, Durability::Soft, "a", row(1.0)));
    enqueue(&mut waiting).await;
    let storage = it.storage.clone();
    let closing = std::thread::spawn(move || storage.close());
    eventually("an operation that is rejected", async || {
        matches!(poll!(Box::pin(it.storage.sync())), Poll::Ready(Err(_))).then_some(())
    })
    .await;
    drop(release);
    first.await.unwrap();
    waiting.await.unwrap();
    closing.join().unwrap();
    assert_eq!(
        it.storage.sync().await.unwrap_err().message,
        "The database is shutting down."
    );
    assert_eq!(
        it.storage.snapshot().err().unwrap().message,
        "The database is shutting down."
    );
    let (storage, _) = open(&it.folder);
    assert!(
        storage
            .snapshot()
            .unwrap()
            .get(it.table, b"a")
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn the_last_handle_releases_the_folder_even_if_an_operation_drops_it() {
    let it = Fixture::new().await;
    let Fixture {
        folder,
        storage,
        table,
        ..
    } = it;
    let (release, first) = occupy_writer(&storage).await;
    let inner = storage.clone();
    let mut last = Box::pin(storage.write(Durability::Hard, move |batch| {
        drop(inner);
        batch.put(table, b"a", &row(1.0))
    }));
    enqueue(&mut last).await;
    std::thread::spawn(move || drop(storage));
    drop(release);
    first.await.unwrap();
    last.await.unwrap();
    let opened = eventually("a folder that is free", async || {
        match Storage::open(folder.path(), by_field(), Box::new(|_| {})) {
            Err(OpenError::Held { .. }) => None,
            other => Some(other.unwrap()),
        }
    })
    .await;
    assert_eq!(opened.snapshot().unwrap().count(table).unwrap(), 1);
}

#[tokio::test]
async fn a_panic_in_the_commit_handler_does_not_stop_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let storage = Storage::open(
        folder.path(),
        by_field(),
        Box::new(|_| panic!("injected panic")),
    )
    .unwrap();
    let table = create_table(&storage).await;
    put(&storage, table, Durability::Hard, "a", row(1.0))
        .await
        .unwrap();
    assert_eq!(storage.snapshot().unwrap().count(table).unwrap(), 1);
}

fn multi_index(name: &str) -> NewIndex {
    NewIndex {
        name: name.to_owned(),
        function: "n".into(),
        multi: true,
    }
}

#[tokio::test]
async fn names_in_use_and_missing_ones_are_refused() {
    let it = Fixture::new().await;
    let things = it.table;
    let refused = it.storage.write(Durability::Hard, move |batch| {
        let test = batch.catalog().database("test").unwrap().id;
        batch.create_index(things, multi_index("n"))?;
        batch.create_index(things, multi_index("o"))?;
        let refused = [
            batch.create_database("test").map(drop),
            batch.create_table(test, new_table("things")).map(drop),
            batch.create_index(things, multi_index("n")).map(drop),
            batch.drop_index(things, "m").map(drop),
            batch.rename_index(things, ("m", "x"), false).map(drop),
            batch.rename_index(things, ("m", "x"), true).map(drop),
            batch.rename_index(things, ("o", "n"), false).map(drop),
        ];
        Ok(refused.map(|result| result.unwrap_err().message))
    });
    assert_eq!(
        refused.await.unwrap(),
        [
            "Database `test` already exists.",
            "Table `test.things` already exists.",
            "Index `n` already exists on table `test.things`.",
            "Index `m` does not exist on table `test.things`.",
            "Index `m` does not exist or index `x` already exists on table `test.things`.",
            "Index `m` does not exist on table `test.things`.",
            "Index `o` does not exist or index `n` already exists on table `test.things`.",
        ]
    );
}

#[tokio::test]
async fn created_tables_and_renamed_indexes_survive_reopening() {
    let it = Fixture::new().await;
    let things = it.table;
    it.put("a", &row(1.0)).await;
    let made = it.storage.write(Durability::Hard, move |batch| {
        let test = batch.catalog().database("test").unwrap().id;
        for name in ["n", "m", "o"] {
            batch.create_index(things, multi_index(name))?;
        }
        batch.drop_index(things, "m")?;
        let other = batch.create_table(
            test,
            NewTable {
                durability: Durability::Soft,
                ..new_table("a")
            },
        )?;
        // The index that has the name is replaced.
        batch.rename_index(things, ("o", "n"), true)?;
        batch.rename_index(things, ("n", "renamed"), false)?;
        Ok(other)
    });
    let other = made.await.unwrap();
    it.storage.close();

    let (storage, _) = open(&it.folder);
    let catalog = Arc::clone(storage.snapshot().unwrap().catalog());
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| (table.name.as_str(), table.durability))
        .collect();
    assert_eq!(
        names,
        [("a", Durability::Soft), ("things", Durability::Hard)]
    );
    let indexes = &catalog.table_by_id(things).unwrap().indexes;
    assert_eq!(indexes.len(), 1);
    assert_eq!((&*indexes[0].name, indexes[0].multi), ("renamed", true));
    assert_eq!(
        catalog.full_name(catalog.table_by_id(other).unwrap()),
        "test.a"
    );
}

#[tokio::test]
async fn a_database_is_dropped_with_its_tables_and_documents() {
    let it = Fixture::new().await;
    let things = it.table;
    it.put("a", &row(1.0)).await;
    let before = it.storage.snapshot().unwrap();
    let database = before.catalog().database("test").unwrap().id;
    let created = it.storage.write(Durability::Hard, move |batch| {
        batch.create_table(database, new_table("a"))
    });
    let other = created.await.unwrap();
    it.commits.lock().unwrap().clear();
    let dropped = it.storage.write(Durability::Hard, move |batch| {
        batch.put(things, b"b", &row(2.0))?;
        let count = batch.drop_database(database)?;
        let missing = batch.put(things, b"c", &row(2.0)).unwrap_err();
        assert_eq!(missing.message, "The table does not exist any more.");
        Ok(count)
    });
    assert_eq!(dropped.await.unwrap(), 2);
    let after = it.storage.snapshot().unwrap();
    assert_eq!(
        (before.count(things).unwrap(), after.count(things).unwrap()),
        (1, 0)
    );
    assert!(after.catalog().databases().is_empty());
    let commits = it.commits.lock().unwrap();
    assert_eq!(commits[0].dropped_tables, [other, things]);
    assert!(commits[0].catalog_changed);
    assert!(it.stored_bytes() < 300);
}
