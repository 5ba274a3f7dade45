//! Boards: their images are kept apart, and their records are followed.

use futures::future::join_all;

use super::*;
use crate::image::OwnerId;
use crate::store::images::Sweep;
use crate::store::{
    BoardChange, BoardRecord, BoardUsage, BoardsEvent, Durability, FeedEvent, FeedState, Link,
    ListQuery, PlacementChange, Role,
};

fn image_on(board: BoardId, bytes: &'static [u8]) -> NewImage {
    let mut image = image(bytes);
    image.meta.board = board;
    image
}

fn owner(byte: u8) -> Option<OwnerId> {
    Some(OwnerId::from_hash(&[byte; 32]))
}

fn all() -> ListQuery {
    ListQuery {
        limit: 100,
        before: None,
        sha256: None,
    }
}

fn captioned() -> PlacementChange {
    PlacementChange {
        caption: Some("a cat".into()),
        ..PlacementChange::default()
    }
}

#[tokio::test]
async fn a_board_knows_nothing_of_the_images_of_another() {
    let store = TestStore::new().await;
    let (here, there) = (main(&store), store.board(BoardId::random()));
    let mut feed = here.feed().await.unwrap();
    let mut latest = here.latest_feed().await.unwrap();
    let other = created(&store, image_on(there.id(), b"there")).await;
    let own = created(&store, image(b"here")).await;
    assert_eq!(other.meta.board, there.id());
    // Both begin with the first row of a layout of their own.
    assert_eq!(
        (other.placement.x, other.placement.y),
        (own.placement.x, own.placement.y)
    );

    assert_eq!(
        next(&mut feed).await,
        FeedEvent::State(FeedState::Initializing)
    );
    assert_eq!(next(&mut feed).await, FeedEvent::State(FeedState::Ready));
    assert_eq!(next(&mut feed).await, FeedEvent::Update(own.clone()));
    for state in [FeedState::Initializing, FeedState::Ready] {
        assert_eq!(next(&mut latest).await, FeedEvent::State(state));
    }
    assert_eq!(next(&mut latest).await, FeedEvent::Update(own.meta.clone()));
    assert_eq!(
        here.list(all()).await.unwrap().images,
        std::slice::from_ref(&own)
    );
    assert_eq!(
        there.list(all()).await.unwrap().images,
        std::slice::from_ref(&other)
    );
    for (board, image) in [(&here, &own), (&there, &other)] {
        let usage = BoardUsage {
            images: 1,
            bytes: image.meta.size,
        };
        assert_eq!(board.usage().await, Ok(usage));
    }
    assert_eq!(there.latest().await, Ok(Some(other.meta.clone())));

    // Nor does it change them.
    let id = other.meta.id;
    assert_eq!(
        here.update(id, captioned(), Durability::Hard).await,
        Ok(false)
    );
    assert_eq!(here.arrange(vec![(id, captioned())]).await, Ok(0));
    assert_eq!(here.delete(vec![id], None).await, Ok(0));
    assert_eq!(there.delete(vec![id], None).await, Ok(1));
    assert_eq!(here.restore(id, None).await, Ok(Restored::Gone));
    assert!(here.bin(10).await.unwrap().is_empty());
    assert_eq!(there.bin(10).await.unwrap().len(), 1);
    assert_eq!(here.clear(None).await, Ok(1));
    assert_eq!(there.restore(id, None).await, Ok(Restored::Done));
    assert_eq!(there.list(all()).await.unwrap().images, [other]);
    store.drop_database().await;
}

#[tokio::test]
async fn an_id_that_another_board_has_is_a_conflict() {
    let store = TestStore::new().await;
    let first = created(&store, image(b"cat")).await;
    let mut second = image_on(BoardId::random(), b"cat");
    second.meta.id = first.meta.id;
    assert_eq!(store.insert(second).await, Ok(Insert::Conflict));
    store.drop_database().await;
}

#[tokio::test]
async fn whoever_may_change_their_own_images_changes_no_others() {
    let store = TestStore::new().await;
    let mut ids = Vec::new();
    for owner in [owner(1), owner(2), None] {
        let mut image = image(b"cat");
        image.meta.owner = owner;
        ids.push(created(&store, image).await.meta.id);
    }
    let own = main(&store).only_of(owner(1));
    let nobody = main(&store).only_of(None);
    for (number, &id) in ids.iter().enumerate() {
        let is_own = number == 0;
        let updated = own.update(id, captioned(), Durability::Hard).await;
        assert_eq!(updated, Ok(is_own));
        assert_eq!(
            own.arrange(vec![(id, captioned())]).await,
            Ok(u64::from(is_own))
        );
        assert_eq!(nobody.delete(vec![id], None).await, Ok(0));
    }
    assert_eq!(own.delete(ids.clone(), None).await, Ok(1));
    assert_eq!(main(&store).delete(ids.clone(), None).await, Ok(2));
    assert_eq!(own.bin(10).await.unwrap().len(), 1);
    assert_eq!(nobody.bin(10).await.unwrap().len(), 0);
    assert_eq!(own.restore(ids[1], None).await, Ok(Restored::Gone));
    assert_eq!(nobody.restore(ids[2], None).await, Ok(Restored::Gone));
    assert_eq!(own.restore(ids[0], None).await, Ok(Restored::Done));
    store.drop_database().await;
}

#[tokio::test]
async fn an_approved_image_is_sent_again_and_waits_no_longer() {
    let store = TestStore::new().await;
    let board = main(&store);
    let mut ids = Vec::new();
    for bytes in [&b"one"[..], b"two", b"three"] {
        let mut image = image(bytes);
        image.meta.waiting = true;
        ids.push(created(&store, image).await.meta.id);
    }
    assert_eq!(board.latest().await, Ok(None));
    let mut feed = board.latest_feed().await.unwrap();
    next(&mut feed).await;
    next(&mut feed).await;
    assert_eq!(board.approve(Some(vec![ids[1]])).await, Ok(1));
    match next(&mut feed).await {
        FeedEvent::Update(meta) => assert_eq!((meta.id, meta.waiting), (ids[1], false)),
        other => panic!("{other:?}"),
    }
    assert_eq!(board.latest().await.unwrap().unwrap().id, ids[1]);
    assert_eq!(store.board(BoardId::random()).approve(None).await, Ok(0));
    assert_eq!(board.approve(None).await, Ok(2));
    assert_eq!(board.approve(None).await, Ok(0));
    let listed = board.list(all()).await.unwrap().images;
    assert!(listed.len() == 3 && listed.iter().all(|image| !image.meta.waiting));
    drop(feed);
    store.drop_database().await;
}

#[tokio::test]
async fn boards_and_their_links_are_followed() {
    let store = TestStore::new().await;
    let board = BoardRecord::new("Party".into());
    let mut feed = store.boards_feed().await.unwrap();
    store.create_board(&board).await.unwrap();
    assert_eq!(next(&mut feed).await, BoardsEvent::Ready);
    assert_eq!(next(&mut feed).await, BoardsEvent::Board(board.clone()));

    let (link, _) = Link::new(Role::Add, Some("Guests".into()), None);
    let with_link = store.add_link(board.id, &link).await.unwrap().unwrap();
    assert_eq!(with_link.links, std::slice::from_ref(&link));
    assert_eq!(next(&mut feed).await, BoardsEvent::Board(with_link.clone()));
    let without = store.remove_link(board.id, &link.id).await.unwrap();
    assert_eq!(without.as_ref(), Some(&board));
    assert_eq!(next(&mut feed).await, BoardsEvent::Board(board.clone()));

    let locked = BoardChange {
        locked: Some(true),
        ..BoardChange::default()
    };
    let locked = store.change_board(board.id, locked).await.unwrap().unwrap();
    assert!(locked.settings.locked && !locked.settings.moderated && locked.title == "Party");
    next(&mut feed).await;
    let deleted = store.delete_board(board.id).await.unwrap().unwrap();
    assert_eq!(next(&mut feed).await, BoardsEvent::Board(deleted));
    assert_eq!(store.delete_board(board.id).await, Ok(None));
    assert_eq!(store.add_link(BoardId::random(), &link).await, Ok(None));
    // The main board has a row once it is changed.
    let named = BoardChange {
        title: Some("Wedding".into()),
        ..BoardChange::default()
    };
    let named = store
        .change_board(BoardId::MAIN, named)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((named.id, named.title.as_str()), (BoardId::MAIN, "Wedding"));
    drop(feed);
    store.drop_database().await;
}

#[tokio::test]
async fn a_deleted_board_is_removed_after_the_undo_window() {
    let store = TestStore::new().await;
    let (kept, gone) = (
        BoardRecord::new("Kept".into()),
        BoardRecord::new("Gone".into()),
    );
    for board in [&kept, &gone] {
        store.create_board(board).await.unwrap();
        created(&store, image_on(board.id, b"cat")).await;
    }
    store.delete_board(gone.id).await.unwrap();
    store.purge_boards().await.unwrap();
    let hasty = Store::open(store.server.settings.clone(), std::time::Duration::ZERO);
    let (hasty, _shutdown) = hasty.await.unwrap();
    assert_eq!(
        hasty.pool().value::<u64>(r.count(store.boards())).await,
        Ok(2)
    );
    // Its photo was not deleted with it, as if the server had ended in between.
    assert_eq!(hasty.purge_boards().await, Ok(true));
    Sweep::default().purge(&hasty).await.unwrap();
    let usage = hasty.board(gone.id).usage().await.unwrap();
    assert_eq!(usage.images, 0);
    assert_eq!(hasty.purge_boards().await, Ok(false));
    assert_eq!(
        hasty.pool().value::<u64>(r.count(store.boards())).await,
        Ok(1)
    );
    let change = BoardChange::default();
    assert_eq!(store.change_board(kept.id, change).await, Ok(Some(kept)));
    assert_eq!(
        hasty.pool().value::<u64>(r.count(store.layouts())).await,
        Ok(1)
    );
    drop(hasty);
    store.drop_database().await;
}

#[tokio::test]
async fn links_that_are_made_at_the_same_time_are_all_kept() {
    let store = TestStore::new().await;
    let links: Vec<Link> = (0..10)
        .map(|_| Link::new(Role::View, None, None).0)
        .collect();
    let added = links.iter().map(|link| store.add_link(BoardId::MAIN, link));
    let added: Vec<BoardRecord> = join_all(added)
        .await
        .into_iter()
        .map(|added| added.unwrap().unwrap())
        .collect();
    assert_eq!(added.iter().map(|board| board.links.len()).max(), Some(10));
    store.drop_database().await;
}

#[tokio::test]
async fn the_links_of_the_latest_starts_are_kept() {
    let store = TestStore::new().await;
    let name = || Some("Shown at the start".to_owned());
    let (other, _) = Link::new(Role::Edit, None, None);
    store.add_link(BoardId::MAIN, &other).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..4 {
        let (link, _) = Link::new(Role::Add, name(), None);
        store.add_start_link(BoardId::MAIN, &link, 2).await.unwrap();
        store.add_admin_link(link.clone(), 2).await.unwrap();
        made.push(link);
    }
    let mut feed = store.boards_feed().await.unwrap();
    let (mut board, mut admin) = (None, None);
    loop {
        match next(&mut feed).await {
            BoardsEvent::Board(record) => board = Some(record.links),
            BoardsEvent::Admin(links) => admin = Some(links.links),
            BoardsEvent::Ready => break,
            BoardsEvent::Removed(id) => panic!("{id}"),
        }
    }
    assert_eq!(board.unwrap(), [other, made[2].clone(), made[3].clone()]);
    assert_eq!(admin.unwrap(), &made[2..]);
    drop(feed);
    store.drop_database().await;
}
