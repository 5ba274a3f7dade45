//! Backups of a running server, and their restoration; compaction of a stopped one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Client;
use serde_json::{Value, json};

use crate::damage::{flip_bit, get, noise, noise_of, upload};
use crate::server::{Server, folder, program, refusal, run, text};

/// Runs the program and returns its status and what it printed on standard error.
async fn maintain(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(program(arguments)).await;
    let printed = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), printed)
}

#[tokio::test]
async fn a_backup_of_a_running_server_restores_images_and_boards() {
    let (folder, data) = folder();
    let mut server = Server::start(&data).await;
    let url = format!("http://{}", server.address);
    let files: Vec<Vec<u8>> = (1..=3).map(noise).collect();
    let mut records = Vec::new();
    for file in &files {
        records.push(upload(&server, "a.png", file.clone()).await);
    }
    let board = Client::new()
        .post(format!("{url}/boards"))
        .json(&json!({"title": "Another"}));
    assert_eq!(board.send().await.unwrap().status(), 201);
    let boards: Value = get(&server, "/boards").await.json().await.unwrap();

    let file = folder.path().join("backup.jsonl");
    let (code, printed) = maintain(&["backup", text(&file), "--server", &url]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("verified"), "{printed}");
    server.signal("TERM");
    server.end().await;
    let (code, printed) = maintain(&["backup", text(&file), "--server", &url]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("cannot fetch a backup"), "{printed}");

    let other = folder.path().join("other");
    let arguments = ["restore", text(&file), "--data", text(&other)];
    let (code, printed) = maintain(&arguments).await;
    assert_eq!(code, Some(0), "{printed}");
    let reason = refusal(program(&arguments)).await;
    assert!(reason.contains("is not empty"), "{reason}");

    let mut server = Server::start(&other).await;
    for (record, file) in records.iter().zip(&files) {
        let response = get(&server, record["url"].as_str().unwrap()).await;
        assert_eq!(response.bytes().await.unwrap(), file);
    }
    let list: Value = get(&server, "/images").await.json().await.unwrap();
    let mut expected = records.clone();
    expected.reverse();
    let ids = |records: &[Value]| -> Vec<Value> {
        records.iter().map(|record| record["id"].clone()).collect()
    };
    assert_eq!(ids(list["images"].as_array().unwrap()), ids(&expected));
    let restored: Value = get(&server, "/boards").await.json().await.unwrap();
    assert_eq!(restored["boards"], boards["boards"]);
    server.signal("TERM");
    server.end().await;

    // A backup that was changed is refused before anything is written.
    let changed = std::fs::read_to_string(&file)
        .unwrap()
        .replacen("a.png", "b.png", 1);
    std::fs::write(&file, changed).unwrap();
    let third = folder.path().join("third");
    let reason = refusal(program(&["restore", text(&file), "--data", text(&third)])).await;
    assert!(reason.contains("damaged"), "{reason}");
    assert!(!third.exists());
}

#[tokio::test]
async fn a_backup_names_the_damaged_images_that_it_lacks() {
    let (folder, data) = folder();
    let mut server = Server::start(&data).await;
    let files: Vec<Vec<u8>> = (1..=2).map(noise).collect();
    let mut ids = Vec::new();
    for file in &files {
        let record = upload(&server, "a.png", file.clone()).await;
        ids.push(record["id"].as_str().unwrap().to_owned());
    }
    server.signal("TERM");
    server.end().await;
    flip_bit(&data, &files[0]);
    let mut server = Server::start(&data).await;
    let url = format!("http://{}", server.address);
    let file = folder.path().join("backup.jsonl");
    let (code, printed) = maintain(&["backup", text(&file), "--server", &url]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains(&format!("NOT IN THE BACKUP: image {}", ids[0])),
        "{printed}"
    );
    server.signal("TERM");
    server.end().await;
    let other = folder.path().join("other");
    let (code, printed) = maintain(&["restore", text(&file), "--data", text(&other)]).await;
    assert_eq!(code, Some(0), "{printed}");
    let server = Server::start(&other).await;
    assert_eq!(server.status_of(&format!("/image/{}", ids[0])).await, 404);
    assert_eq!(server.status_of(&format!("/image/{}", ids[1])).await, 200);
}

#[tokio::test]
async fn a_stopped_server_is_compacted() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    upload(&server, "a.png", noise(1)).await;
    server.signal("TERM");
    server.end().await;
    let length = || std::fs::metadata(data.join("board.redb")).unwrap().len();
    let before = length();
    let output = run(program(&["compact", "--data", text(&data)])).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let expected = format!("{}: from {before} to {} bytes.\n", text(&data), length());
    assert_eq!(printed, expected);
    assert!(length() <= before);
}

#[tokio::test]
async fn a_backup_is_whole_while_images_come_and_go_and_the_file_is_compacted() {
    let (folder, data) = folder();
    let mut server = Server::start_with(&data, &["--undo-window", "0"]).await;
    let kept = upload(&server, "kept.png", noise(1000)).await;
    let url = format!("http://{}", server.address);
    let stop = Arc::new(AtomicBool::new(false));
    // Of 1 MB each, so that the file is copied for the space that they leave.
    let images: Vec<Vec<u8>> = (0..4).map(|seed| noise_of(600, seed)).collect();
    let changes = async {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            let name = format!("{number}.png");
            let record = upload(&server, &name, images[number % 4].clone()).await;
            let address = format!("{url}{}", record["url"].as_str().unwrap());
            let deleted = Client::new().delete(address).send().await.unwrap();
            assert_eq!(deleted.status(), 204);
            number += 1;
        }
        number
    };
    let backups = async {
        for number in 0..4 {
            let file = folder.path().join(format!("{number}.jsonl"));
            let (code, printed) = maintain(&["backup", text(&file), "--server", &url]).await;
            assert_eq!(code, Some(0), "{printed}");
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (changes, ()) = tokio::join!(changes, backups);
    assert!(changes > 0);
    server.signal("TERM");
    server.end().await;
    for number in 0..4 {
        let file = folder.path().join(format!("{number}.jsonl"));
        let restored = folder.path().join(format!("restored-{number}"));
        let arguments = ["restore", text(&file), "--data", text(&restored)];
        let (code, printed) = maintain(&arguments).await;
        assert_eq!(code, Some(0), "{printed}");
        // Also that each placement has its image.
        let checked = run(program(&["check", "--data", text(&restored)])).await;
        let checked = String::from_utf8(checked.stdout).unwrap();
        assert!(checked.ends_with("Nothing is damaged.\n"), "{checked}");
        let mut server = Server::start(&restored).await;
        let response = get(&server, kept["url"].as_str().unwrap()).await;
        assert_eq!(response.bytes().await.unwrap(), noise(1000));
        server.signal("TERM");
        server.end().await;
    }
}
