//! Inserting, reading, changing and deleting images.

use bytes::Bytes;
use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use uuid::Uuid;

use super::*;
use crate::store::board::Position;
use crate::store::{Durability, FeedEvent, ListQuery, Password, PlacementChange, StoreError};

fn all(limit: usize) -> ListQuery {
    ListQuery {
        limit,
        before: None,
        sha256: None,
    }
}

#[tokio::test]
async fn an_image_is_read_as_it_was_stored() {
    let store = TestStore::new().await;
    // Every byte value, and more than one line of RethinkDB's base64.
    let file: Bytes = (0..=255).cycle().take(70_001).collect();
    let mut image = image_with_id(ImageId::new(), file.clone());
    image.meta.alt = Some("a cat".into());
    image.requested = RequestedPlacement {
        x: Some(-10.5),
        y: Some(1e6),
        w: Some(33.25),
    };
    let meta = image.meta.clone();
    let record = created(&store, image).await;
    assert_eq!(record.meta, meta);
    assert_eq!(
        (record.placement.x, record.placement.y, record.placement.w),
        (-10.5, 1e6, 33.25)
    );
    assert_eq!(store.record(meta.id).await, Ok(Some(record.clone())));
    assert_eq!(store.file(meta.id).await, Ok(Some((meta.clone(), file))));
    assert_eq!(main(&store).latest().await, Ok(Some(meta)));
    assert_eq!(main(&store).list(all(10)).await.unwrap().images, [record]);
    store.drop_database().await;
}

#[tokio::test]
async fn an_empty_board_has_no_images() {
    let store = TestStore::new().await;
    let id = ImageId::new();
    assert_eq!(store.ping().await, Ok(()));
    assert_eq!(main(&store).latest().await, Ok(None));
    assert_eq!(store.record(id).await, Ok(None));
    assert_eq!(store.file(id).await, Ok(None));
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(0));
    let change = PlacementChange::default();
    assert_eq!(
        main(&store).update(id, change, Durability::Hard).await,
        Ok(false)
    );
    let page = main(&store).list(all(10)).await.unwrap();
    assert_eq!((page.images.len(), page.next), (0, None));
    store.drop_database().await;
}

#[tokio::test]
async fn a_repeated_id_is_existing_or_a_conflict() {
    let store = TestStore::new().await;
    let first = image(b"one");
    let record = created(&store, first.clone()).await;
    let mut again = first.clone();
    again.meta.file_name = "other name".into();
    assert_eq!(
        store.insert(again).await,
        Ok(Insert::Existing(record.clone()))
    );
    let other = image_with_id(first.meta.id, Bytes::from_static(b"two"));
    assert_eq!(store.insert(other).await, Ok(Insert::Conflict));
    assert_eq!(store.record(first.meta.id).await, Ok(Some(record)));
    store.drop_database().await;
}

#[tokio::test]
async fn concurrent_uploads_of_one_image_store_it_once() {
    let store = TestStore::new().await;
    let image = image(b"one");
    let results = join_all((0..8).map(|_| store.insert(image.clone()))).await;
    let created = results
        .iter()
        .filter(|result| matches!(result, Ok(Insert::Created(_))));
    assert_eq!(created.count(), 1, "{results:?}");
    let existing = results
        .iter()
        .filter(|result| matches!(result, Ok(Insert::Existing(_))));
    assert_eq!(existing.count(), 7, "{results:?}");
    assert_eq!(main(&store).list(all(10)).await.unwrap().images.len(), 1);
    store.drop_database().await;
}

#[tokio::test]
async fn of_concurrent_uploads_with_one_id_and_different_bytes_one_is_stored() {
    let store = TestStore::new().await;
    let id = ImageId::new();
    let images = [&b"one"[..], b"two", b"three", b"four"].map(Bytes::from_static);
    let images = images.map(|file| store.insert(image_with_id(id, file)));
    let results = join_all(images).await;
    let is_created = |result: &_| matches!(result, Ok(Insert::Created(_)));
    let created = results.iter().position(is_created).unwrap();
    for (number, result) in results.iter().enumerate() {
        assert!(
            number == created || *result == Ok(Insert::Conflict),
            "{results:?}"
        );
    }
    let (meta, file) = store.file(id).await.unwrap().unwrap();
    assert_eq!(meta.sha256, HEXLOWER.encode(&Sha256::digest(&file)));
    assert_eq!(store.record(id).await.unwrap().unwrap().meta, meta);
    store.drop_database().await;
}

/// An id created at `ms`.
fn id_at(ms: u64, number: u128) -> ImageId {
    let id = (u128::from(ms) << 80) | (0x7 << 76) | (0b10 << 62) | number;
    Uuid::from_u128(id).to_string().parse().unwrap()
}

#[tokio::test]
async fn a_list_is_ordered_from_newest_to_oldest_by_the_time_of_the_upload() {
    let store = TestStore::new().await;
    const DAY: i64 = 86_400_000;
    let now = Timestamp::now().as_millis();
    // Some over years, some within one millisecond, and at last one from the time when the server's clock was ahead.
    let mut times: Vec<i64> = (0..40).map(|day| now - day * 30 * DAY).collect();
    times.extend((0..300).map(|_| now - 5 * DAY));
    let images: Vec<(i64, ImageId)> = times
        .iter()
        .enumerate()
        // The clocks of the pages that made the ids are wrong.
        .map(|(number, &at)| (at, id_at(number as u64 * 1_000, number as u128)))
        .collect();
    // No more at once than the pool has sessions: a query that waits too long for one fails.
    stream::iter(&images)
        .for_each_concurrent(16, async |&(at, id)| {
            let mut image = image_with_id(id, Bytes::from_static(b"x"));
            image.meta.created_at = Timestamp::from_millis(at);
            created(&store, image).await;
        })
        .await;
    let mut images = images;
    let ahead = (now + DAY, id_at(1, 400));
    let mut image = image_with_id(ahead.1, Bytes::from_static(b"x"));
    image.meta.created_at = Timestamp::from_millis(ahead.0);
    created(&store, image).await;
    images.push(ahead);
    images.sort();
    images.reverse();
    let ids: Vec<ImageId> = images.iter().map(|&(_, id)| id).collect();

    let board = main(&store);
    for limit in [1, 7, 300, 1000] {
        let mut listed = Vec::new();
        let mut query = all(limit);
        loop {
            let page = board.list(query.clone()).await.unwrap();
            assert!(page.images.len() <= limit);
            listed.extend(page.images.iter().map(|image| image.meta.id));
            if page.next.is_none() || listed.len() > 60 && limit == 1 {
                break;
            }
            query.before = page.next;
        }
        assert_eq!(listed, ids[..listed.len()], "limit {limit}");
        assert!(limit == 1 || listed.len() == ids.len(), "limit {limit}");
    }

    // The range to sort contains enough rows and few more, unless it is a single millisecond.
    for (before, most) in [(now + 2 * DAY, 302), (images[310].0, 11)] {
        let before = Position::at(before);
        let lower = board.lower_bound(&before, 7, 4).await.unwrap();
        let positions = images.iter().map(|&(at, _)| Position::at(at));
        let found = positions.filter(|at| *at >= lower && *at < before);
        let found = found.count();
        assert!((7..=most).contains(&found), "{found} before {before:?}");
    }
    store.drop_database().await;
}

#[tokio::test]
async fn a_list_by_hash_contains_the_images_with_these_bytes() {
    let store = TestStore::new().await;
    let cat = created(&store, image(b"cat")).await;
    created(&store, image(b"dog")).await;
    let twin = created(&store, image(b"cat")).await;
    let mut query = all(1);
    query.sha256 = Some(cat.meta.sha256.clone());
    let page = main(&store).list(query.clone()).await.unwrap();
    assert_eq!(page.images, std::slice::from_ref(&twin));
    assert_eq!(page.next, Some(twin.meta.id));
    query.before = page.next;
    let page = main(&store).list(query.clone()).await.unwrap();
    assert_eq!((page.images, page.next), (vec![cat], None));
    query.sha256 = Some("0".repeat(64));
    assert_eq!(main(&store).list(query).await.unwrap().images, []);
    store.drop_database().await;
}

#[tokio::test]
async fn an_update_changes_placement_and_alt() {
    let store = TestStore::new().await;
    let mut record = created(&store, image(b"cat")).await;
    let id = record.meta.id;
    let to = PlacementChange {
        x: Some(1.5),
        y: None,
        w: Some(100.0),
        z: Some(9e12),
        alt: None,
        caption: Some("Our cat".into()),
        moved_by: Some("Åsa".into()),
    };
    assert_eq!(
        main(&store).update(id, to.clone(), Durability::Soft).await,
        Ok(true)
    );
    (record.placement.x, record.placement.w, record.placement.z) = (1.5, 100.0, 9e12);
    (record.caption, record.moved_by) = (Some("Our cat".into()), Some("Åsa".into()));
    assert_eq!(store.record(id).await, Ok(Some(record.clone())));
    // Repeating it succeeds without a change.
    assert_eq!(
        main(&store).update(id, to, Durability::Hard).await,
        Ok(true)
    );

    let described = PlacementChange {
        alt: Some("a cat".into()),
        ..PlacementChange::default()
    };
    assert_eq!(
        main(&store).update(id, described, Durability::Hard).await,
        Ok(true)
    );
    record.meta.alt = Some("a cat".into());
    assert_eq!(store.record(id).await, Ok(Some(record.clone())));
    assert_eq!(store.file(id).await.unwrap().unwrap().0, record.meta);
    store.drop_database().await;
}

#[tokio::test]
async fn a_deleted_image_is_neither_listed_nor_readable() {
    let store = TestStore::new().await;
    let older = created(&store, image(b"dog")).await;
    let id = created(&store, image(b"cat")).await.meta.id;
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(1));
    assert_eq!(main(&store).delete(vec![id], None).await, Ok(0));
    assert_eq!(store.record(id).await, Ok(None));
    assert_eq!(store.file(id).await, Ok(None));
    let change = PlacementChange::default();
    assert_eq!(
        main(&store).update(id, change, Durability::Hard).await,
        Ok(false)
    );
    assert_eq!(main(&store).latest().await, Ok(Some(older.meta.clone())));
    assert_eq!(main(&store).list(all(10)).await.unwrap().images, [older]);
    store.drop_database().await;
}

#[tokio::test]
async fn cancelled_queries_leave_no_session_that_hangs() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"cat")).await;
    for _ in 0..100 {
        // Dropped after one poll, when the query is being sent.
        assert!(store.record(record.meta.id).now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        assert_eq!(store.record(record.meta.id).await, Ok(Some(record.clone())));
    }
    store.drop_database().await;
}

#[tokio::test]
async fn a_cancelled_upload_completes() {
    let store = TestStore::new().await;
    let image = image(b"cat");
    let id = image.meta.id;
    let mut feed = main(&store).feed().await.unwrap();
    assert!(store.insert(image).now_or_never().is_none());
    loop {
        if let FeedEvent::Update(record) = next(&mut feed).await {
            assert_eq!(record.meta.id, id);
            break;
        }
    }
    assert!(store.file(id).await.unwrap().is_some());
    drop(feed);
    store.drop_database().await;
}

#[tokio::test]
async fn several_servers_can_create_the_schema_at_once() {
    let server = Server::new();
    let stores =
        join_all((0..4).map(|_| Store::connect(server.settings.clone(), UNDO_WINDOW))).await;
    let stores: Vec<Store> = stores.into_iter().map(Result::unwrap).collect();
    let record = created(&stores[0], image(b"cat")).await;
    assert_eq!(stores[3].record(record.meta.id).await, Ok(Some(record)));
    server.store().await.drop_database().await;
}

#[tokio::test]
async fn a_wrong_password_is_a_login_error() {
    let server = Server::new();
    let mut settings = server.settings.clone();
    settings.password = Password::from("not the password".to_owned());
    let error = Store::connect(settings, UNDO_WINDOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Login(_)), "{error}");
}

#[tokio::test]
async fn an_unreachable_host_is_skipped() {
    let mut server = Server::new();
    // Connections to a closed port are refused.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let closed = crate::store::Address::new("127.0.0.1", port);
    server.settings.hosts.insert(0, closed);
    let store = server.store().await;
    created(&store, image(b"cat")).await;
    store.drop_database().await;
}

#[tokio::test]
async fn a_file_with_other_bytes_than_were_stored_is_damaged() {
    let store = TestStore::new().await;
    let record = created(&store, image(b"the right bytes")).await;
    let other = created(&store, image(b"of another image")).await;
    let id = record.meta.id;
    #[derive(serde::Serialize)]
    struct Damage {
        file: crate::store::client::Binary,
    }
    let damage = Damage {
        file: crate::store::client::Binary(Bytes::from_static(b"the wrong bytes")),
    };
    let update = store.images().get(id.to_string()).update(damage);
    store.pool().value::<Value>(update).await.unwrap();
    for _ in 0..2 {
        let error = store.file(id).await.unwrap_err();
        let StoreError::Damaged(message) = &error else {
            panic!("{error}")
        };
        assert!(message.contains(&id.to_string()), "{message}");
    }
    assert!(store.file(other.meta.id).await.unwrap().is_some());
    store.drop_database().await;
}
