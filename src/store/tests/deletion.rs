//! Deleting, restoring and purging images.

use futures::future::join_all;
use serde_json::json;

use super::*;
use crate::store::client::changefeed_options;
use crate::store::images::Sweep;
use crate::store::rows::DELETED_AT;
use crate::store::{BoardEvent, FeedEvent, LatestEvent, ListQuery};

/// Returns the rows of an image in both tables, null if there is none.
async fn rows(store: &Store, id: ImageId) -> [Value; 2] {
    [
        store.image_row(id).await.unwrap(),
        store.placement_row(id).await.unwrap(),
    ]
}

#[tokio::test]
async fn a_restored_image_has_its_previous_placement() {
    let store = TestStore::new().await;
    let older = created(&store, image(b"dog")).await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    let marks = rows(&store, id).await.map(|row| row[DELETED_AT].clone());
    assert!(marks[0].is_string());
    assert_eq!(marks[0], marks[1]);
    assert_eq!(store.record(id).await, Ok(None));
    assert_eq!(store.file(id).await, Ok(None));
    let (_, file) = store.deleted_file(id).await.unwrap().unwrap();
    assert_eq!(&file[..], b"cat");
    assert_eq!(main(&store).latest().await, Ok(Some(older.meta)));
    let query = ListQuery {
        limit: 10,
        before: None,
        sha256: Some(record.meta.sha256.clone()),
    };
    assert_eq!(main(&store).list(query.clone()).await.unwrap().images, []);

    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Done));
    for row in rows(&store, id).await {
        assert_eq!(row.get(DELETED_AT), None);
    }
    assert_eq!(store.record(id).await, Ok(Some(record.clone())));
    let (meta, file) = store.file(id).await.unwrap().unwrap();
    assert_eq!((meta, &file[..]), (record.meta.clone(), &b"cat"[..]));
    assert_eq!(main(&store).latest().await, Ok(Some(record.meta.clone())));
    assert_eq!(main(&store).list(query).await.unwrap().images, [record]);
    // Restoring twice succeeds, and the image can be deleted again.
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Done));
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    assert_eq!(
        main(&store).restore(ImageId::new(), None).await,
        Ok(Restored::Gone)
    );
    store.drop_database().await;
}

#[tokio::test]
async fn feeds_send_a_delete_and_a_restore() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    let mut board = main(&store).feed().await.unwrap();
    let mut latest = main(&store).latest_feed().await.unwrap();
    main(&store).delete(vec![id], None).await.unwrap();
    main(&store).restore(id, None).await.unwrap();
    let mut board_events: Vec<BoardEvent> = Vec::new();
    let mut latest_events: Vec<LatestEvent> = Vec::new();
    // Two states, the image, the delete and the restore.
    for _ in 0..5 {
        board_events.push(next(&mut board).await);
        latest_events.push(next(&mut latest).await);
    }
    assert_eq!(
        board_events[3..],
        [
            FeedEvent::Delete { id, by: None },
            FeedEvent::Update(record.clone())
        ]
    );
    assert_eq!(
        latest_events[3..],
        [
            FeedEvent::Delete { id, by: None },
            FeedEvent::Update(record.meta)
        ]
    );
    store.drop_database().await;
}

#[tokio::test]
async fn an_image_is_purged_after_the_undo_window() {
    let store = TestStore::new().await;
    let kept = created(&store, image(b"dog")).await;
    let id = created(&store, image(b"cat")).await.meta.id;
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    // Not due yet.
    Sweep::default().purge(&store).await.unwrap();
    assert!(rows(&store, id).await.iter().all(Value::is_object));

    let strict = store.again_with(Duration::ZERO).await;
    assert_eq!(main(&strict).restore(id, None).await, Ok(Restored::Gone));
    Sweep::default().purge(&strict).await.unwrap();
    assert_eq!(rows(&store, id).await, [Value::Null, Value::Null]);
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Gone));
    assert_eq!(store.record(kept.meta.id).await, Ok(Some(kept)));
    store.drop_database().await;
}

#[tokio::test]
async fn the_background_sweep_purges_an_image_when_it_is_due() {
    let store = TestStore::new().await;
    let hasty = store.again_with(Duration::from_millis(100)).await;
    let record = created(&store, image(b"cat")).await;
    let changes = store.placements().changes(changefeed_options(100));
    let rows = store.inner.connector.changefeed(changes).await;
    let mut rows = rows.unwrap();
    main(&hasty)
        .delete(vec![record.meta.id], None)
        .await
        .unwrap();
    loop {
        let change = next(&mut rows).await;
        if change.old_val.is_object() && change.new_val.is_null() {
            break;
        }
    }
    store.drop_database().await;
}

#[tokio::test]
async fn an_image_that_is_not_deleted_is_never_purged() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    assert_eq!(store.purge(id, Timestamp::now()).await, Ok(false));
    // Restored by another server after this one has found it due.
    main(&store).delete(vec![id], None).await.unwrap();
    let row = store.placement_row(id).await.unwrap();
    let at: Timestamp = row[DELETED_AT].as_str().unwrap().parse().unwrap();
    main(&store).restore(id, None).await.unwrap();
    assert_eq!(store.purge(id, at).await, Ok(false));
    // Or deleted again since.
    let earlier = Timestamp::from_millis(at.as_millis() - 1);
    main(&store).delete(vec![id], None).await.unwrap();
    assert_eq!(store.purge(id, earlier).await, Ok(false));
    main(&store).restore(id, None).await.unwrap();
    assert_eq!(store.record(id).await, Ok(Some(record)));
    assert!(store.file(id).await.unwrap().is_some());
    store.drop_database().await;
}

#[tokio::test]
async fn concurrent_deletes_and_restores_leave_both_tables_in_agreement() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    for _ in 0..10 {
        join_all((0..12).map(|number| {
            let store = &store;
            async move {
                match number % 3 {
                    0 => drop(main(store).delete(vec![id], None).await.unwrap()),
                    1 => drop(main(store).restore(id, None).await.unwrap()),
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
async fn a_repeated_upload_does_not_undo_a_delete() {
    let store = TestStore::new().await;
    let first = image(b"cat");
    let id = first.meta.id;
    created(&store, first.clone()).await;
    main(&store).delete(vec![id], None).await.unwrap();
    assert_eq!(store.insert(first.clone()).await, Ok(Insert::Deleted));
    let other = image_with_id(id, Bytes::from_static(b"dog"));
    assert_eq!(store.insert(other).await, Ok(Insert::Conflict));
    assert_eq!(store.record(id).await, Ok(None));
    let [image, placement] = rows(&store, id).await;
    assert!(image[DELETED_AT].is_string() && placement[DELETED_AT].is_string());
    // Also if the purge is half done.
    let row = store.images().get(id).delete(());
    store.pool().value::<Value>(row).await.unwrap();
    assert_eq!(store.insert(first.clone()).await, Ok(Insert::Deleted));
    // After the purge the id is free again.
    let strict = store.again_with(Duration::ZERO).await;
    Sweep::default().purge(&strict).await.unwrap();
    created(&store, first).await;
    store.drop_database().await;
}

#[tokio::test]
async fn a_null_mark_counts_as_not_deleted() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let null = store
        .placements()
        .get(id)
        .update(json!({ DELETED_AT: null }));
    store.pool().value::<Value>(null).await.unwrap();
    assert!(store.record(id).await.unwrap().is_some());
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(0));
    store.drop_database().await;
}
