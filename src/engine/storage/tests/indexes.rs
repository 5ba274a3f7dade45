//! Entries of secondary indexes. The function of an index here is the name of a field; see [`by_field`].

use std::ops::Bound;

use proptest::prelude::*;

use super::super::writer::WriterTiming;
use super::disk::Disk;
use super::*;

/// The keys of the documents in the order of the index `colour`, and the colours.
pub(super) fn indexed(storage: &Storage, table: TableId) -> Vec<(String, String)> {
    let snapshot = storage.snapshot().unwrap();
    let index = colour_index(&snapshot, table).unwrap();
    assert!(index.ready);
    let found = snapshot.scan_index(table, index.id, &EntryRange::all(), Direction::Ascending);
    found
        .unwrap()
        .map(|found| {
            let found = found.unwrap();
            let id = field(&found.document, "id").as_str().unwrap().to_string();
            (String::from_utf8(found.value.0).unwrap(), id)
        })
        .collect()
}

fn colour_index(snapshot: &Snapshot, table: TableId) -> Option<Index> {
    let table = snapshot.catalog().table_by_id(table)?;
    table.index("colour").cloned()
}

/// The same, by reading all documents.
pub(super) fn scanned(storage: &Storage, table: TableId) -> Vec<(String, String)> {
    let documents = storage.snapshot().unwrap().scan(
        table,
        Bound::Unbounded,
        Bound::Unbounded,
        Direction::Ascending,
    );
    let mut rows: Vec<_> = documents
        .unwrap()
        .filter_map(|entry| {
            let (key, document) = entry.unwrap();
            let colour = document.field("colour")?.as_str().unwrap().to_string();
            Some((colour, String::from_utf8(key).unwrap()))
        })
        .collect();
    rows.sort();
    rows
}

fn row(id: &str, colour: Option<&str>) -> Datum {
    let colour = colour.map(|colour| ("colour", Datum::from(colour)));
    Datum::object([("id", Datum::from(id))].into_iter().chain(colour))
}

fn new_index() -> NewIndex {
    NewIndex {
        name: "colour".to_owned(),
        function: "colour".into(),
        multi: false,
    }
}

pub(super) async fn create_index(storage: &Storage, table: TableId) {
    let created = storage.write(Durability::Hard, move |batch| {
        batch.create_index(table, new_index())
    });
    created.await.unwrap();
}

async fn ready(storage: &Storage, table: TableId) {
    eventually("an index that is ready", async || {
        let snapshot = storage.snapshot().unwrap();
        colour_index(&snapshot, table)?.ready.then_some(())
    })
    .await;
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs
        .map(|(colour, id)| (colour.to_owned(), id.to_owned()))
        .to_vec()
}

#[tokio::test]
async fn entries_change_in_the_commit_of_their_document() {
    let it = Fixture::new().await;
    create_index(&it.storage, it.table).await;
    it.put("a", &row("a", Some("red"))).await;
    it.put("b", &row("b", Some("blue"))).await;
    it.put("c", &row("c", None)).await;
    assert_eq!(
        indexed(&it.storage, it.table),
        pairs([("blue", "b"), ("red", "a")])
    );
    let before = it.storage.snapshot().unwrap();
    it.put("a", &row("a", Some("amber"))).await;
    it.put("b", &row("b", None)).await;
    it.put("c", &row("c", Some("amber"))).await;
    assert_eq!(
        indexed(&it.storage, it.table),
        pairs([("amber", "a"), ("amber", "c")])
    );
    let index = colour_index(&before, it.table).unwrap();
    let range = EntryRange::of(b"blue");
    let found = before.scan_index(it.table, index.id, &range, Direction::Ascending);
    assert_eq!(found.unwrap().count(), 1);
    let table = it.table;
    let deleted = it
        .storage
        .write(Durability::Hard, move |batch| batch.delete(table, b"a"));
    assert!(deleted.await.unwrap());
    assert_eq!(indexed(&it.storage, it.table), pairs([("amber", "c")]));
}

#[tokio::test]
async fn a_failed_operation_leaves_the_entries_as_they_were() {
    let it = Fixture::new().await;
    create_index(&it.storage, it.table).await;
    it.put("a", &row("a", Some("red"))).await;
    let table = it.table;
    let failed = it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"a", &row("a", Some("blue")))?;
        batch.put(table, b"b", &row("b", Some("blue")))?;
        batch.delete(table, b"a")?;
        batch.put(table, b"a", &row("a", Some("green")))?;
        Err::<(), _>(ReqlError::op_failed("on purpose"))
    });
    failed.await.unwrap_err();
    assert_eq!(indexed(&it.storage, it.table), pairs([("red", "a")]));
}

#[tokio::test]
async fn an_index_of_a_large_table_is_built_while_documents_are_written() {
    let it = Fixture::new().await;
    let table = it.table;
    let colours = ["red", "green", "blue"];
    let filled = it.storage.write(Durability::Soft, move |batch| {
        for number in 0..20_000 {
            let id = format!("{number:05}");
            batch.put(
                table,
                id.as_bytes(),
                &row(&id, colours.get(number % 4).copied()),
            )?;
        }
        Ok(())
    });
    filled.await.unwrap();
    create_index(&it.storage, table).await;
    let snapshot = it.storage.snapshot().unwrap();
    assert!(!colour_index(&snapshot, table).unwrap().ready);
    // Documents on both sides of the build's position.
    for number in (0..20_000).step_by(997) {
        let id = format!("{number:05}");
        put(
            &it.storage,
            table,
            Durability::Soft,
            &id,
            row(&id, Some("amber")),
        )
        .await
        .unwrap();
    }
    let index = colour_index(&snapshot, table).unwrap();
    assert!((0.0..=1.0).contains(&it.storage.build_progress(index.id)));
    ready(&it.storage, table).await;
    assert_eq!(indexed(&it.storage, table), scanned(&it.storage, table));
}

#[tokio::test]
async fn a_build_that_was_interrupted_continues_after_the_next_start() {
    let it = Fixture::new().await;
    let table = it.table;
    let filled = it.storage.write(Durability::Soft, move |batch| {
        for number in 0..20_000 {
            let id = format!("{number:05}");
            batch.put(table, id.as_bytes(), &row(&id, Some("red")))?;
        }
        batch.create_index(table, new_index())
    });
    filled.await.unwrap();
    it.storage.close();
    let (storage, _) = open(&it.folder);
    ready(&storage, table).await;
    assert_eq!(indexed(&storage, table), scanned(&storage, table));
}

#[tokio::test]
async fn a_dropped_or_replaced_index_leaves_no_entries() {
    let it = Fixture::new().await;
    let before = it.stored_bytes();
    create_index(&it.storage, it.table).await;
    for number in 0..100 {
        let id = number.to_string();
        it.put(&id, &row(&id, Some(&"x".repeat(1000)))).await;
    }
    let table = it.table;
    let dropped = it.storage.write(Durability::Hard, move |batch| {
        for number in 0..100 {
            let id = number.to_string();
            batch.put(table, id.as_bytes(), &row(&id, None))?;
        }
        batch.create_index(
            table,
            NewIndex {
                name: "other".to_owned(),
                ..new_index()
            },
        )?;
        batch.rename_index(table, ("other", "colour"), true)
    });
    dropped.await.unwrap();
    ready(&it.storage, table).await;
    assert_eq!(indexed(&it.storage, table), []);
    let dropped = it
        .storage
        .write(Durability::Hard, move |batch| batch.drop_table(table));
    dropped.await.unwrap();
    assert!(it.stored_bytes() <= before + 4096);
    let tables = it.storage.handle.snapshots.database.begin_write().unwrap();
    let names: Vec<_> = tables
        .list_tables()
        .unwrap()
        .map(|table| redb::TableHandle::name(&table).to_owned())
        .collect();
    assert_eq!(names, ["meta"]);
}

#[tokio::test]
async fn an_index_with_a_damaged_function_is_never_ready_and_refuses_no_document() {
    let it = Fixture::new().await;
    let table = it.table;
    let damaged = NewIndex {
        function: "".into(),
        ..new_index()
    };
    let created = it.storage.write(Durability::Hard, move |batch| {
        batch.create_index(table, damaged)
    });
    created.await.unwrap();
    it.put("a", &row("a", Some("red"))).await;
    let snapshot = it.storage.snapshot().unwrap();
    assert!(!colour_index(&snapshot, table).unwrap().ready);
}

#[tokio::test]
async fn an_index_whose_build_panics_is_never_ready_and_lets_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let panics: CompileIndex = Box::new(|_| {
        Ok(Arc::new(|document| {
            assert!(document.field("colour").is_none(), "on purpose");
            Ok(Vec::new())
        }))
    });
    let storage = Storage::open(folder.path(), panics, Box::new(|_| {})).unwrap();
    let table = create_table(&storage).await;
    let red = row("a", Some("red"));
    put(&storage, table, Durability::Hard, "a", red)
        .await
        .unwrap();
    // Of the commits with the build, at most the first fails.
    let _ = storage
        .write(Durability::Hard, move |batch| {
            batch.create_index(table, new_index())
        })
        .await;
    eventually("a write that succeeds", async || {
        let plain = row("b", None);
        let written = put(&storage, table, Durability::Hard, "b", plain).await;
        written.ok()
    })
    .await;
    for number in 0..10 {
        let id = number.to_string();
        let plain = row(&id, None);
        put(&storage, table, Durability::Hard, &id, plain)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_document_that_an_index_function_fails_for_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let fails: CompileIndex = Box::new(|_| {
        Ok(Arc::new(|document| {
            let colour = document.field("colour").map(|colour| colour.as_str());
            let colour = colour.transpose()?.cloned().unwrap_or_default();
            match &*colour {
                "unreadable" => Err(ReqlError::new(ErrorKind::Internal, "on purpose")),
                colour => Ok(vec![(colour.as_bytes().to_vec(), 0)]),
            }
        }))
    });
    let storage = Storage::open(folder.path(), fails, Box::new(|_| {})).unwrap();
    let table = create_table(&storage).await;
    create_index(&storage, table).await;
    let red = row("a", Some("red"));
    put(&storage, table, Durability::Hard, "a", red)
        .await
        .unwrap();
    // The operation goes on, as a query does that counts errors.
    let written = storage.write(Durability::Hard, move |batch| {
        let unreadable = object([
            ("colour", Datum::from("unreadable")),
            ("file", binary(noise(5000, 1))),
            ("id", Datum::from("a")),
        ]);
        batch.put(table, b"a", &unreadable).unwrap_err();
        batch.put(table, b"b", &unreadable).unwrap_err();
        batch.put(table, b"c", &row("c", Some("green")))
    });
    written.await.unwrap();
    let expected = pairs([("green", "c"), ("red", "a")]);
    assert_eq!(indexed(&storage, table), expected);
    assert_eq!(scanned(&storage, table), expected);
}

/// A change of one of ten documents.
#[derive(Clone, Debug)]
enum Step {
    Put(u8, Option<u8>, Durability),
    Delete(u8),
    /// The disk fails after some more operations, and works again after the next write.
    Fail(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let durability = prop_oneof![Just(Durability::Soft), Just(Durability::Hard)];
    let step = prop_oneof![
        6 => (0..10u8, proptest::option::of(0..4u8), durability)
            .prop_map(|(id, colour, durability)| Step::Put(id, colour, durability)),
        2 => (0..10u8).prop_map(Step::Delete),
        1 => (0..8u64).prop_map(Step::Fail),
    ];
    proptest::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn entries_equal_the_documents_after_any_writes_and_disk_failures(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(&steps));
    }
}

async fn run(steps: &[Step]) {
    let disk = Disk::new(7);
    let timing = WriterTiming {
        soft_delay: Duration::from_secs(60),
        first_pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(1),
        ..WriterTiming::default()
    };
    let storage = Storage::open_on(
        Path::new("."),
        disk.medium(),
        by_field(),
        Box::new(|_| {}),
        timing,
    )
    .unwrap();
    let table = create_table(&storage).await;
    create_index(&storage, table).await;
    for step in steps {
        match step {
            Step::Put(id, colour, durability) => {
                let id = id.to_string();
                let colour = colour.map(|colour| colour.to_string());
                let document = row(&id, colour.as_deref());
                eventually("a write that succeeds", async || {
                    let written = put(&storage, table, *durability, &id, document.clone());
                    written.await.ok()
                })
                .await;
            }
            Step::Delete(id) => {
                let id = id.to_string();
                eventually("a deletion that succeeds", async || {
                    let id = id.clone();
                    let deleted = storage.write(Durability::Soft, move |batch| {
                        batch.delete(table, id.as_bytes())
                    });
                    deleted.await.ok()
                })
                .await;
            }
            Step::Fail(operations) => {
                disk.fail_after(*operations);
                let document = row("0", Some("uncertain"));
                let _ = put(&storage, table, Durability::Hard, "0", document).await;
                disk.heal();
            }
        }
    }
    eventually("a readable index", async || {
        storage.sync().await.ok()?;
        let snapshot = storage.snapshot().ok()?;
        colour_index(&snapshot, table)?.ready.then_some(())
    })
    .await;
    assert_eq!(indexed(&storage, table), scanned(&storage, table));
}
