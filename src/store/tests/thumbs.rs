//! Thumbnails that come with an upload, and those that are made later.

use futures::StreamExt as _;
use serde_json::json;
use tokio::time::timeout;

use super::*;
use crate::image::sniff;
use crate::store::{DELETED_AT, FeedEvent};

/// A photograph whose thumbnail is not itself, since it must be turned.
fn photograph(id: ImageId) -> NewImage {
    let file = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/files/rotated.jpg"
    ));
    let mut image = image_with_id(id, Bytes::from_static(file));
    image.meta.kind = ImageType::Jpeg;
    image
}

/// Makes an image one from before there were thumbnails.
async fn age(store: &Store, id: ImageId) {
    for table in [store.images(), store.placements()] {
        let old = reql::func!(|row| row.without(r.expr("thumb")));
        let old = table.get(id).replace(old);
        store.pool().value::<Value>(old).await.unwrap();
    }
}

#[tokio::test]
async fn a_thumbnail_is_stored_with_its_image() {
    let store = TestStore::new().await;
    let mut image = image(b"cat");
    image.thumb = Some(Bytes::from_static(b"kitten"));
    let record = created(&store, image.clone()).await;
    let id = record.meta.id;
    assert_eq!(record.thumb, Some(true));
    assert_eq!(store.record(id).await, Ok(Some(record.clone())));
    assert_eq!(
        store.thumb(id).await,
        Ok(Some(Bytes::from_static(b"kitten")))
    );
    assert_eq!(store.file(id).await.unwrap().unwrap().1, &b"cat"[..]);
    assert_eq!(store.insert(image).await, Ok(Insert::Existing(record)));
    let without = created(&store, super::image(b"dog")).await;
    assert_eq!(without.thumb, Some(false));
    assert_eq!(store.thumb(without.meta.id).await, Ok(None));
    assert_eq!(store.thumb(ImageId::new()).await, Ok(None));
    assert_eq!(store.without_thumb().await, Ok(vec![]));
    store.drop_database().await;
}

#[tokio::test]
async fn images_from_before_get_theirs_and_the_board_is_told() {
    let store = TestStore::new().await;
    let [photo, damaged, gone, known] = [0; 4].map(|_| ImageId::new());
    created(&store, photograph(photo)).await;
    created(&store, image_with_id(damaged, Bytes::from_static(b"?"))).await;
    created(&store, image_with_id(gone, Bytes::from_static(b"!"))).await;
    let mut with_thumb = image_with_id(known, Bytes::from_static(b"."));
    with_thumb.thumb = Some(Bytes::from_static(b"kitten"));
    created(&store, with_thumb).await;
    for id in [photo, damaged, gone] {
        age(&store, id).await;
    }
    // As after a crash between its two documents.
    let forget = store.placements().get(known);
    let forget = forget.update(json!({ "thumb": null }));
    store.pool().value::<Value>(forget).await.unwrap();
    store.delete(gone).await.unwrap();
    assert_eq!(store.without_thumb().await, Ok(vec![photo, damaged, known]));

    let mut latest = store.latest_feed().await.unwrap();
    let mut board = store.board_feed().await.unwrap();
    while board.next().await.unwrap().unwrap() != FeedEvent::State(crate::store::FeedState::Ready) {
    }
    for id in [photo, damaged, gone, known] {
        store.add_thumb(id).await.unwrap();
    }
    for (id, has_thumb) in [(photo, true), (damaged, false), (known, true)] {
        let told = timeout(Duration::from_secs(5), board.next()).await;
        let Some(Ok(FeedEvent::Update(record))) = told.unwrap() else {
            panic!()
        };
        assert_eq!((record.meta.id, record.has_thumb()), (id, has_thumb));
    }
    let thumb = store.thumb(photo).await.unwrap().unwrap();
    assert!(sniff(&thumb).is_some());
    assert_eq!(store.without_thumb().await, Ok(vec![]));
    let row = store.placement_row(gone).await.unwrap();
    assert!(row.get("thumb").is_none() && row[DELETED_AT].is_string());
    // Followers of the latest image are told nothing: the next event is about the delete.
    for _ in 0..3 {
        latest.next().await.unwrap().unwrap();
    }
    store.delete(photo).await.unwrap();
    let next = timeout(Duration::from_secs(5), latest.next()).await;
    assert_eq!(next.unwrap(), Some(Ok(FeedEvent::Delete(photo))));
    store.drop_database().await;
}

#[tokio::test]
async fn they_are_made_in_the_background_when_a_server_starts() {
    let store = TestStore::new().await;
    let id = ImageId::new();
    created(&store, photograph(id)).await;
    age(&store, id).await;
    let mut board = store.board_feed().await.unwrap();
    let _started = store.again().await;
    let made = async {
        loop {
            if let FeedEvent::Update(record) = board.next().await.unwrap().unwrap()
                && record.has_thumb()
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), made).await.unwrap();
    store.drop_database().await;
}
