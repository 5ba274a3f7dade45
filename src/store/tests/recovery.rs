//! Recovery from crashes between the writes of one operation.

use futures::future::join_all;
use reql::func;
use serde_json::json;

use super::*;
use crate::store::images::Sweep;
use crate::store::rows::DELETED_AT;
use crate::store::{Durability, PlacementChange};

/// Removes the placement, as if the server had crashed before writing it.
async fn remove_placement(store: &Store, id: ImageId) {
    let row = store.placements().get(id).delete(());
    store.pool().value::<Value>(row).await.unwrap();
}

#[tokio::test]
async fn an_image_without_a_placement_is_placed_after_a_while() {
    let store = TestStore::new().await;
    let images = (0..40).map(|_| created(&store, image(b"cat")));
    let records = join_all(images).await;
    let lost = [records[3].meta.id, records[20].meta.id];
    for id in lost {
        remove_placement(&store, id).await;
    }
    let mut sweep = Sweep::default();
    sweep.place(&store, UNDO_WINDOW).await.unwrap();
    assert_eq!(store.record(lost[0]).await, Ok(None));
    sweep.place(&store, Duration::ZERO).await.unwrap();
    for id in lost {
        let record = store.record(id).await.unwrap().unwrap();
        assert!(records.iter().any(|before| before.meta == record.meta));
    }
    store.drop_database().await;
}

#[tokio::test]
async fn an_upload_repeated_after_a_crash_is_placed() {
    let store = TestStore::new().await;
    let image = image(b"cat");
    let record = created(&store, image.clone()).await;
    remove_placement(&store, record.meta.id).await;
    let again = created(&store, image).await;
    assert_eq!(again.meta, record.meta);
    assert_eq!(store.record(record.meta.id).await, Ok(Some(again)));
    store.drop_database().await;
}

#[tokio::test]
async fn an_interrupted_delete_is_completed() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let at = Timestamp::now();
    let mark = json!({ DELETED_AT: at });
    let mark = store.placements().get(id).update(mark);
    store.pool().value::<Value>(mark).await.unwrap();

    // The mark of the placement alone hides the image.
    assert_eq!(store.record(id).await, Ok(None));
    let change = PlacementChange::default();
    assert_eq!(
        main(&store).update(id, change, Durability::Hard).await,
        Ok(false)
    );

    let next = Sweep::default().purge(&store).await.unwrap().unwrap();
    assert!(next <= UNDO_WINDOW && !next.is_zero());
    assert_eq!(store.file(id).await, Ok(None));
    let row = store.image_row(id).await.unwrap();
    assert_eq!(row[DELETED_AT], json!(at));
    // It can be restored like any other.
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Done));
    assert!(store.file(id).await.unwrap().is_some());
    store.drop_database().await;
}

#[tokio::test]
async fn an_interrupted_restore_leaves_the_image_deleted() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    let unmarked = func!(|row| row.without(r.expr(DELETED_AT)));
    let unmarked = store.images().get(id).replace(unmarked);
    store.pool().value::<Value>(unmarked).await.unwrap();
    Sweep::default().purge(&store).await.unwrap();
    assert_eq!(store.file(id).await, Ok(None));
    assert_eq!(main(&store).latest().await, Ok(None));
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Done));
    assert_eq!(store.record(id).await, Ok(Some(record)));
    store.drop_database().await;
}

#[tokio::test]
async fn an_interrupted_purge_is_completed() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    let row = store.images().get(id).delete(());
    store.pool().value::<Value>(row).await.unwrap();
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Gone));
    let strict = store.again_with(Duration::ZERO).await;
    Sweep::default().purge(&strict).await.unwrap();
    let rows = r.count(store.placements());
    assert_eq!(store.pool().value(rows).await, Ok(0));
    store.drop_database().await;
}

#[tokio::test]
async fn an_image_whose_restore_was_interrupted_is_purged() {
    let store = TestStore::new().await;
    let strict = store.again_with(Duration::ZERO).await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let mut sweep = Sweep::default();
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    // Notes that both tables have the mark.
    sweep.purge(&store).await.unwrap();
    let unmarked = func!(|row| row.without(r.expr(DELETED_AT)));
    let restore = store.images().get(id).replace(unmarked);
    store.pool().value::<Value>(restore).await.unwrap();
    for _ in 0..2 {
        sweep.purge(&strict).await.unwrap();
    }
    let rows = r.count(store.placements());
    assert_eq!(store.pool().value(rows).await, Ok(0));
    let rows = r.count(store.images());
    assert_eq!(store.pool().value(rows).await, Ok(0));
    store.drop_database().await;
}

#[tokio::test]
async fn a_placement_without_an_image_is_left_alone() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let row = store.images().get(record.meta.id).delete(());
    store.pool().value::<Value>(row).await.unwrap();
    let mut sweep = Sweep::default();
    sweep.purge(&store).await.unwrap();
    sweep.place(&store, Duration::ZERO).await.unwrap();
    assert_eq!(store.record(record.meta.id).await, Ok(Some(record)));
    store.drop_database().await;
}
