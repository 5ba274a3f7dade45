//! Following the tables.

use std::time::Duration;

use futures::{Stream, StreamExt as _};
use tokio::time::timeout;

use super::proxy::Proxy;
use super::*;
use crate::store::FeedEvent::{Delete, State, Update};
use crate::store::{Address, Durability, FeedState, PlacementChange, StoreError};

/// What comes next, which must not take long.
async fn next<T>(feed: &mut (impl Stream<Item = Result<T, StoreError>> + Unpin)) -> T {
    let next = timeout(Duration::from_secs(5), feed.next()).await;
    next.expect("an event").expect("an open feed").unwrap()
}

/// A proxy before the database, and settings that lead through it.
async fn through_proxy(store: &TestStore) -> (Proxy, ClusterSettings) {
    let target = &store.server.settings.hosts[0];
    let target = tokio::net::lookup_host((target.host.as_str(), target.port))
        .await
        .unwrap()
        .next()
        .unwrap();
    let proxy = Proxy::new(target).await;
    let mut settings = store.server.settings.clone();
    settings.hosts = vec![Address::new("127.0.0.1", proxy.address.port())];
    (proxy, settings)
}

fn moved(x: f64) -> PlacementChange {
    PlacementChange {
        x: Some(x),
        ..PlacementChange::default()
    }
}

#[tokio::test]
async fn the_board_feed_tells_the_present_and_then_every_change_once() {
    let store = TestStore::new().await;
    let first = created(&store, image(b"1")).await;
    let mut feed = store.board_feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, Update(first.clone()));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));

    let second = created(&store, image(b"2")).await;
    assert_eq!(next(&mut feed).await, Update(second.clone()));

    let id = first.meta.id;
    store
        .update(id, moved(7.0), Durability::Soft)
        .await
        .unwrap();
    let mut first = first;
    first.placement.x = 7.0;
    assert_eq!(next(&mut feed).await, Update(first));

    // The delete writes the placement twice, but is told once: the next event is about another image.
    store.delete(id).await.unwrap();
    store.delete(second.meta.id).await.unwrap();
    assert_eq!(next(&mut feed).await, Delete(id));
    assert_eq!(next(&mut feed).await, Delete(second.meta.id));
    store.drop_database().await;
    let end = feed.next().await.unwrap();
    assert!(matches!(end, Err(StoreError::FeedEnded(_))), "{end:?}");
    assert!(feed.next().await.is_none());
}

#[tokio::test]
async fn the_latest_feed_tells_the_last_image_and_then_every_new_one() {
    let store = TestStore::new().await;
    let mut feed = store.latest_feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));
    let first = created(&store, image(b"1")).await.meta;
    assert_eq!(next(&mut feed).await, Update(first.clone()));

    let second = created(&store, image(b"2")).await.meta;
    let mut later = store.latest_feed().await.unwrap();
    assert_eq!(next(&mut later).await, State(FeedState::Initializing));
    assert_eq!(next(&mut later).await, Update(second.clone()));
    assert_eq!(next(&mut later).await, State(FeedState::Ready));

    // A move is not told: the next event is about the delete.
    store
        .update(first.id, moved(1.0), Durability::Hard)
        .await
        .unwrap();
    store.delete(second.id).await.unwrap();
    assert_eq!(next(&mut feed).await, Update(second.clone()));
    assert_eq!(next(&mut feed).await, Delete(second.id));
    assert_eq!(next(&mut later).await, Delete(second.id));
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_has_one_connection_and_closes_it_when_it_is_dropped() {
    let store = TestStore::new().await;
    let (proxy, settings) = through_proxy(&store).await;
    let viewer = Store::connect(settings, UNDO_WINDOW).await.unwrap();
    let before = proxy.open();
    let mut feeds = Vec::new();
    for _ in 0..50 {
        feeds.push(viewer.board_feed().await.unwrap());
    }
    // The pool may have grown, and the watchdog have come, meanwhile; they stay within a few.
    assert!(proxy.open() >= before + 50);
    let others = proxy.open() - 50;
    assert!(others <= 3, "{others}");
    for feed in &mut feeds {
        assert_eq!(next(feed).await, State(FeedState::Initializing));
    }
    drop(feeds);
    timeout(Duration::from_secs(5), proxy.until_open(others))
        .await
        .unwrap();
    // The last handle takes the pool and the watchdog with it.
    drop(viewer);
    timeout(Duration::from_secs(5), proxy.until_open(0))
        .await
        .unwrap();
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_ends_when_the_database_vanishes_without_a_word() {
    let store = TestStore::new().await;
    let (proxy, settings) = through_proxy(&store).await;
    let viewer = Store::connect(settings, UNDO_WINDOW).await.unwrap();
    let mut feed = viewer.board_feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));
    proxy.freeze();
    // The watchdog's interval, its patience, and that for a second attempt make 11 s.
    let end = timeout(Duration::from_secs(20), feed.next()).await.unwrap();
    assert_eq!(
        end,
        Some(Err(StoreError::FeedEnded("the database is gone".into())))
    );
    assert_eq!(feed.next().await, None);
    store.drop_database().await;
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_makes_one_image() {
    let store = TestStore::new().await;
    let (proxy, settings) = through_proxy(&store).await;
    let uploader = Store::connect(settings, UNDO_WINDOW).await.unwrap();
    for bytes in [100_000, 500] {
        let file = vec![7; 200_000].into();
        proxy.lose_answer_to(bytes);
        let record = created(&uploader, image_with_id(ImageId::new(), file)).await;
        assert!(proxy.lost_an_answer());
        assert_eq!(store.record(record.meta.id).await, Ok(Some(record.clone())));
        assert!(store.file(record.meta.id).await.unwrap().is_some());
    }
    store.drop_database().await;
}
