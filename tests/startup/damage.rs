//! Damage in the data folder: damaged images are reported as such, and everything else works.

use std::io::{Cursor, Read as _};
use std::path::Path;

use futures::StreamExt as _;
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Server, folder, program, run, text};

/// A PNG of noise, of some 30 kB.
pub(crate) fn noise(seed: u32) -> Vec<u8> {
    noise_of(100, seed)
}

/// A PNG of noise, of 3 bytes a pixel.
pub(crate) fn noise_of(width: u32, seed: u32) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9) | 1;
    let image = image::RgbImage::from_fn(width, width, |_, _| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        image::Rgb([state as u8, (state >> 8) as u8, (state >> 16) as u8])
    });
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

pub(crate) async fn try_upload(server: &Server, name: &str, bytes: Vec<u8>) -> Response {
    let part = Part::bytes(bytes).file_name(name.to_owned());
    let form = Form::new().part("file", part);
    let url = format!("http://{}/image", server.address);
    let request = Client::new().post(url).multipart(form);
    request.send().await.unwrap()
}

pub(crate) async fn upload(server: &Server, name: &str, bytes: Vec<u8>) -> Value {
    let response = try_upload(server, name, bytes).await;
    assert_eq!(response.status(), 201);
    response.json().await.unwrap()
}

pub(crate) async fn get(server: &Server, path: &str) -> Response {
    let url = format!("http://{}{path}", server.address);
    reqwest::get(url).await.unwrap()
}

/// Flips a bit in each place of a stopped server's database that holds a text.
fn flip_bits_of(data: &Path, text: &str) {
    let path = data.join("board.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let places: Vec<_> = (0..bytes.len() - text.len())
        .filter(|at| bytes[*at..].starts_with(text.as_bytes()))
        .collect();
    assert!(!places.is_empty());
    places.iter().for_each(|at| bytes[*at] ^= 2);
    std::fs::write(&path, bytes).unwrap();
}

/// Flips a bit in the middle of a file that is stored in the database of a stopped server.
pub(crate) fn flip_bit(data: &Path, file: &[u8]) {
    let path = data.join("board.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let part = &file[20_000..20_100];
    let at = bytes.windows(part.len()).position(|window| window == part);
    bytes[at.unwrap() + 50] ^= 4;
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_image_is_an_error_and_all_others_are_served() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let files: Vec<Vec<u8>> = (1..=4).map(noise).collect();
    let mut records = Vec::new();
    for (number, file) in files.iter().enumerate() {
        records.push(upload(&server, &format!("{number}.png"), file.clone()).await);
    }
    server.signal("TERM");
    server.end().await;
    flip_bit(&data, &files[1]);

    let mut server = Server::start(&data).await;
    for ((record, file), number) in records.iter().zip(&files).zip(0..) {
        let response = get(&server, record["url"].as_str().unwrap()).await;
        if number == 1 {
            assert_eq!(response.status(), 500);
            let problem: Value = response.json().await.unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with("This photo is damaged"), "{detail}");
        } else {
            assert_eq!(response.status(), 200);
            assert_eq!(response.bytes().await.unwrap(), file);
        }
    }
    let list: Value = get(&server, "/images").await.json().await.unwrap();
    assert_eq!(list["images"].as_array().unwrap().len(), 4);
    // The archive has a note in place of the damaged image.
    let archive = get(&server, "/images/download")
        .await
        .bytes()
        .await
        .unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    assert_eq!(archive.len(), 4);
    let mut note = String::new();
    let mut entry = archive.by_name("1.png is damaged.txt").unwrap();
    entry.read_to_string(&mut note).unwrap();
    assert!(note.contains("damaged"), "{note}");
    drop(entry);
    // It can be deleted, and others can be added.
    let url = records[1]["url"].as_str().unwrap();
    let deleted = Client::new().delete(format!("http://{}{url}", server.address));
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    upload(&server, "new.png", noise(9)).await;
    server.signal("TERM");
    server.end().await;
}

#[tokio::test]
async fn a_check_lists_what_is_damaged() {
    let (_folder, data) = folder();
    let check = async || {
        let output = run(program(&["check", "--data", text(&data)])).await;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, _, error) = check().await;
    assert_eq!(code, Some(2));
    assert!(error.contains("No such file"), "{error}");
    assert!(!data.exists(), "a check creates nothing");

    let mut server = Server::start(&data).await;
    let files: Vec<Vec<u8>> = (1..=3).map(noise).collect();
    let mut ids = Vec::new();
    for file in &files {
        let record = upload(&server, "a.png", file.clone()).await;
        ids.push(record["id"].as_str().unwrap().to_owned());
    }
    let (code, _, error) = check().await;
    assert_eq!(code, Some(2));
    assert!(error.contains("is in use by another process"), "{error}");
    server.signal("TERM");
    server.end().await;

    let (code, whole, _) = check().await;
    assert_eq!(code, Some(0), "{whole}");
    assert!(whole.ends_with("Nothing is damaged.\n"), "{whole}");
    flip_bit(&data, &files[1]);
    let (code, damaged, _) = check().await;
    assert_eq!(code, Some(1), "{damaged}");
    let expected = format!(
        "DAMAGED: The stored data of table `realtime_photo.images`, key \"{}\", is damaged: the checksum of its binary \
         does not match.\n1 thing is damaged.\n",
        ids[1]
    );
    assert!(damaged.ends_with(&expected), "{damaged}");
}

#[tokio::test]
async fn a_board_is_shown_without_the_photo_whose_documents_are_damaged() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let mut ids = Vec::new();
    for name in ["first.png", "second.png", "third.png"] {
        let record = upload(&server, name, noise(ids.len() as u32)).await;
        ids.push(record["id"].clone());
    }
    server.signal("TERM");
    server.end().await;
    flip_bits_of(&data, "second.png");

    let mut server = Server::start(&data).await;
    let list: Value = get(&server, "/images").await.json().await.unwrap();
    let listed: Vec<_> = list["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["id"].clone())
        .collect();
    assert!(listed.contains(&ids[0]) && listed.contains(&ids[2]));
    assert_eq!(listed.len(), 2);
    let url = format!("ws://{}/ws", server.address);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let mut shown = Vec::new();
    loop {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else {
            continue;
        };
        let event: Value = serde_json::from_str(&text).unwrap();
        match event["event"].as_str() {
            Some("Image:update") => shown.push(event["data"]["id"].clone()),
            Some("Feed:state") if event["data"]["state"] == "ready" => break,
            _ => {}
        }
    }
    shown.sort_by_key(ToString::to_string);
    assert_eq!(shown, [ids[0].clone(), ids[2].clone()]);
    upload(&server, "new.png", noise(9)).await;
    server.signal("TERM");
    server.end().await;
}
