//! Writes, snapshots and scans.

use std::ops::Bound;

use super::*;

fn row(value: f64) -> Datum {
    object([("n", number(value))])
}

fn keys(scan: impl Iterator<Item = Result<(Vec<u8>, Datum), ReqlError>>) -> Vec<String> {
    scan.map(|entry| String::from_utf8(entry.unwrap().0).unwrap())
        .collect()
}

#[tokio::test]
async fn documents_read_back_as_written_even_after_reopening() {
    let it = Fixture::new().await;
    it.put("a", &row(1.0)).await;
    it.put("b", &row(2.0)).await;
    it.put("a", &row(3.0)).await;
    let seq = it.storage.snapshot().unwrap().seq();
    assert_eq!(n(&it.get("a").unwrap()), 3.0);
    it.storage.close();

    let (storage, _) = open(&it.folder);
    let snapshot = storage.snapshot().unwrap();
    assert_eq!(snapshot.seq(), seq);
    assert_eq!(snapshot.count(it.table).unwrap(), 2);
    assert_eq!(n(&snapshot.get(it.table, b"a").unwrap().unwrap()), 3.0);
    assert_eq!(snapshot.catalog().database("test").unwrap().name, "test");
    assert!(snapshot.get(it.table, b"c").unwrap().is_none());
}

#[tokio::test]
async fn a_scan_reads_the_keys_between_two_bounds_in_both_directions() {
    let it = Fixture::new().await;
    for key in ["a", "b", "c", "d"] {
        it.put(key, &row(0.0)).await;
    }
    let snapshot = it.storage.snapshot().unwrap();
    let scan =
        |lower, upper, direction| keys(snapshot.scan(it.table, lower, upper, direction).unwrap());
    let key = |text: &str| text.as_bytes().to_vec();
    use Bound::{Excluded, Included, Unbounded};
    assert_eq!(
        scan(Unbounded, Unbounded, Direction::Ascending),
        ["a", "b", "c", "d"]
    );
    assert_eq!(
        scan(
            Excluded(key("a")),
            Included(key("c")),
            Direction::Descending
        ),
        ["c", "b"]
    );
    assert_eq!(
        scan(Included(key("c")), Included(key("b")), Direction::Ascending),
        [""; 0]
    );
    assert_eq!(
        scan(Excluded(key("b")), Excluded(key("b")), Direction::Ascending),
        [""; 0]
    );
    assert_eq!(
        scan(
            Included(key("b")),
            Included(key("b")),
            Direction::Descending
        ),
        ["b"]
    );
}

#[tokio::test]
async fn a_batch_reads_its_own_writes() {
    let it = Fixture::new().await;
    it.put("a", &row(1.0)).await;
    let table = it.table;
    let seen = it.storage.write(Durability::Hard, move |batch| {
        batch.put(table, b"b", &row(2.0))?;
        assert!(batch.delete(table, b"a")?);
        assert!(!batch.delete(table, b"a")?);
        assert!(batch.get(table, b"a")?.is_none());
        let scan = batch.scan(
            table,
            Bound::Unbounded,
            Bound::Unbounded,
            Direction::Ascending,
        )?;
        let seen = keys(scan);
        Ok((seen, batch.count(table)?))
    });
    assert_eq!(seen.await.unwrap(), (vec!["b".to_owned()], 1));
}

#[tokio::test]
async fn a_snapshot_does_not_see_later_commits() {
    let it = Fixture::new().await;
    it.put("a", &row(1.0)).await;
    let before = it.storage.snapshot().unwrap();
    it.put("a", &row(2.0)).await;
    let after = it.storage.snapshot().unwrap();
    assert_eq!(n(&before.get(it.table, b"a").unwrap().unwrap()), 1.0);
    assert_eq!(n(&after.get(it.table, b"a").unwrap().unwrap()), 2.0);
    assert_eq!(after.seq(), before.seq() + 1);
    let commits = it.commits.lock().unwrap();
    assert_eq!(
        commits.iter().map(|commit| commit.seq).collect::<Vec<_>>(),
        [before.seq(), after.seq()]
    );
    let change = &commits[1].changes[0];
    assert_eq!(
        (
            n(change.old.as_ref().unwrap()),
            n(change.new.as_ref().unwrap())
        ),
        (1.0, 2.0)
    );
}
