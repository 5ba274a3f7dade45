//! A disk that is full, and has space again: on a file system of 40 MiB.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tokio::time::sleep;

use crate::damage::{get, noise_of, try_upload, upload};
use crate::disks::{SmallDisk, skip};
use crate::server::{Server, WAIT_LIMIT};

#[tokio::test]
async fn a_full_disk_refuses_images_and_keeps_everything_else_working() {
    let Some(disk) = SmallDisk::mount() else {
        return skip("this user cannot mount a file system");
    };
    let data = disk.path().join("data");
    let mut server = Server::start(&data).await;
    let reserve = data.join("reserve");
    let start = Instant::now();
    while std::fs::metadata(&reserve).map_or(0, |file| file.len()) < 16 << 20 {
        assert!(start.elapsed() < WAIT_LIMIT, "no space is kept back");
        sleep(Duration::from_millis(20)).await;
    }
    let mut records = Vec::new();
    let refused = loop {
        let number = records.len() as u32;
        let response = try_upload(&server, "a.png", noise_of(900, number)).await;
        if response.status() != 201 {
            break response;
        }
        records.push(response.json::<Value>().await.unwrap());
        assert!(number < 100, "the disk does not fill up");
    };
    assert_eq!(refused.status(), 507);
    let problem: Value = refused.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("The disk is full. "), "{detail}");
    assert!(records.len() > 3, "{} images", records.len());
    let text = server.until_status("/readyz", 507).await;
    let text = text.text().await.unwrap();
    assert!(text.contains("The disk is full."), "{text}");

    // Images are shown, deleted and restored.
    for record in &records {
        let url = record["url"].as_str().unwrap();
        assert_eq!(get(&server, url).await.status(), 200);
        let url = format!("http://{}{url}", server.address);
        let client = Client::new();
        assert_eq!(client.delete(&url).send().await.unwrap().status(), 204);
        let restored = client.post(format!("{url}/restore")).send().await.unwrap();
        assert_eq!(restored.status(), 204);
    }
    let again = try_upload(&server, "b.png", noise_of(900, 1000)).await;
    assert_eq!(again.status(), 507);

    disk.grow();
    server.until_status("/readyz", 200).await;
    upload(&server, "c.png", noise_of(900, 1001)).await;
    server.signal("TERM");
    server.end().await;
}
