//! Announcements of uploads to other viewers.

use serde_json::{Value, json};

use crate::helpers::{TestApp, file_form, spawn_app};
use crate::viewer::Viewer;

const UPLOAD: &str = "0194bd2c-7a00-7000-8000-000000000001";

async fn ready(app: &TestApp) -> Viewer {
    let mut viewer = app.board().await;
    viewer.initial().await;
    viewer
}

fn begin() -> Value {
    json!({"upload": UPLOAD, "fileName": "cat 😀.png", "x": 12.5, "y": -3.0, "w": 240.0})
}

#[tokio::test]
async fn an_upload_is_announced_to_current_and_later_viewers() {
    let app = spawn_app().await;
    let (mut uploader, mut other) = (ready(&app).await, ready(&app).await);
    assert_eq!(uploader.command("Upload:begin", begin()).await["ok"], true);
    assert_eq!(other.expect("Upload:begin").await, begin());
    let mut late = app.board().await;
    assert_eq!(late.expect("Upload:begin").await, begin());
    let end = json!({"upload": UPLOAD, "id": UPLOAD});
    // A viewer cannot end the upload of another one.
    let answer = other.command("Upload:end", end.clone()).await;
    assert_eq!(answer["message"], "there is no such upload");
    assert_eq!(
        uploader.command("Upload:end", end.clone()).await["ok"],
        true
    );
    for viewer in [&mut other, &mut late] {
        assert_eq!(viewer.expect("Upload:end").await, end);
    }
    // The uploader does not receive its own announcements. The unknown command marks the end of its messages.
    uploader
        .send(r#"{"event":"?","data":0,"ref":"last"}"#)
        .await;
    let answer = uploader
        .expect_before("Ack", &["Upload:begin", "Upload:end"])
        .await;
    assert_eq!(answer["ref"], "last");
}

#[tokio::test]
async fn an_announced_upload_ends_with_its_session() {
    let app = spawn_app().await;
    let (mut uploader, mut other) = (ready(&app).await, ready(&app).await);
    uploader.command("Upload:begin", begin()).await;
    other.expect("Upload:begin").await;
    uploader.close().await;
    assert_eq!(other.expect("Upload:end").await, json!({"upload": UPLOAD}));
    let mut late = app.board().await;
    late.expect_before("Feed:state", &["Upload:begin"]).await;
}

#[tokio::test]
async fn announcements_are_validated_and_limited() {
    let app = spawn_app().await;
    let (mut uploader, mut other) = (ready(&app).await, ready(&app).await);
    for data in [
        json!({}),
        json!({"upload": "1", "fileName": "a"}),
        json!({"upload": UPLOAD, "fileName": "/"}),
        json!({"upload": UPLOAD, "fileName": "a", "x": 1e9}),
        json!({"upload": UPLOAD, "fileName": "a", "preview": "data:…"}),
    ] {
        assert_eq!(uploader.command("Upload:begin", data).await["ok"], false);
    }
    // A session may announce 100 uploads at a time.
    for number in 0..101 {
        let upload = format!("0194bd2c-7a00-7000-8000-{number:012}");
        let data = json!({"upload": upload, "fileName": "../../<b>.png"});
        let answer = uploader.command("Upload:begin", data).await;
        assert_eq!(answer["ok"], number < 100, "{number}");
    }
    for _ in 0..100 {
        assert_eq!(other.expect("Upload:begin").await["fileName"], "<b>.png");
    }
}

#[tokio::test]
async fn an_upload_with_its_pixels_is_given_a_place_that_it_then_uses() {
    let app = spawn_app().await;
    let (mut uploader, mut other) = (ready(&app).await, ready(&app).await);
    let ids: Vec<String> = (0..5)
        .map(|number| format!("0194bd2c-7a00-7000-8000-{number:012}"))
        .collect();
    let begin =
        |id: &String| json!({"upload": id, "fileName": "a.png", "width": 4000, "height": 3000});
    let first = uploader.command("Upload:begin", begin(&ids[0])).await;
    assert_eq!(first["place"], json!({"x": 0.0, "y": 0.0, "w": 320.0}));
    let announced = other.expect("Upload:begin").await;
    assert_eq!(
        announced,
        json!({"upload": ids[0], "fileName": "a.png", "x": 0.0, "y": 0.0, "w": 320.0, "h": 240.0})
    );
    // The fourth image completes the row, which moves the others, for their uploader as well.
    for (number, id) in ids[1..4].iter().enumerate() {
        let command = json!({"event": "Upload:begin", "data": begin(id), "ref": number});
        uploader.send(command.to_string()).await;
    }
    for viewer in [&mut uploader, &mut other] {
        let mut moved = viewer.expect("Upload:begin").await;
        while moved["upload"] != ids[0] {
            moved = viewer.expect("Upload:begin").await;
        }
        assert!(moved["w"].as_f64().unwrap() < 320.0, "{moved}");
    }
    let form = file_form("photo.png", png(400, 300)).text("id", ids[0].clone());
    let record: Value = app.post(form).await.json().await.unwrap();
    assert!(record["w"].as_f64().unwrap() < 320.0, "{record}");
    assert_eq!((&record["x"], &record["y"]), (&json!(0.0), &json!(0.0)));
    // A file with other dimensions than announced is not stored at the reserved placement.
    let form = file_form("icon.png", png(32, 32)).text("id", ids[1].clone());
    let record: Value = app.post(form).await.json().await.unwrap();
    assert_eq!(record["w"], 32.0);
    assert!(record["y"].as_f64().unwrap() > 200.0, "{record}");
    // A canceled upload gives its placement back.
    let fifth = uploader.command("Upload:begin", begin(&ids[4])).await;
    let end = json!({"upload": ids[4]});
    assert_eq!(uploader.command("Upload:end", end).await["ok"], true);
    let id = "0194bd2c-7a00-7000-8000-000000000009".to_owned();
    let next = uploader.command("Upload:begin", begin(&id)).await;
    assert_eq!(next["place"], fifth["place"]);
}

#[tokio::test]
async fn a_drop_on_an_image_is_moved_aside() {
    let app = spawn_app().await;
    let mut uploader = ready(&app).await;
    let data = json!({"upload": UPLOAD, "fileName": "a", "width": 400, "height": 300, "x": 50.0, "y": 60.0});
    let first = uploader.command("Upload:begin", data).await;
    assert_eq!(first["place"], json!({"x": 50.0, "y": 60.0, "w": 320.0}));
    let other = "0194bd2c-7a00-7000-8000-000000000002";
    let data = json!({"upload": other, "fileName": "b", "width": 400, "height": 300, "x": 60.0, "y": 60.0});
    let second = uploader.command("Upload:begin", data).await["place"].clone();
    let (x, y) = (second["x"].as_f64().unwrap(), second["y"].as_f64().unwrap());
    assert!(
        x >= 370.0 || x <= -270.0 || y >= 300.0 || y <= -180.0,
        "{second}"
    );
    assert!((x - 60.0).hypot(y - 60.0) < 350.0, "{second}");
}

/// A black image of these dimensions.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::GrayImage::new(width, height);
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
