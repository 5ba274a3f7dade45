//! Thumbnails stored with an upload, and those made in the background.

use serde_json::json;

use super::*;
use crate::image::sniff;
use crate::store::rows::DELETED_AT;
use crate::store::{FeedEvent, FeedState};

/// A small photo that needs a thumbnail, because its EXIF orientation must be applied.
fn photo(id: ImageId) -> NewImage {
    let file = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/files/rotated.jpg"
    ));
    let mut image = image_with_id(id, Bytes::from_static(file));
    image.meta.kind = ImageType::Jpeg;
    image
}

/// Turns an image into one stored by a release without thumbnails.
async fn remove_thumb_fields(store: &Store, id: ImageId) {
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
    image.thumbhash = Some("aGFzaA==".into());
    let record = created(&store, image.clone()).await;
    let id = record.meta.id;
    assert_eq!(record.thumb, Some(true));
    assert_eq!(record.thumbhash.as_deref(), Some("aGFzaA=="));
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
    store.drop_database().await;
}

#[tokio::test]
async fn a_small_image_of_a_release_without_thumbhashes_gets_one() {
    let store = TestStore::new().await;
    let [small, avif, unreadable] = [0; 3].map(|_| ImageId::new());
    let file = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/files/plain.png"
    ));
    created(&store, image_with_id(small, Bytes::from_static(file))).await;
    let mut without_hash = image_with_id(avif, Bytes::from_static(b"."));
    without_hash.meta.kind = ImageType::Avif;
    created(&store, without_hash).await;
    created(&store, image_with_id(unreadable, Bytes::from_static(b"?"))).await;
    assert_eq!(store.without_thumb().await, Ok(vec![small, unreadable]));
    for id in [small, unreadable] {
        store.add_thumb(id).await.unwrap();
        let record = store.record(id).await.unwrap().unwrap();
        assert_eq!(record.thumb, Some(false));
        assert_eq!(record.thumbhash.is_some(), id == small);
    }
    // One that has none is not decoded again.
    assert_eq!(store.without_thumb().await, Ok(vec![]));
    store.drop_database().await;
}

#[tokio::test]
async fn missing_thumbnails_are_made_and_sent_to_board_feeds() {
    let store = TestStore::new().await;
    let [photo_id, damaged, gone, known] = [0; 4].map(|_| ImageId::new());
    created(&store, photo(photo_id)).await;
    created(&store, image_with_id(damaged, Bytes::from_static(b"?"))).await;
    created(&store, image_with_id(gone, Bytes::from_static(b"!"))).await;
    let mut with_thumb = image_with_id(known, Bytes::from_static(b"."));
    with_thumb.thumb = Some(Bytes::from_static(b"kitten"));
    created(&store, with_thumb).await;
    for id in [photo_id, damaged, gone] {
        remove_thumb_fields(&store, id).await;
    }
    // As after a crash between the two writes of the upload.
    let unknown = store.placements().get(known);
    let unknown = unknown.update(json!({ "thumb": null }));
    store.pool().value::<Value>(unknown).await.unwrap();
    main(&store).delete(vec![gone], None).await.unwrap();
    assert_eq!(
        store.without_thumb().await,
        Ok(vec![photo_id, damaged, known])
    );

    let mut latest = main(&store).latest_feed().await.unwrap();
    let mut board = main(&store).feed().await.unwrap();
    while next(&mut board).await != FeedEvent::State(FeedState::Ready) {}
    for id in [photo_id, damaged, gone, known] {
        store.add_thumb(id).await.unwrap();
    }
    for (id, has_thumb) in [(photo_id, true), (damaged, false), (known, true)] {
        let FeedEvent::Update(record) = next(&mut board).await else {
            panic!("not an update")
        };
        assert_eq!((record.meta.id, record.has_thumb()), (id, has_thumb));
        assert_eq!(record.thumbhash.is_some(), id == photo_id);
    }
    let thumb = store.thumb(photo_id).await.unwrap().unwrap();
    assert!(sniff(&thumb).is_some());
    assert_eq!(store.without_thumb().await, Ok(vec![]));
    let row = store.placement_row(gone).await.unwrap();
    assert!(row.get("thumb").is_none() && row[DELETED_AT].is_string());
    // Thumbnails are no events of the latest feed: after two states and the image comes the delete.
    for _ in 0..3 {
        next(&mut latest).await;
    }
    main(&store).delete(vec![photo_id], None).await.unwrap();
    assert_eq!(
        next(&mut latest).await,
        FeedEvent::Delete {
            id: photo_id,
            by: None
        }
    );
    store.drop_database().await;
}

#[tokio::test]
async fn missing_thumbnails_are_made_in_the_background_after_start_up() {
    let store = TestStore::new().await;
    let id = ImageId::new();
    created(&store, photo(id)).await;
    remove_thumb_fields(&store, id).await;
    let mut board = main(&store).feed().await.unwrap();
    let _started = store.again().await;
    loop {
        if let FeedEvent::Update(record) = next(&mut board).await
            && record.has_thumb()
        {
            break;
        }
    }
    store.drop_database().await;
}
