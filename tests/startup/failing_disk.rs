//! A disk that becomes read-only or fails: photos are shown as long as they can be read, and nothing is lost.

use reqwest::{Client, Response};
use serde_json::Value;

use crate::damage::{get, noise, try_upload, upload};
use crate::disks::{FailingDisk, skip};
use crate::server::{Server, program, refusal, run, text};

/// Uploads some photos. Returns their files and URLs.
async fn upload_some(server: &Server) -> Vec<(Vec<u8>, String)> {
    let mut photos = Vec::new();
    for number in 0..4 {
        let file = noise(number);
        let record = upload(server, "a.png", file.clone()).await;
        photos.push((file, record["url"].as_str().unwrap().to_owned()));
    }
    photos
}

async fn delete(server: &Server, url: &str) -> Response {
    let url = format!("http://{}{url}", server.address);
    Client::new().delete(url).send().await.unwrap()
}

/// Checks that an answer is 503 with a text that tells of the disk.
async fn tells_of_the_disk(response: Response) {
    assert_eq!(response.status(), 503);
    let problem: Value = response.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("The server's disk cannot be written"),
        "{detail}"
    );
}

async fn all_are_served(server: &Server, photos: &[(Vec<u8>, String)]) {
    for (file, url) in photos {
        let response = get(server, url).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.bytes().await.unwrap(), file[..]);
    }
    let listed: Value = get(server, "/images").await.json().await.unwrap();
    assert_eq!(listed["images"].as_array().unwrap().len(), photos.len());
}

#[tokio::test]
async fn on_a_read_only_disk_photos_are_shown_and_changes_refused() {
    let Some(mut disk) = FailingDisk::mount() else {
        return skip("this user cannot mount an ext4 file system on a loop device");
    };
    let data = disk.path().join("data");
    let mut server = Server::start(&data).await;
    let mut photos = upload_some(&server).await;

    disk.become_read_only();
    tells_of_the_disk(try_upload(&server, "b.png", noise(10)).await).await;
    tells_of_the_disk(delete(&server, &photos[0].1).await).await;
    tells_of_the_disk(server.until_status("/readyz", 503).await).await;
    all_are_served(&server, &photos).await;
    assert_eq!(get(&server, "/").await.status(), 200);
    server.signal("TERM");
    server.end().await;

    let again = program(&["--listen", "127.0.0.1:0", "--data", text(&data)]);
    let reason = refusal(again).await;
    assert!(reason.contains("Read-only file system"), "{reason}");

    disk.mount_again("remount-ro");
    let mut server = Server::start(&data).await;
    all_are_served(&server, &photos).await;
    let file = noise(11);
    let record = upload(&server, "c.png", file.clone()).await;
    photos.push((file, record["url"].as_str().unwrap().to_owned()));
    all_are_served(&server, &photos).await;
    server.signal("TERM");
    server.end().await;
}

#[tokio::test]
async fn a_disk_that_fails_is_said_and_works_again_without_a_restart() {
    let Some(mut disk) = FailingDisk::mount() else {
        return skip("this user cannot mount an ext4 file system on a loop device");
    };
    disk.mount_again("continue");
    let data = disk.path().join("data");
    let mut server = Server::start(&data).await;
    let mut photos = upload_some(&server).await;

    let contents = disk.fail();
    tells_of_the_disk(try_upload(&server, "b.png", noise(10)).await).await;
    tells_of_the_disk(delete(&server, &photos[0].1).await).await;
    tells_of_the_disk(server.until_status("/readyz", 503).await).await;
    for (file, url) in &photos {
        let response = get(&server, url).await;
        match response.status().as_u16() {
            200 => assert_eq!(response.bytes().await.unwrap(), file[..]),
            status => assert!(status == 500 || status == 503, "{status}"),
        }
    }

    disk.heal(contents);
    server.until_status("/readyz", 200).await;
    all_are_served(&server, &photos).await;
    let file = noise(11);
    let record = upload(&server, "c.png", file.clone()).await;
    photos.push((file, record["url"].as_str().unwrap().to_owned()));
    server.signal("TERM");
    server.end().await;

    let checked = run(program(&["check", "--data", text(&data)])).await;
    assert!(checked.status.success(), "{checked:?}");
    let mut server = Server::start(&data).await;
    all_are_served(&server, &photos).await;
    server.signal("TERM");
    server.end().await;
}
