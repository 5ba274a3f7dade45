//! How the writer groups, isolates and orders operations.

use std::sync::mpsc;
use std::task::Poll;

use futures::future::join_all;
use futures::poll;

use super::*;

fn row(value: f64) -> Datum {
    object([("n", number(value))])
}

/// Keeps the writer busy until the sender is dropped. Returns once the writer is in it.
async fn busy(
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
    assert!(poll!(&mut write).is_pending());
    started.await.unwrap();
    (release, write)
}

#[tokio::test]
async fn writers_that_arrive_together_are_committed_together() {
    let it = Fixture::new().await;
    let before = it.storage.stats().commits;
    let (release, first) = busy(&it.storage).await;
    let mut writes: Vec<_> = (0..100)
        .map(|key: i32| {
            put(
                &it.storage,
                it.table,
                Durability::Hard,
                &key.to_string(),
                row(0.0),
            )
        })
        .map(Box::pin)
        .collect();
    for write in &mut writes {
        assert!(poll!(write).is_pending());
    }
    drop(release);
    first.await.unwrap();
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    assert_eq!(it.storage.snapshot().unwrap().count(it.table).unwrap(), 100);
    assert_eq!(it.storage.stats().commits - before, 1);
    assert_eq!(
        it.commits
            .lock()
            .unwrap()
            .iter()
            .map(|commit| commit.changes.len())
            .sum::<usize>(),
        100
    );
}

#[tokio::test]
async fn many_writers_need_few_commits() {
    let it = Fixture::new().await;
    let before = it.storage.stats().commits;
    let writes = (0..100).map(|writer| {
        let (storage, table) = (it.storage.clone(), it.table);
        tokio::spawn(async move {
            for round in 0..10 {
                put(
                    &storage,
                    table,
                    Durability::Hard,
                    &format!("{writer}-{round}"),
                    row(0.0),
                )
                .await
                .unwrap();
            }
        })
    });
    join_all(writes).await;
    assert_eq!(
        it.storage.snapshot().unwrap().count(it.table).unwrap(),
        1000
    );
    let commits = it.storage.stats().commits - before;
    assert!(commits < 200, "{commits} commits for 1,000 writes");
}

#[tokio::test]
async fn a_failed_or_panicking_operation_harms_no_other() {
    let it = Fixture::new().await;
    let table = it.table;
    it.put("kept", &row(1.0)).await;
    let (release, first) = busy(&it.storage).await;
    let mut good = Box::pin(put(&it.storage, table, Durability::Hard, "good", row(2.0)));
    assert!(poll!(&mut good).is_pending());
    let mut bad = Box::pin(it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"bad", &row(3.0))?;
        batch.put(table, b"good", &row(3.0))?;
        batch.delete(table, b"kept")?;
        let database = batch.create_database("bad")?;
        let other = batch.create_table(database, new_table("bad"))?;
        batch.put(other, b"bad", &row(3.0))?;
        batch.drop_table(table)?;
        Err::<(), _>(ReqlError::logic("no"))
    }));
    assert!(poll!(&mut bad).is_pending());
    let mut ugly = Box::pin(it.storage.write(
        Durability::Hard,
        move |batch| -> Result<(), ReqlError> {
            batch.put(table, b"good", &row(4.0))?;
            panic!("as the test wants it");
        },
    ));
    assert!(poll!(&mut ugly).is_pending());
    let late = put(&it.storage, table, Durability::Hard, "late", row(5.0));
    drop(release);
    first.await.unwrap();
    good.await.unwrap();
    assert_eq!(bad.await.unwrap_err(), ReqlError::logic("no"));
    assert_eq!(ugly.await.unwrap_err().kind, ErrorKind::Internal);
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
async fn a_write_whose_caller_went_away_stands() {
    let it = Fixture::new().await;
    let (release, first) = busy(&it.storage).await;
    let mut write = Box::pin(put(&it.storage, it.table, Durability::Hard, "a", row(1.0)));
    assert!(poll!(&mut write).is_pending());
    drop((write, release));
    first.await.unwrap();
    it.storage.sync().await.unwrap();
    assert!(it.get("a").is_some());
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait() {
    let it = Fixture::new().await;
    let (release, first) = busy(&it.storage).await;
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
        assert!(poll!(write).is_pending());
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
    assert!(commits.iter().all(|commit| commit.changes.len() <= 256));
}

#[tokio::test]
async fn closing_carries_out_what_waits_and_refuses_the_rest() {
    let it = Fixture::new().await;
    let (release, first) = busy(&it.storage).await;
    let mut waiting = Box::pin(put(&it.storage, it.table, Durability::Soft, "a", row(1.0)));
    assert!(poll!(&mut waiting).is_pending());
    let storage = it.storage.clone();
    let closing = std::thread::spawn(move || storage.close());
    while !matches!(poll!(Box::pin(it.storage.sync())), Poll::Ready(Err(_))) {
        tokio::task::yield_now().await;
    }
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
async fn the_last_handle_closes_the_folder_even_from_within_an_operation() {
    let it = Fixture::new().await;
    let Fixture {
        folder,
        storage,
        table,
        ..
    } = it;
    let (release, first) = busy(&storage).await;
    let inner = storage.clone();
    let mut last = Box::pin(storage.write(Durability::Hard, move |batch| {
        drop(inner);
        batch.put(table, b"a", &row(1.0))
    }));
    assert!(poll!(&mut last).is_pending());
    std::thread::spawn(move || drop(storage));
    drop(release);
    first.await.unwrap();
    last.await.unwrap();
    let opened = loop {
        match Storage::open(folder.path(), Box::new(|_| {})) {
            Err(OpenError::Held { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_eq!(opened.snapshot().unwrap().count(table).unwrap(), 1);
}

#[tokio::test]
async fn a_panic_after_a_commit_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let storage =
        Storage::open(folder.path(), Box::new(|_| panic!("as the test wants it"))).unwrap();
    let table = create_table(&storage).await;
    put(&storage, table, Durability::Hard, "a", row(1.0))
        .await
        .unwrap();
    assert_eq!(storage.snapshot().unwrap().count(table).unwrap(), 1);
}

#[tokio::test]
async fn databases_tables_and_indexes_come_and_go() {
    let it = Fixture::new().await;
    let things = it.table;
    it.put("a", &row(1.0)).await;
    let index = |name: &str| Index {
        name: name.to_owned(),
        function: "[69]".into(),
        multi: true,
        geo: false,
    };
    let (by_n, by_m) = (index("n"), index("m"));
    let made = it.storage.write(Durability::Hard, move |batch| {
        let test = batch.catalog().database("test").unwrap().id;
        assert_eq!(
            batch.create_database("test").unwrap_err().message,
            "Database `test` already exists."
        );
        let taken = batch.create_table(test, new_table("things")).unwrap_err();
        assert_eq!(taken.message, "Table `test.things` already exists.");
        batch.create_index(things, by_n.clone())?;
        batch.create_index(things, by_m)?;
        let taken = batch.create_index(things, by_n).unwrap_err();
        assert_eq!(
            taken.message,
            "Index `n` already exists on table `test.things`."
        );
        batch.drop_index(things, "m")?;
        let missing = batch.drop_index(things, "m").unwrap_err();
        assert_eq!(
            missing.message,
            "Index `m` does not exist on table `test.things`."
        );
        let other = batch.create_table(
            test,
            NewTable {
                durability: Durability::Soft,
                ..new_table("a")
            },
        )?;
        let mut renamed = batch.catalog().table_by_id(things).unwrap().clone();
        renamed.name = "a".to_owned();
        assert!(batch.update_table(renamed.clone()).is_err());
        renamed.name = "z".to_owned();
        batch.update_table(renamed)?;
        Ok(other)
    });
    let other = made.await.unwrap();
    it.storage.close();

    let (storage, commits) = open(&it.folder);
    let catalog = Arc::clone(storage.snapshot().unwrap().catalog());
    let names: Vec<_> = catalog
        .tables()
        .iter()
        .map(|table| (table.name.as_str(), table.durability))
        .collect();
    assert_eq!(names, [("a", Durability::Soft), ("z", Durability::Hard)]);
    assert_eq!(catalog.table_by_id(things).unwrap().indexes, [index("n")]);
    assert_eq!(
        catalog.full_name(catalog.table_by_id(other).unwrap()),
        "test.a"
    );

    let before = storage.snapshot().unwrap();
    let database = catalog.database("test").unwrap().id;
    let dropped = storage.write(Durability::Hard, move |batch| {
        batch.put(things, b"b", &row(2.0))?;
        let count = batch.drop_database(database)?;
        let gone = batch.put(things, b"c", &row(2.0)).unwrap_err();
        assert_eq!(gone.message, "The table does not exist any more.");
        Ok(count)
    });
    assert_eq!(dropped.await.unwrap(), 2);
    let after = storage.snapshot().unwrap();
    assert_eq!(
        (before.count(things).unwrap(), after.count(things).unwrap()),
        (1, 0)
    );
    assert!(after.catalog().databases().is_empty());
    let commits = commits.lock().unwrap();
    assert_eq!(commits[0].dropped_tables, [other, things]);
    assert!(commits[0].catalog_changed);
    assert!(stored_bytes(&storage) < 300);
}
