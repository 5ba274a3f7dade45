//! Thumbnails, and what is taken out of images.

use image::{ImageFormat, RgbImage};
use realtime_photo::image::Metadata;
use serde_json::Value;

use crate::files::{read, sized};
use crate::helpers::{TestApp, file_form, problem, spawn_app, spawn_with_options};

/// A picture that compresses badly, as a photograph does.
fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let noise = |x: u32, y: u32| (x * x + y * 31).wrapping_mul(2_654_435_761) >> 26;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let shade = (x * 255 / width) as u8;
        image::Rgb([shade, (y * 255 / height) as u8, shade ^ noise(x, y) as u8])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

async fn spawn_as_by_default() -> TestApp {
    spawn_with_options(|options| options.metadata = Metadata::Remove).await
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap()
}

#[tokio::test]
async fn a_large_image_has_a_thumbnail_at_once() {
    let app = spawn_as_by_default().await;
    let mut viewer = app.board().await;
    viewer.initial().await;
    for (name, format) in [("a.jpg", ImageFormat::Jpeg), ("a.png", ImageFormat::Png)] {
        let record = app.upload(name, picture(800, 1200, format)).await;
        assert_eq!(viewer.expect("Image:update").await, record);
        let thumb = text(&record, "thumb");
        assert_eq!(thumb, format!("{}/thumb", text(&record, "url")));
        let response = app.get(thumb).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(
            headers["cache-control"],
            "private, max-age=31536000, immutable"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        let bytes = response.bytes().await.unwrap();
        let kind = image::guess_format(&bytes).unwrap();
        assert_eq!(headers["content-type"], kind.to_mime_type());
        let decoded = image::load_from_memory(&bytes).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (341, 512));

        let url = app.url(thumb);
        let head = app.client.head(&url).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], bytes.len().to_string());
        let etag = headers["etag"].to_str().unwrap();
        assert!(etag.starts_with('"'), "a strong one: {etag}");
        let known = app.client.get(&url).header("if-none-match", etag);
        let known = known.send().await.unwrap();
        assert_eq!(known.status(), 304);
        assert_eq!(known.headers()["etag"], etag);
    }
    let listed = app.get_json("/images").await;
    assert!(listed["images"][1]["thumb"].is_string());
}

#[tokio::test]
async fn a_thumbnail_goes_and_comes_with_its_image() {
    let app = spawn_app().await;
    let record = app
        .upload("a.jpg", picture(600, 600, ImageFormat::Jpeg))
        .await;
    let (url, thumb) = (text(&record, "url"), text(&record, "thumb"));
    assert_eq!(app.get(thumb).await.status(), 200);
    app.delete(url).await;
    problem(app.get(thumb).await, 404).await;
    let restored = app.client.post(app.url(&format!("{url}/restore"))).send();
    assert_eq!(restored.await.unwrap().status(), 204);
    assert_eq!(app.get(thumb).await.status(), 200);
    assert_eq!(app.get_json("/images").await["images"][0], record);
}

#[tokio::test]
async fn a_photograph_taken_sideways_is_upright() {
    let app = spawn_as_by_default().await;
    let record = app.upload("rotated.jpg", read("rotated.jpg")).await;
    assert_eq!(
        (&record["width"], &record["height"]),
        (&48.into(), &64.into())
    );
    let thumb = app.get_bytes(text(&record, "thumb")).await;
    let thumb = image::load_from_memory(&thumb).unwrap();
    assert_eq!((thumb.width(), thumb.height()), (48, 64));
}

#[tokio::test]
async fn an_image_that_serves_as_its_own_thumbnail_has_none() {
    let app = spawn_app().await;
    for name in ["plain.png", "still.avif"] {
        let record = app.upload(name, read(name)).await;
        assert_eq!(record.get("thumb"), None, "{name}");
        let path = format!("{}/thumb", text(&record, "url"));
        problem(app.get(&path).await, 404).await;
    }
    problem(app.get("/image/x/thumb").await, 404).await;
    let path = "/image/0194bd2c-7a00-7000-8000-000000000001/thumb";
    problem(app.get(path).await, 404).await;
}

#[tokio::test]
async fn what_is_not_picture_is_not_stored_unless_wanted() {
    let uploaded = sized(20_000, 1);
    let app = spawn_as_by_default().await;
    let id = "0194bd2c-7a00-7000-8000-000000000001";
    let form = || file_form("cat.png", uploaded.clone()).text("id", id);
    let record: Value = app.post(form()).await.json().await.unwrap();
    assert_eq!(record["size"], read("plain.png").len());
    assert_eq!(app.get_bytes(text(&record, "url")).await, read("plain.png"));
    // The hash is that of the upload, by which its sender knows it again.
    assert_eq!(app.post(form()).await.status(), 200);
    let path = format!("/images?sha256={}", text(&record, "sha256"));
    assert_eq!(
        app.get_json(&path).await["images"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let kept = spawn_app().await.upload("cat.png", uploaded.clone()).await;
    assert_eq!(
        (&kept["size"], &kept["sha256"]),
        (&20_000.into(), &record["sha256"])
    );
}

#[tokio::test]
async fn a_photograph_does_not_tell_where_it_was_taken() {
    let app = spawn_as_by_default().await;
    let photograph = with_gps();
    let record = app.upload("home.jpg", photograph.clone()).await;
    let stored = app.get_bytes(text(&record, "url")).await;
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(holds(&photograph, b"Exif") && holds(&photograph, b"SECRET PLACE"));
    assert!(!holds(&stored, b"SECRET PLACE"));
    assert!(image::load_from_memory(&stored).is_ok());
    // Upright all the same.
    assert_eq!(
        (&record["width"], &record["height"]),
        (&48.into(), &64.into())
    );
}

/// `rotated.jpg` with a comment, and EXIF data that name a place.
fn with_gps() -> Vec<u8> {
    let file = read("rotated.jpg");
    let mut xmp = b"http://ns.adobe.com/xap/1.0/\0<x>SECRET PLACE</x>".to_vec();
    let mut segment = vec![0xff, 0xe1];
    segment.extend((xmp.len() as u16 + 2).to_be_bytes());
    segment.append(&mut xmp);
    [
        &file[..2],
        &segment,
        b"\xff\xfe\x00\x0eSECRET PLACE",
        &file[2..],
    ]
    .concat()
}
