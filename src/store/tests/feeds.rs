//! Feeds of the board and of the latest image.

use std::sync::Arc;

use futures::StreamExt as _;

use super::proxy::Proxy;
use super::*;
use crate::store::FeedEvent::{Delete, Initial, State, Update};
use crate::store::{Address, Durability, FeedState, PlacementChange, StoreError};

/// Connections of a store besides its feeds: three of the pool, for the sweep, the thumbnails and the board that is
/// read, and one of the watchdog.
const OTHER_CONNECTIONS: usize = 4;

/// Starts a proxy for the database. Returns it with settings that use it.
pub(super) async fn through_proxy(store: &TestStore) -> (Proxy, ClusterSettings) {
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
async fn the_board_feed_sends_the_current_state_and_then_every_change_once() {
    let store = TestStore::new().await;
    let first = created(&store, image(b"1")).await;
    let mut feed = main(&store).feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, Initial([first.clone()].into()));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));

    let second = created(&store, image(b"2")).await;
    assert_eq!(next(&mut feed).await, Update(second.clone()));

    let id = first.meta.id;
    main(&store)
        .update(id, moved(7.0), Durability::Soft)
        .await
        .unwrap();
    let mut first = first;
    first.placement.x = 7.0;
    assert_eq!(next(&mut feed).await, Update(first));

    // Each delete is a single event.
    main(&store).delete(vec![id], None).await.unwrap();
    main(&store)
        .delete(vec![second.meta.id], None)
        .await
        .unwrap();
    assert_eq!(next(&mut feed).await, Delete { id, by: None });
    assert_eq!(
        next(&mut feed).await,
        Delete {
            id: second.meta.id,
            by: None
        }
    );
    store.drop_database().await;
    let end = within_deadline(feed.next()).await.unwrap();
    assert!(matches!(end, Err(StoreError::FeedEnded(_))), "{end:?}");
    assert!(feed.next().await.is_none());
}

#[tokio::test]
async fn feeds_that_start_at_the_same_time_share_the_images_and_later_ones_see_later_images() {
    let store = TestStore::new().await;
    let first = created(&store, image(b"1")).await;
    let board = main(&store);
    let (one, two, three) = tokio::join!(
        board.current_images(),
        board.current_images(),
        board.current_images()
    );
    let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
    assert_eq!(*one, *std::slice::from_ref(&first));
    assert!(Arc::ptr_eq(&one, &two) && Arc::ptr_eq(&one, &three));
    let second = created(&store, image(b"2")).await;
    let both = board.current_images().await.unwrap();
    assert_eq!(both.len(), 2);
    assert!(both.contains(&first) && both.contains(&second));
    assert!(store.inner.current_reads.is_idle());
    store.drop_database().await;
}

#[tokio::test]
async fn the_latest_feed_sends_the_last_image_and_then_every_new_one() {
    let store = TestStore::new().await;
    let mut feed = main(&store).latest_feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));
    let first = created(&store, image(b"1")).await.meta;
    assert_eq!(next(&mut feed).await, Update(first.clone()));

    let second = created(&store, image(b"2")).await.meta;
    let mut later = main(&store).latest_feed().await.unwrap();
    assert_eq!(next(&mut later).await, State(FeedState::Initializing));
    assert_eq!(next(&mut later).await, Initial([second.clone()].into()));
    assert_eq!(next(&mut later).await, State(FeedState::Ready));

    // A move is no event of this feed.
    main(&store)
        .update(first.id, moved(1.0), Durability::Hard)
        .await
        .unwrap();
    main(&store).delete(vec![second.id], None).await.unwrap();
    assert_eq!(next(&mut feed).await, Update(second.clone()));
    assert_eq!(
        next(&mut feed).await,
        Delete {
            id: second.id,
            by: None
        }
    );
    assert_eq!(
        next(&mut later).await,
        Delete {
            id: second.id,
            by: None
        }
    );
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_uses_one_connection_and_closes_it_when_dropped() {
    let store = TestStore::new().await;
    let (proxy, settings) = through_proxy(&store).await;
    let viewer = Store::connect(settings, UNDO_WINDOW).await.unwrap();
    let mut feeds = Vec::new();
    for _ in 0..50 {
        feeds.push(main(&viewer).feed().await.unwrap());
    }
    for feed in &mut feeds {
        assert_eq!(next(feed).await, State(FeedState::Initializing));
    }
    let open = proxy.open();
    assert!((51..=50 + OTHER_CONNECTIONS).contains(&open), "{open}");
    drop(feeds);
    within_deadline(proxy.until_open_at_most(OTHER_CONNECTIONS)).await;
    // Dropping the last handle closes the pool and stops the watchdog.
    drop(viewer);
    within_deadline(proxy.until_open_at_most(0)).await;
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_ends_when_the_database_stops_responding() {
    let store = TestStore::new().await;
    let (proxy, settings) = through_proxy(&store).await;
    let viewer = Store::connect(settings, UNDO_WINDOW).await.unwrap();
    let mut feed = main(&viewer).feed().await.unwrap();
    assert_eq!(next(&mut feed).await, State(FeedState::Initializing));
    assert_eq!(next(&mut feed).await, State(FeedState::Ready));
    proxy.freeze();
    // The watchdog takes up to 11 s: its interval, its timeout, and that of a new session.
    let end = within_deadline(feed.next()).await;
    assert_eq!(
        end,
        Some(Err(StoreError::FeedEnded(
            "the database server is gone".into()
        )))
    );
    assert_eq!(feed.next().await, None);
    store.drop_database().await;
}

#[tokio::test]
async fn a_feed_whose_connection_stalls_ends_while_others_deliver_changes() {
    let store = TestStore::new().await;
    let id = created(&store, image(b"cat")).await.meta.id;
    let (proxy, settings) = through_proxy(&store).await;
    let (viewer, _shutdown) = Store::open(settings, UNDO_WINDOW).await.unwrap();
    let board = main(&viewer);
    let mut stalled = board.feed().await.unwrap();
    while next(&mut stalled).await != State(FeedState::Ready) {}
    proxy.stall_open_connections();
    let mut other = board.feed().await.unwrap();
    while next(&mut other).await != State(FeedState::Ready) {}
    // Takes 20 s or a little more.
    let changing = async {
        for x in 1.. {
            let change = moved(x.into());
            assert_eq!(
                main(&store).update(id, change, Durability::Soft).await,
                Ok(true)
            );
            assert!(matches!(next(&mut other).await, Update(_)));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ended = async { while stalled.next().await.is_some_and(|event| event.is_ok()) {} };
    within_deadline(async {
        tokio::select! {
            () = changing => {}
            () = ended => {}
        }
    })
    .await;
    store.drop_database().await;
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_creates_one_image() {
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
