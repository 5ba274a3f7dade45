//! Announcements of uploads to other viewers.

use serde_json::{Value, json};

use crate::helpers::{TestApp, spawn_app};
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
