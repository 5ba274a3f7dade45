//! Soft writes reach the disk in time.

use std::time::Duration;

use super::super::writer::WriterTiming;
use super::*;

#[tokio::test]
async fn a_soft_write_is_synced_without_a_later_write() {
    let it = Fixture::new().await;
    let document = object([("n", number(1.0))]);
    put(&it.storage, it.table, Durability::Soft, "a", document)
        .await
        .unwrap();
    let seq = it.storage.snapshot().unwrap().seq();
    eventually("the soft write on disk", async || {
        (it.storage.stats().durable_seq >= seq).then_some(())
    })
    .await;

    // A copy of the file, as a killed process would leave it.
    let killed = tempfile::tempdir().unwrap();
    let file = "board.redb";
    std::fs::copy(it.folder.path().join(file), killed.path().join(file)).unwrap();
    let (storage, _) = open(&killed);
    let snapshot = storage.snapshot().unwrap();
    assert!(snapshot.get(it.table, b"a").unwrap().is_some());
}

#[test]
fn the_sync_of_soft_writes_is_due_well_within_the_promised_second() {
    assert!(WriterTiming::default().soft_delay <= Duration::from_millis(500));
}
