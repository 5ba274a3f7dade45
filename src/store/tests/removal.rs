//! Deleting, restoring and purging.

use futures::StreamExt as _;
use futures::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use super::*;
use crate::store::sweep::Sweep;
use crate::store::{BoardEvent, DELETED_AT, FeedEvent, ListQuery};

/// The rows of an image in both tables, null where there is none.
async fn rows(store: &Store, id: ImageId) -> [Value; 2] {
    [
        store.image_row(id).await.unwrap(),
        store.placement_row(id).await.unwrap(),
    ]
}

#[tokio::test]
async fn a_deleted_image_comes_back_where_it_was() {
    let store = TestStore::new().await;
    let older = created(&store, image(b"dog")).await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    assert_eq!(store.delete(id).await, Ok(true));
    let marks = rows(&store, id).await.map(|row| row[DELETED_AT].clone());
    assert!(marks[0].is_string());
    assert_eq!(marks[0], marks[1]);
    assert_eq!(store.record(id).await, Ok(None));
    assert_eq!(store.file(id).await, Ok(None));
    assert_eq!(store.latest().await, Ok(Some(older.meta)));
    let query = ListQuery {
        limit: 10,
        before: None,
        sha256: Some(record.meta.sha256.clone()),
    };
    assert_eq!(store.list(query.clone()).await.unwrap().images, []);

    assert_eq!(store.restore(id).await, Ok(true));
    for row in rows(&store, id).await {
        assert_eq!(row.get(DELETED_AT), None);
    }
    assert_eq!(store.record(id).await, Ok(Some(record.clone())));
    let (meta, file) = store.file(id).await.unwrap().unwrap();
    assert_eq!((meta, &file[..]), (record.meta.clone(), &b"cat"[..]));
    assert_eq!(store.latest().await, Ok(Some(record.meta.clone())));
    assert_eq!(store.list(query).await.unwrap().images, [record]);
    // Two people may undo at once, and delete it again.
    assert_eq!(store.restore(id).await, Ok(true));
    assert_eq!(store.delete(id).await, Ok(true));
    assert_eq!(store.restore(ImageId::new()).await, Ok(false));
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_tells_a_delete_and_a_restore() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    let mut board = store.board_feed().await.unwrap();
    let mut latest = store.latest_feed().await.unwrap();
    store.delete(id).await.unwrap();
    store.restore(id).await.unwrap();
    let mut told: Vec<BoardEvent> = Vec::new();
    let mut told_latest = Vec::new();
    // The two states, the image, the delete and the restore.
    for _ in 0..5 {
        let next = timeout(Duration::from_secs(5), board.next()).await;
        told.push(next.unwrap().unwrap().unwrap());
        let next = timeout(Duration::from_secs(5), latest.next()).await;
        told_latest.push(next.unwrap().unwrap().unwrap());
    }
    assert_eq!(
        told[3..],
        [FeedEvent::Delete(id), FeedEvent::Update(record.clone())]
    );
    assert_eq!(
        told_latest[3..],
        [FeedEvent::Delete(id), FeedEvent::Update(record.meta)]
    );
    store.drop_database().await;
}

#[tokio::test]
async fn after_the_undo_window_an_image_is_removed_for_good() {
    let store = TestStore::new().await;
    let kept = created(&store, image(b"dog")).await;
    let id = created(&store, image(b"cat")).await.meta.id;
    assert_eq!(store.delete(id).await, Ok(true));
    // This store's sweep, and its last look, are still to come.
    Sweep::default().purge(&store).await.unwrap();
    assert!(rows(&store, id).await.iter().all(Value::is_object));

    let strict = store.again_with(Duration::ZERO).await;
    assert_eq!(strict.restore(id).await, Ok(false));
    Sweep::default().purge(&strict).await.unwrap();
    assert_eq!(rows(&store, id).await, [Value::Null, Value::Null]);
    assert_eq!(store.restore(id).await, Ok(false));
    assert_eq!(store.record(kept.meta.id).await, Ok(Some(kept)));
    store.drop_database().await;
}

#[tokio::test]
async fn the_sweep_purges_by_itself_soon_after_something_is_due() {
    let store = TestStore::new().await;
    let hasty = store.again_with(Duration::from_millis(100)).await;
    let record = created(&store, image(b"cat")).await;
    let mut rows = store
        .follow(
            store
                .placements()
                .changes(reql::cmd::changes::Options::new().include_states(true)),
        )
        .await
        .unwrap();
    hasty.delete(record.meta.id).await.unwrap();
    let purged = async {
        while let Some(element) = rows.next().await {
            if element.unwrap().is_removal() {
                return;
            }
        }
    };
    timeout(Duration::from_secs(10), purged).await.unwrap();
    store.drop_database().await;
}

#[tokio::test]
async fn an_image_that_is_not_deleted_is_never_purged() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    let always = Timestamp::from_millis(i64::MAX);
    assert_eq!(store.purge(id, always).await, Ok(false));
    // Restored by another server, after this one saw that it is due.
    store.delete(id).await.unwrap();
    store.restore(id).await.unwrap();
    assert_eq!(store.purge(id, always).await, Ok(false));
    assert_eq!(store.record(id).await, Ok(Some(record)));
    assert!(store.file(id).await.unwrap().is_some());
    store.drop_database().await;
}

#[tokio::test]
async fn deletes_and_restores_at_the_same_time_end_in_agreement() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    for _ in 0..10 {
        join_all((0..12).map(|number| {
            let store = &store;
            async move {
                match number % 3 {
                    0 => drop(store.delete(id).await.unwrap()),
                    1 => drop(store.restore(id).await.unwrap()),
                    _ => drop(Sweep::default().purge(store).await.unwrap()),
                }
            }
        }))
        .await;
        let [image, placement] = rows(&store, id).await;
        assert_eq!(image[DELETED_AT], placement[DELETED_AT]);
    }
    store.drop_database().await;
}

#[tokio::test]
async fn an_upload_that_is_repeated_does_not_undo_a_delete() {
    let store = TestStore::new().await;
    let first = image(b"cat");
    let id = first.meta.id;
    created(&store, first.clone()).await;
    store.delete(id).await.unwrap();
    assert_eq!(store.insert(first.clone()).await, Ok(Insert::Deleted));
    let other = image_with_id(id, Bytes::from_static(b"dog"));
    assert_eq!(store.insert(other).await, Ok(Insert::Conflict));
    assert_eq!(store.record(id).await, Ok(None));
    let [image, placement] = rows(&store, id).await;
    assert!(image[DELETED_AT].is_string() && placement[DELETED_AT].is_string());
    // Nor does one whose delete is half purged.
    let row = store.images().get(id).delete(());
    store.pool().value::<Value>(row).await.unwrap();
    assert_eq!(store.insert(first.clone()).await, Ok(Insert::Deleted));
    // After the purge nobody knows of it any more.
    let strict = store.again_with(Duration::ZERO).await;
    Sweep::default().purge(&strict).await.unwrap();
    created(&store, first).await;
    store.drop_database().await;
}

#[tokio::test]
async fn a_repeated_delete_knows_its_own_mark() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let null = store
        .placements()
        .get(id)
        .update(json!({ DELETED_AT: null }));
    store.pool().value::<Value>(null).await.unwrap();
    assert!(store.record(id).await.unwrap().is_some());
    assert_eq!(store.delete(id).await, Ok(true));
    assert_eq!(store.delete(id).await, Ok(false));
    store.drop_database().await;
}
