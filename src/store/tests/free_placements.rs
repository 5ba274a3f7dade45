//! Placements of images that are added without a position.

use futures::future::join_all;

use super::*;
use crate::store::{Durability, ListQuery, PlacementChange};

/// Stores an image of 2 × 1 pixels, which is displayed at 240 × 120.
async fn put(store: &Store) -> ImageRecord {
    created(store, image(b"cat")).await
}

fn position(record: &ImageRecord) -> (f64, f64) {
    (record.placement.x, record.placement.y)
}

/// Asserts that no two images on the board overlap. Returns their number.
async fn assert_no_overlap(store: &Store) -> usize {
    let query = ListQuery {
        limit: 1000,
        before: None,
        sha256: None,
    };
    let images = store.list(query).await.unwrap().images;
    let areas: Vec<[f64; 4]> = images
        .iter()
        .map(|image| {
            let Placement { x, y, w, .. } = image.placement;
            let h = w * f64::from(image.meta.height) / f64::from(image.meta.width);
            [x, y, x + w, y + h]
        })
        .collect();
    for (number, a) in areas.iter().enumerate() {
        for b in &areas[..number] {
            let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
            assert!(apart, "{a:?} and {b:?}");
        }
    }
    areas.len()
}

#[tokio::test]
async fn images_fill_a_grid_in_front_of_earlier_ones() {
    let store = TestStore::new().await;
    let first = put(&store).await.placement;
    let second = put(&store).await.placement;
    assert_eq!((first.x, first.y, first.w), (0.0, 60.0, 240.0));
    assert_eq!((second.x, second.y, second.w), (264.0, 60.0, 240.0));
    assert!(first.z > 1.7e12 && first.z <= second.z);
    // Another server continues after the images of this one.
    assert_eq!(position(&put(&store.again().await).await), (528.0, 60.0));
    store.drop_database().await;
}

#[tokio::test]
async fn concurrent_uploads_after_a_restart_do_not_overlap() {
    let store = TestStore::new().await;
    let mut dropped = image(b"dog");
    dropped.requested = RequestedPlacement {
        x: Some(300.0),
        y: Some(-500.0),
        w: Some(1500.0),
    };
    created(&store, dropped).await;
    join_all((0..30).map(|_| put(&store))).await;
    let restarted = store.again().await;
    let uploads = (0..60).map(|number| {
        let mut image = image(b"cat");
        if number % 5 == 0 {
            (image.meta.width, image.meta.height) = (100, 10_000);
        }
        if number % 7 == 0 {
            image.requested.w = Some(500.0);
        }
        created(&restarted, image)
    });
    join_all(uploads).await;
    assert_eq!(assert_no_overlap(&store).await, 91);
    store.drop_database().await;
}

#[tokio::test]
async fn moved_and_purged_images_free_their_cells_and_deleted_ones_do_not() {
    let store = TestStore::new().await;
    let mut records = Vec::new();
    for _ in 0..4 {
        records.push(put(&store).await);
    }
    let away = PlacementChange {
        y: Some(-5000.0),
        ..PlacementChange::default()
    };
    let moved = store.update(records[1].meta.id, away, Durability::Hard);
    assert_eq!(moved.await, Ok(true));
    assert_eq!(store.delete(records[0].meta.id).await, Ok(true));
    assert_eq!(store.delete(records[3].meta.id).await, Ok(true));
    let always = Timestamp::from_millis(i64::MAX);
    assert_eq!(store.purge(records[3].meta.id, always).await, Ok(true));
    // Another server loads the current state; the feed of this one may lag behind.
    let other = store.again().await;
    assert_eq!(position(&put(&other).await), position(&records[1]));
    assert_eq!(position(&put(&other).await), position(&records[3]));
    assert_eq!(store.restore(records[0].meta.id).await, Ok(true));
    for _ in 0..20 {
        put(&other).await;
    }
    assert_eq!(assert_no_overlap(&store).await, 25);
    store.drop_database().await;
}

#[tokio::test]
async fn concurrent_uploads_of_one_image_occupy_one_cell() {
    let store = TestStore::new().await;
    put(&store).await;
    let image = image(b"dog");
    join_all((0..8).map(|_| store.insert(image.clone()))).await;
    let next = put(&store).await;
    assert_eq!(position(&next), (528.0, 60.0));
    assert_eq!(assert_no_overlap(&store).await, 3);
    store.drop_database().await;
}
