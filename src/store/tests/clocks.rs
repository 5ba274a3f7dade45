//! Clocks that are wrong: of servers, and between servers.

use serde_json::json;
use tokio::time::Instant;

use super::*;
use crate::store::ListQuery;
use crate::store::images::{Sweep, UndoClock};
use crate::store::rows::{DELETED_AT, UNDO_CLOCK};

const DAY_MS: i64 = 86_400_000;

/// Changes fields of the rows of an image in both tables.
async fn set(store: &Store, id: ImageId, fields: Value) {
    for row in [store.images().get(id), store.placements().get(id)] {
        let changed = row.update(fields.clone());
        store.pool().value::<Value>(changed).await.unwrap();
    }
}

/// Lets the undo clock read `ms` milliseconds more.
async fn turn_undo_clock(store: &Store, ms: i64) {
    let row: Value = store
        .pool()
        .value(store.layouts().get("undo-clock"))
        .await
        .unwrap();
    let ms = row["ms"].as_i64().unwrap_or(0) + ms;
    let row = json!({"id": "undo-clock", "ms": ms, "revision": "turned"});
    let turned = store.layouts().get("undo-clock").replace(row);
    store.pool().value::<Value>(turned).await.unwrap();
}

async fn exists(store: &Store, id: ImageId) -> bool {
    !store.placement_row(id).await.unwrap().is_null()
}

async fn listed(store: &Store) -> Vec<ImageId> {
    let query = ListQuery {
        limit: 10,
        before: None,
        sha256: None,
    };
    let images = main(store).list(query).await.unwrap().images;
    images.iter().map(|image| image.meta.id).collect()
}

#[tokio::test]
async fn a_clock_that_is_set_ahead_purges_nothing_early() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    main(&store).delete(vec![id], None).await.unwrap();
    // As a server sees it whose clock has been set three days ahead.
    let at = Timestamp::from_millis(Timestamp::now().as_millis() - 3 * DAY_MS);
    set(&store, id, json!({ DELETED_AT: at })).await;
    let mut sweep = Sweep::default();
    for _ in 0..3 {
        assert!(sweep.purge(&store).await.unwrap().is_some());
    }
    assert!(exists(&store, id).await);
    assert_eq!(main(&store).bin(10).await.unwrap().len(), 1);
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Done));
    let row = store.placement_row(id).await.unwrap();
    assert_eq!((row.get(DELETED_AT), row.get(UNDO_CLOCK)), (None, None));
    store.drop_database().await;
}

#[tokio::test]
async fn an_image_is_purged_when_servers_have_run_for_the_undo_window() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    main(&store).delete(vec![id], None).await.unwrap();
    // As a server sees it whose clock has been set three days back.
    let at = Timestamp::from_millis(Timestamp::now().as_millis() + 3 * DAY_MS);
    set(&store, id, json!({ DELETED_AT: at })).await;
    Sweep::default().purge(&store).await.unwrap();
    assert!(exists(&store, id).await);
    let window = UNDO_WINDOW.as_millis() as i64;
    turn_undo_clock(&store, window).await;
    Sweep::default().purge(&store).await.unwrap();
    assert!(exists(&store, id).await, "the last step is not over");
    turn_undo_clock(&store, 60_000).await;
    assert_eq!(main(&store).restore(id, None).await, Ok(Restored::Gone));
    assert!(main(&store).bin(10).await.unwrap().is_empty());
    Sweep::default().purge(&store).await.unwrap();
    assert!(!exists(&store, id).await);
    store.drop_database().await;
}

#[tokio::test]
async fn the_undo_window_of_an_earlier_delete_begins_when_it_is_seen() {
    let store = TestStore::new().await;
    turn_undo_clock(&store, 5_000).await;
    let old = created(&store, image(b"cat")).await.meta.id;
    let moved = created(&store, image(b"dog")).await.meta.id;
    main(&store).delete(vec![old, moved], None).await.unwrap();
    // Of a release that had no such clock, and from a database whose clock read more.
    set(&store, old, json!({ UNDO_CLOCK: null })).await;
    set(&store, moved, json!({ UNDO_CLOCK: 9_000_000_000_i64 })).await;
    Sweep::default().purge(&store).await.unwrap();
    for id in [old, moved] {
        let row = store.placement_row(id).await.unwrap();
        assert_eq!(row[UNDO_CLOCK], 5_000);
    }
    turn_undo_clock(&store, UNDO_WINDOW.as_millis() as i64 + 60_000).await;
    Sweep::default().purge(&store).await.unwrap();
    assert!(!exists(&store, old).await && !exists(&store, moved).await);
    store.drop_database().await;
}

#[tokio::test]
async fn several_servers_do_not_turn_the_undo_clock_faster_than_time() {
    let store = TestStore::new().await;
    let begin = Instant::now();
    let mut clocks: Vec<UndoClock> = (0..4).map(|_| UndoClock::default()).collect();
    let mut reading = 0;
    // The clock advances by more or less, depending on how often they get in each other's way.
    while begin.elapsed() < Duration::from_millis(1_500) || reading == 0 {
        assert!(begin.elapsed() < DEADLINE, "the clock stands still");
        let advancing = clocks.iter_mut().map(|clock| clock.advance(&store));
        for time in futures::future::join_all(advancing).await {
            reading = reading.max(time.unwrap().ms());
        }
    }
    let passed = begin.elapsed().as_millis() as i64;
    assert!(reading <= passed, "{reading} ms in {passed} ms");
    store.drop_database().await;
}

#[tokio::test]
async fn new_images_are_the_newest_although_the_clock_was_set_back() {
    let store = TestStore::new().await;
    let mut ahead = image(b"one");
    // As a server sees it whose clock has been set three days back.
    ahead.meta.created_at = Timestamp::from_millis(Timestamp::now().as_millis() + 3 * DAY_MS);
    let ahead = created(&store, ahead).await;
    let mut ids = vec![ahead.meta.id];
    let other_server = store.again().await;
    for server in [&store.store, &other_server, &other_server, &store.store] {
        let record = created(server, image(b"later")).await;
        assert!(record.meta.created_at > ahead.meta.created_at);
        assert!(record.placement.z > ahead.placement.z);
        ids.insert(0, record.meta.id);
        let latest = main(server).latest().await.unwrap().unwrap();
        assert_eq!(latest.id, record.meta.id);
    }
    assert_eq!(listed(&store).await, ids);
    store.drop_database().await;
}
