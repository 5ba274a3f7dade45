//! Data that survives the end of the program, even a kill.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::server::{Server, WAIT_LIMIT, folder};

/// The number of concurrent uploads.
const UPLOADERS: usize = 8;

/// The number of acknowledged uploads after which the program is killed.
const ACKNOWLEDGED: u32 = 40;

/// An acknowledged upload.
struct Uploaded {
    id: String,
    bytes: Vec<u8>,
}

/// A PNG of a colour that no other number has.
fn png(number: u32) -> Vec<u8> {
    let [_, red, green, blue] = number.to_be_bytes();
    let image = image::RgbImage::from_pixel(97, 31, image::Rgb([red, green, blue]));
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

/// Uploads an image; `None` if the server was killed before it answered.
async fn upload(client: &Client, server: &str, number: u32) -> Option<Uploaded> {
    let bytes = png(number);
    let part = Part::bytes(bytes.clone()).file_name(format!("{number}.png"));
    let form = Form::new().part("file", part);
    let request = client.post(format!("{server}/image")).multipart(form);
    let answer = request.send().await.ok()?;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let record: Value = answer.json().await.ok()?;
    let id = record["id"].as_str().unwrap().to_owned();
    Some(Uploaded { id, bytes })
}

/// Starts a server on the data and checks that each image is listed with its bytes.
async fn find_all(data: &Path, images: &[Uploaded]) {
    let server = Server::start(data).await;
    let url = format!("http://{}", server.address);
    let list = format!("{url}/images?limit=1000");
    let page: Value = reqwest::get(list).await.unwrap().json().await.unwrap();
    let listed = page["images"].as_array().unwrap();
    for image in images {
        let bytes = reqwest::get(format!("{url}/image/{}", image.id))
            .await
            .unwrap();
        assert_eq!(bytes.status(), StatusCode::OK);
        assert_eq!(bytes.bytes().await.unwrap(), image.bytes);
        assert!(listed.iter().any(|record| record["id"] == *image.id));
    }
}

#[tokio::test]
async fn an_image_survives_a_restart() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let url = format!("http://{}", server.address);
    let image = upload(&Client::new(), &url, 1).await.unwrap();
    server.signal("TERM");
    assert_eq!(server.end().await, Some(0));
    find_all(&data, &[image]).await;
}

#[tokio::test]
async fn every_acknowledged_image_survives_a_kill_during_uploads() {
    let (_folder, data) = folder();
    let mut images = Vec::new();
    let number = Arc::new(AtomicU32::new(0));
    for _ in 0..3 {
        let mut server = Server::start(&data).await;
        let url = format!("http://{}", server.address);
        let acknowledged = Arc::new(AtomicU32::new(0));
        let uploaders: Vec<_> = (0..UPLOADERS)
            .map(|_| {
                let (url, number) = (url.clone(), number.clone());
                let acknowledged = acknowledged.clone();
                tokio::spawn(async move {
                    let client = Client::new();
                    let mut images = Vec::new();
                    loop {
                        let number = number.fetch_add(1, Ordering::Relaxed);
                        let Some(image) = upload(&client, &url, number).await else {
                            return images;
                        };
                        images.push(image);
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let enough = async {
            while acknowledged.load(Ordering::Relaxed) < ACKNOWLEDGED {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let enough = timeout(WAIT_LIMIT, enough).await;
        enough.expect("the uploads are acknowledged");
        server.child.kill().unwrap();
        server.end().await;
        for uploader in uploaders {
            images.extend(uploader.await.unwrap());
        }
    }
    assert!(images.len() >= 3 * ACKNOWLEDGED as usize);
    find_all(&data, &images).await;
}
