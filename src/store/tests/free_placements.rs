//! Placements of images that are added without a position.

use futures::future::join_all;

use super::*;
use crate::store::{Durability, ListQuery, PlacementChange};

/// An image of 4,000 × 3,000 pixels, which is displayed at 320 × 240.
fn photo() -> NewImage {
    let mut photo = image(b"cat");
    (photo.meta.width, photo.meta.height) = (4000, 3000);
    photo
}

/// Stores a photo.
async fn put(store: &Store) -> ImageRecord {
    created(store, photo()).await
}

fn position(record: &ImageRecord) -> (f64, f64) {
    (record.placement.x, record.placement.y)
}

/// Waits until no two images on the board overlap: an image that was stored while its row was completed is moved at
/// once. Returns their number.
async fn without_overlap(store: &Store) -> usize {
    within_deadline(async {
        loop {
            match overlap(store).await {
                Ok(count) => return count,
                Err(overlap) => log::debug!("{overlap}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// Returns the number of images, or two that overlap.
async fn overlap(store: &Store) -> Result<usize, String> {
    let query = ListQuery {
        limit: 1000,
        before: None,
        sha256: None,
    };
    let images = main(store).list(query).await.unwrap().images;
    let areas: Vec<[f64; 4]> = images
        .iter()
        .map(|image| {
            let Placement { x, y, w, .. } = image.placement;
            let aspect = f64::from(image.meta.width) / f64::from(image.meta.height);
            let h = w / aspect.clamp(1.0 / 3.0, 4.0);
            [x, y, x + w, y + h]
        })
        .collect();
    for (number, a) in areas.iter().enumerate() {
        for b in &areas[..number] {
            let apart = a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
            if !apart {
                return Err(format!("{a:?} and {b:?} overlap"));
            }
        }
    }
    Ok(areas.len())
}

#[tokio::test]
async fn images_fill_rows_in_front_of_earlier_ones() {
    let store = TestStore::new().await;
    let first = put(&store).await.placement;
    let second = put(&store).await.placement;
    assert_eq!((first.x, first.y, first.w), (0.0, 0.0, 320.0));
    assert_eq!((second.x, second.y, second.w), (336.0, 0.0, 320.0));
    assert!(first.z > 1.7e12 && first.z <= second.z);
    // Another server continues after the images of this one.
    assert_eq!(position(&put(&store.again().await).await), (672.0, 0.0));
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
        let mut image = photo();
        if number % 5 == 0 {
            (image.meta.width, image.meta.height) = (100, 10_000);
        }
        if number % 7 == 0 {
            image.requested.w = Some(500.0);
        }
        created(&restarted, image)
    });
    join_all(uploads).await;
    assert_eq!(without_overlap(&store).await, 91);
    store.drop_database().await;
}

#[tokio::test]
async fn a_completed_row_is_justified_but_leaves_a_moved_image_where_it_is() {
    let store = TestStore::new().await;
    let mut records = Vec::new();
    for _ in 0..3 {
        records.push(put(&store).await);
    }
    let below = PlacementChange {
        y: Some(5000.0),
        ..PlacementChange::default()
    };
    let board = main(&store);
    let moved = board.update(records[1].meta.id, below, Durability::Hard);
    assert_eq!(moved.await, Ok(true));
    // Another server loads the current state; the feed of this one may lag behind.
    let other = store.again().await;
    for _ in 0..3 {
        records.push(put(&other).await);
    }
    let mut right = 0_f64;
    for record in &records {
        let Placement { x, w, y, .. } = stored(&store, record).await.placement;
        if record.meta.id == records[1].meta.id {
            assert_eq!((x, y, w), (336.0, 5000.0, 320.0));
        } else {
            right = right.max(x + w);
        }
    }
    assert!((right - 1280.0).abs() < 0.05, "{right}");
    without_overlap(&store).await;
    store.drop_database().await;
}

#[tokio::test]
async fn a_deleted_image_keeps_its_placement_until_it_is_purged() {
    let store = TestStore::new().await;
    let first = put(&store).await;
    let second = put(&store).await;
    for record in [&first, &second] {
        assert_eq!(main(&store).delete(vec![record.meta.id], None).await, Ok(1));
    }
    let other = store.again().await;
    let third = put(&other).await;
    assert_eq!(
        main(&store).restore(first.meta.id, None).await,
        Ok(Restored::Done)
    );
    assert_eq!(without_overlap(&store).await, 2);
    for record in [first, second, third] {
        main(&store)
            .delete(vec![record.meta.id], None)
            .await
            .unwrap();
        let row = store.placement_row(record.meta.id).await.unwrap();
        let at = row["deletedAt"].as_str().unwrap().parse().unwrap();
        assert_eq!(store.purge(record.meta.id, at).await, Ok(true));
    }
    // The reservation of the last image ends shortly after the image is stored.
    within_deadline(async {
        loop {
            let layout = r.db(store.server.settings.database.as_str());
            let layout = layout.table("layouts").get("main");
            let layout: Value = store.pool().value(layout).await.unwrap();
            if layout["open"] == serde_json::json!({}) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(position(&put(&store.again().await).await), (0.0, 0.0));
    store.drop_database().await;
}

#[tokio::test]
async fn two_servers_with_200_uploads_each_do_not_cover_images() {
    let store = TestStore::new().await;
    let other = store.again().await;
    let shapes = [
        (4000, 3000),
        (3000, 4000),
        (1080, 2400),
        (32, 32),
        (6000, 1500),
    ];
    let uploads = (0..400).map(|number| {
        let mut image = photo();
        (image.meta.width, image.meta.height) = shapes[number % shapes.len()];
        let server: &Store = if number % 2 == 0 { &store } else { &other };
        created(server, image)
    });
    join_all(uploads).await;
    assert_eq!(without_overlap(&store).await, 400);
    store.drop_database().await;
}

async fn stored(store: &Store, record: &ImageRecord) -> ImageRecord {
    store.record(record.meta.id).await.unwrap().unwrap()
}

#[tokio::test]
async fn concurrent_uploads_of_one_image_occupy_one_placement() {
    let store = TestStore::new().await;
    put(&store).await;
    let mut image = photo();
    image.meta.id = ImageId::new();
    join_all((0..8).map(|_| store.insert(image.clone()))).await;
    let next = put(&store).await;
    assert_eq!(position(&next), (672.0, 0.0));
    assert_eq!(without_overlap(&store).await, 3);
    store.drop_database().await;
}
