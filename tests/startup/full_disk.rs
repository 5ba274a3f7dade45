//! A disk that is full, and has space again: on a file system of 40 MiB, for which the test must run as root.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::damage::{get, noise_of, try_upload, upload};
use crate::server::{Server, WAIT_LIMIT};

/// A file system in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` if this user cannot mount.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=40m", "tmpfs"];
        run("mount", &arguments, folder.path()).then(|| Self(folder))
    }

    fn grow(&self) {
        assert!(run("mount", &["-o", "remount,size=128m"], self.0.path()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], self.0.path());
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .arg(path)
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Waits until the path answers with this status; returns the text.
async fn until_status(server: &Server, path: &str, status: u16) -> String {
    let start = Instant::now();
    loop {
        let response = get(server, path).await;
        if response.status() == status {
            return response.text().await.unwrap();
        }
        assert!(start.elapsed() < WAIT_LIMIT, "{path} is not {status}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_images_and_keeps_everything_else_working() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: this user cannot mount a file system");
        return;
    };
    let data = disk.0.path().join("data");
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
    let text = until_status(&server, "/readyz", 507).await;
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
    until_status(&server, "/readyz", 200).await;
    upload(&server, "c.png", noise_of(900, 1001)).await;
    server.signal("TERM");
    server.end().await;
}
