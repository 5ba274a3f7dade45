//! Disks that are full.

use super::disk::Disk;
use super::faults::{FaultyStorage, TIMING, contents, image, open_disk};
use super::*;

#[tokio::test]
async fn writes_resume_when_a_full_disk_has_space_again() {
    let it = FaultyStorage::new(1).await;
    it.put(Durability::Hard, "first", image(0, 5000))
        .await
        .unwrap();
    it.put(Durability::Soft, "soft", image(1, 50))
        .await
        .unwrap();
    it.disk.fill_up(3_000_000);
    let mut kept = 0;
    // 3 MB cannot hold 100 images of 100 kB.
    let error = loop {
        assert!(kept < 100, "the disk does not fill up");
        match it
            .put(Durability::Hard, &format!("{kept}"), image(kept, 100_000))
            .await
        {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        error,
        ReqlError::op_failed("The disk that holds the database is full.")
    );
    assert!(kept > 3, "only {kept} images fitted");

    // All acknowledged writes are still readable, also during further failures.
    let expected = contents(&it.storage, it.table);
    assert_eq!(expected.len() as u64, kept + 2);
    assert_eq!(expected, it.model());
    for _ in 0..20 {
        it.put(Durability::Hard, "more", image(9, 100_000))
            .await
            .unwrap_err();
    }
    assert_eq!(contents(&it.storage, it.table), expected);

    it.disk.heal();
    it.put_eventually(Durability::Hard, "more", image(9, 100_000))
        .await;
    assert_eq!(contents(&it.storage, it.table).len() as u64, kept + 3);
    assert_eq!(contents(&it.storage, it.table), it.model());
}

#[tokio::test]
async fn on_a_full_disk_images_are_refused_and_small_writes_succeed() {
    let disk = Disk::new(1);
    disk.keep_reserve(1 << 20);
    let (storage, _) = open_disk(&disk, TIMING);
    let table = create_table(&storage).await;
    eventually("the reserve", async || disk.has_reserve().then_some(())).await;
    let put = |key: String, datum| put(&storage, table, Durability::Hard, &key, datum);
    disk.fill_up(2_000_000);
    let full = ReqlError::op_failed("The disk that holds the database is full.");
    let mut kept = 0;
    let error = loop {
        match put(format!("{kept}"), image(kept, 100_000)).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error, storage.disk()), (full.clone(), DiskState::Full));
    assert!(kept > 5, "only {kept} images fitted");
    // Nothing of the reserve is used for images, and all of it for the rest.
    for round in 0..20 {
        assert_eq!(put("more".into(), image(9, 2000)).await.unwrap_err(), full);
        let moved = object([("n", super::number(f64::from(round)))]);
        put("moved".into(), moved).await.unwrap();
    }
    for number in 0..kept - 3 {
        let key = number.to_string();
        let deleted = storage.write(Durability::Hard, move |batch| {
            batch.delete(table, key.as_bytes())
        });
        assert!(deleted.await.unwrap());
    }
    // Images can use the space that became free in the file, although the disk is as full as before.
    put("again".into(), image(1, 100_000)).await.unwrap();
    assert_eq!(storage.disk(), DiskState::Full);
    disk.heal();
    eventually("space", async || {
        (storage.disk() == DiskState::Works).then_some(())
    })
    .await;
    for number in 100..130 {
        put(format!("{number}"), image(number, 100_000))
            .await
            .unwrap();
    }
}
