//! Thumbnails, and the removal of metadata.

use image::{ImageFormat, RgbImage};
use realtime_photo::image::Metadata;
use serde_json::Value;

use crate::files::{read, sized};
use crate::helpers::{TestApp, file_form, problem, spawn_app, spawn_with_options};

/// A photo: an image that compresses badly.
fn photo(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let noise = |x: u32, y: u32| (x * x + y * 31).wrapping_mul(2_654_435_761) >> 26;
    let image = RgbImage::from_fn(width, height, |x, y| {
        let shade = (x * 255 / width) as u8;
        image::Rgb([shade, (y * 255 / height) as u8, shade ^ noise(x, y) as u8])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    image.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A server that removes metadata, as by default.
async fn spawn_with_removal() -> TestApp {
    spawn_with_options(|options| options.metadata = Metadata::Remove).await
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap()
}

#[tokio::test]
async fn a_large_image_has_a_thumbnail_at_once() {
    let app = spawn_with_removal().await;
    let mut viewer = app.board().await;
    viewer.initial().await;
    for (name, format) in [("a.jpg", ImageFormat::Jpeg), ("a.png", ImageFormat::Png)] {
        let record = app.upload(name, photo(800, 1200, format)).await;
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
        // 800 × 1200, scaled down to at most 512 × 512.
        assert_eq!((decoded.width(), decoded.height()), (341, 512));

        let url = app.url(thumb);
        let head = app.client.head(&url).send().await.unwrap();
        assert_eq!(head.headers()["content-length"], bytes.len().to_string());
        let etag = headers["etag"].to_str().unwrap();
        assert!(etag.starts_with('"'), "not a strong ETag: {etag}");
        let known = app.client.get(&url).header("if-none-match", etag);
        let known = known.send().await.unwrap();
        assert_eq!(known.status(), 304);
        assert_eq!(known.headers()["etag"], etag);
    }
    let listed = app.get_json("/images").await;
    assert!(listed["images"][1]["thumb"].is_string());
}

#[tokio::test]
async fn a_thumbnail_is_deleted_and_restored_with_its_image() {
    let app = spawn_app().await;
    let record = app
        .upload("a.jpg", photo(600, 600, ImageFormat::Jpeg))
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
async fn a_rotated_photo_has_an_upright_thumbnail() {
    let app = spawn_with_removal().await;
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
async fn an_image_that_can_serve_as_its_own_thumbnail_has_none() {
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
async fn data_besides_the_image_is_removed_unless_metadata_is_kept() {
    let uploaded = sized(20_000, 1);
    let app = spawn_with_removal().await;
    let id = "0194bd2c-7a00-7000-8000-000000000001";
    let form = || file_form("cat.png", uploaded.clone()).text("id", id);
    let record: Value = app.post(form()).await.json().await.unwrap();
    assert_eq!(record["size"], read("plain.png").len());
    assert_eq!(app.get_bytes(text(&record, "url")).await, read("plain.png"));
    // The hash is that of the uploaded bytes, so that a client recognises its own file.
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
async fn the_location_in_a_photo_is_not_stored() {
    let app = spawn_with_removal().await;
    let photo = with_location();
    let record = app.upload("home.jpg", photo.clone()).await;
    let stored = app.get_bytes(text(&record, "url")).await;
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(holds(&photo, b"Exif") && holds(&photo, b"SECRET PLACE"));
    assert!(!holds(&stored, b"SECRET PLACE"));
    assert!(image::load_from_memory(&stored).is_ok());
    // The dimensions are still those of the upright photo.
    assert_eq!(
        (&record["width"], &record["height"]),
        (&48.into(), &64.into())
    );
}

/// `rotated.jpg` with an XMP segment and a comment, both of which contain a location.
fn with_location() -> Vec<u8> {
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

#[tokio::test]
async fn smaller_thumbnails_have_the_size_that_is_asked_for() {
    let app = spawn_with_removal().await;
    let record = app
        .upload("a.jpg", photo(800, 1200, ImageFormat::Jpeg))
        .await;
    let path = |size: &str| format!("{}/thumbnail{size}", text(&record, "url"));
    for (size, expected) in [("64", (43, 64)), ("160", (107, 160))] {
        let response = app.get(&path(&format!("?size={size}"))).await;
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "image/jpeg");
        assert_eq!(
            headers["cache-control"],
            "private, max-age=31536000, immutable"
        );
        let bytes = response.bytes().await.unwrap();
        let decoded = image::load_from_memory(&bytes).unwrap();
        assert_eq!((decoded.width(), decoded.height()), expected);
        let again = app.client.get(app.url(&path(&format!("?size={size}"))));
        let again = again.header("if-none-match", &headers["etag"]);
        assert_eq!(again.send().await.unwrap().status(), 304);
    }
    for size in [
        "",
        "?size=",
        "?size=65",
        "?size=512",
        "?size=64x",
        "?sizes=64",
    ] {
        let answer = problem(app.get(&path(size)).await, 400).await;
        assert_eq!(answer, "size must be 64 or 160.");
    }
    app.delete(text(&record, "url")).await;
    problem(app.get(&path("?size=64")).await, 404).await;
    let deleted = app.get(&path("?deleted=true&size=64")).await;
    assert_eq!(deleted.status(), 200);
}

#[tokio::test]
async fn a_small_image_without_a_thumbnail_is_its_source() {
    let app = spawn_with_removal().await;
    let file = photo(300, 100, ImageFormat::Jpeg);
    let record = app.upload("small.jpg", file).await;
    assert_eq!(record["thumb"], Value::Null);
    let response = app
        .get(&format!("{}/thumbnail?size=64", text(&record, "url")))
        .await;
    let decoded = image::load_from_memory(&response.bytes().await.unwrap()).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (64, 21));
    // One that cannot be decoded here is sent as it is.
    let record = app.upload("a.avif", read("still.avif")).await;
    let response = app
        .get(&format!("{}/thumbnail?size=64", text(&record, "url")))
        .await;
    assert_eq!(response.headers()["content-type"], "image/avif");
}
