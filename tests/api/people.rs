//! The names of viewers, and what is recorded under them.

use serde_json::{Value, json};

use crate::files::read;
use crate::helpers::{TestApp, problem, spawn_app};
use crate::viewer::Viewer;

async fn ready(app: &TestApp) -> Viewer {
    let mut viewer = app.board().await;
    viewer.initial().await;
    viewer
}

async fn named(app: &TestApp, name: &str) -> (Viewer, Value) {
    let mut viewer = ready(app).await;
    let answer = viewer.command("User:name", json!({"name": name})).await;
    assert_eq!(answer["ok"], true, "{answer}");
    (viewer, answer["person"].clone())
}

/// Waits for a `User:update` with these people.
async fn until_people(viewer: &mut Viewer, expected: Value) {
    while viewer.expect("User:update").await["people"] != expected {}
}

#[tokio::test]
async fn viewers_see_the_names_of_those_who_have_one() {
    let app = spawn_app().await;
    let mut first = ready(&app).await;
    let (mut ada, person) = named(&app, " Ada\u{7} ").await;
    assert_eq!(person["name"], "Ada");
    assert_eq!(person["colour"].as_str().unwrap().len(), "#123456".len());
    until_people(&mut first, json!([person])).await;
    let (other, _) = named(&app, "Bo").await;
    let (_, same_colour) = named(&app, "ADA").await;
    assert_eq!(same_colour["colour"], person["colour"]);
    assert_ne!(same_colour["id"], person["id"]);
    drop(other);
    until_people(&mut first, json!([person])).await;
    let answer = ada.command("User:name", json!({"name": ""})).await;
    assert_eq!(
        (&answer["ok"], &answer["person"]),
        (&json!(true), &Value::Null)
    );
    until_people(&mut first, json!([])).await;
    for data in [
        json!({}),
        json!({"name": 7}),
        json!({"name": "a".repeat(81)}),
    ] {
        let answer = ada.command("User:name", data.clone()).await;
        assert_eq!(answer["ok"], false, "{data}");
    }
}

#[tokio::test]
async fn who_moves_and_who_deletes_an_image_is_recorded() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let id = &record["id"];
    let mut watcher = ready(&app).await;
    let (mut ada, _) = named(&app, "Ada").await;
    let mut nameless = ready(&app).await;
    ada.command("Image:update", json!({"id": id, "z": 9})).await;
    assert_eq!(watcher.expect("Image:update").await["movedBy"], Value::Null);
    ada.command("Image:update", json!({"id": id, "x": 9})).await;
    assert_eq!(watcher.expect("Image:update").await["movedBy"], "Ada");
    let places = json!({"places": [{"id": id, "x": 1, "y": 2}]});
    nameless.command("Image:arrange", places.clone()).await;
    assert_eq!(watcher.expect("Image:update").await["movedBy"], "");
    ada.command("Image:arrange", places).await;
    assert_eq!(watcher.expect("Image:update").await["movedBy"], "Ada");
    ada.command("Image:delete", json!({"id": id})).await;
    assert_eq!(
        watcher.expect("Image:delete").await,
        json!({"id": id, "by": "Ada"})
    );
    ada.command("Image:restore", json!({"id": id})).await;
    let restored = watcher.expect("Image:update").await;
    assert_eq!(
        (&restored["id"], &restored["restoredBy"]),
        (id, &json!("Ada"))
    );
    nameless.command("Image:delete", json!({"id": id})).await;
    assert_eq!(watcher.expect("Image:delete").await, json!({"id": id}));
    nameless.command("Image:restore", json!({"id": id})).await;
    let restored = watcher.expect("Image:update").await;
    assert_eq!(
        (&restored["id"], &restored["restoredBy"]),
        (id, &Value::Null)
    );
}

#[tokio::test]
async fn a_caption_can_be_written_and_removed() {
    let app = spawn_app().await;
    let record = app.upload("cat.png", read("plain.png")).await;
    let id = &record["id"];
    let (mut writer, mut watcher) = (ready(&app).await, ready(&app).await);
    let longest = "é".repeat(280);
    for (given, shown) in [
        (" Our cat\u{0} ", json!("Our cat")),
        (&longest, json!(longest)),
        ("", Value::Null),
    ] {
        let answer = writer
            .command("Image:update", json!({"id": id, "caption": given}))
            .await;
        assert_eq!(answer["ok"], true, "{answer}");
        let update = watcher.expect("Image:update").await;
        assert_eq!(update["caption"], shown);
        assert_eq!(update["alt"], Value::Null);
        assert_eq!(app.get_json("/images").await["images"][0]["caption"], shown);
    }
    let too_long = json!({"id": id, "caption": "a".repeat(281)});
    let answer = writer.command("Image:update", too_long).await;
    assert_eq!(
        answer["message"],
        "caption must have at most 280 characters"
    );
}

#[tokio::test]
async fn the_bin_has_the_deleted_images_until_they_are_restored() {
    let app = spawn_app().await;
    let mut records = Vec::new();
    for _ in 0..3 {
        records.push(app.upload("cat.jpg", read("rotated.jpg")).await);
    }
    let [first, second, third] = [0, 1, 2].map(|at: usize| records[at]["id"].clone());
    let (mut ada, _) = named(&app, "Ada").await;
    let (mut watcher, bin) = (ready(&app).await, "/images/deleted");
    assert_eq!(app.get_json(bin).await, json!({"images": []}));
    let both = json!({"ids": [first, second]});
    assert_eq!(ada.command("Image:delete", both.clone()).await["ok"], true);
    for _ in 0..2 {
        assert_eq!(watcher.expect("Image:delete").await["by"], "Ada");
    }
    assert_eq!(ada.command("Image:delete", both).await["ok"], false);
    app.delete(&format!("/image/{}", third.as_str().unwrap()))
        .await;
    let images = app.get_json(bin).await["images"].clone();
    assert_eq!(images[0]["id"], third);
    assert_eq!(images[0]["deletedBy"], Value::Null);
    assert_eq!(images[1]["deletedBy"], "Ada");
    assert!(images[1]["deletedAt"].as_str() <= images[0]["deletedAt"].as_str());
    assert_eq!(
        images[1]["url"],
        format!("/image/{}", images[1]["id"].as_str().unwrap())
    );
    let thumb = format!("/image/{}/thumb", first.as_str().unwrap());
    problem(app.get(&thumb).await, 404).await;
    let binned = app.get(&format!("{thumb}?deleted=true")).await;
    assert_eq!(binned.status(), 200);
    assert_eq!(
        ada.command("Image:restore", json!({"id": first})).await["ok"],
        true
    );
    assert_eq!(
        app.get_json(bin).await["images"].as_array().unwrap().len(),
        2
    );
    problem(app.get(&format!("{thumb}?deleted=true")).await, 404).await;
    for path in ["", "/thumbnail"] {
        let path = format!("/image/{}{path}?size=64", second.as_str().unwrap());
        problem(app.get(&path).await, 404).await;
        let binned = app.get(&format!("{path}&deleted=true")).await;
        assert_eq!(binned.status(), 200);
        assert!(!binned.bytes().await.unwrap().is_empty());
    }
    for data in [
        json!({"id": first, "ids": [second]}),
        json!({"ids": []}),
        json!({"ids": "x"}),
        json!({}),
    ] {
        assert_eq!(
            ada.command("Image:delete", data.clone()).await["ok"],
            false,
            "{data}"
        );
    }
}

#[tokio::test]
async fn a_server_on_loopback_invites_nobody_from_elsewhere() {
    let app = spawn_app().await;
    assert_eq!(app.get_json("/invite").await, json!({}));
    problem(app.get("/invite/qr.svg").await, 404).await;
}
