//! Writes that reach the database after they were given up.

use serde_json::json;

use super::feeds::through_proxy;
use super::*;
use crate::store::write::hard_update;
use crate::store::{Durability, PlacementChange};

fn moved_to(x: f64) -> PlacementChange {
    PlacementChange {
        x: Some(x),
        ..PlacementChange::default()
    }
}

#[tokio::test]
async fn a_write_that_arrives_after_it_was_given_up_undoes_nothing() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let (proxy, settings) = through_proxy(&store).await;
    let (stalled, _shutdown) = Store::open(settings, UNDO_WINDOW).await.unwrap();
    assert_eq!(
        main(&stalled)
            .update(id, moved_to(1.0), Durability::Hard)
            .await,
        Ok(true)
    );
    let open = proxy.open();

    proxy.hold_queries(true);
    let row = stalled.placements().get(id);
    let late = row.update(r.args((json!({ "x": 2.0 }), hard_update())));
    let limit = Duration::from_millis(300);
    let given_up = stalled.pool().write_within::<Value>(late, limit).await;
    assert!(
        matches!(given_up, Err(StoreError::Unavailable(_))),
        "{given_up:?}"
    );
    assert_eq!(
        main(&store)
            .update(id, moved_to(3.0), Durability::Hard)
            .await,
        Ok(true)
    );
    proxy.hold_queries(false);
    // The connection is closed once the server has executed, or refused, what it received.
    within_deadline(proxy.until_open_at_most(open - 1)).await;
    assert_eq!(store.record(id).await.unwrap().unwrap().placement.x, 3.0);
    store.drop_database().await;
}

#[tokio::test]
async fn a_write_in_time_is_made() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let row = store.placements().get(id);
    let write = row.update(r.args((json!({ "x": 2.0 }), hard_update())));
    let written = store.pool().write::<Value>(write).await.unwrap();
    assert_eq!(written["replaced"], 1);
    store.drop_database().await;
}
