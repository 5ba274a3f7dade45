//! Killing the program during uploads.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use crate::files::sized;
use crate::helpers::{WAIT_LIMIT, file_form};

/// The number of concurrent uploads.
const UPLOADERS: u64 = 4;

/// The number of acknowledged uploads after which the program is killed.
const UPLOADS: usize = 12;

/// The program with the embedded engine, and the address that it prints.
struct Program {
    process: Child,
    url: String,
}

impl Program {
    fn start(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_realtime-photo"))
            .args(["--keep-metadata", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .env_remove("RETHINKDB_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, first_line) = mpsc::channel();
        // On its own thread, because a blocking read of a pipe has no timeout.
        std::thread::spawn(move || sender.send(output.lines().next()));
        // From here on `drop` ends the process, even if the test panics.
        let mut program = Self {
            process,
            url: String::new(),
        };
        let line = first_line
            .recv_timeout(WAIT_LIMIT)
            .expect("the program prints its address in time")
            .expect("the program prints a line before it exits")
            .unwrap();
        let start = line
            .find("http://")
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        program.url = line[start..]
            .split('/')
            .take(3)
            .collect::<Vec<_>>()
            .join("/");
        program
    }

    /// `kill -9`
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_images_survive_kill_9_during_uploads() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::builder().timeout(WAIT_LIMIT).build().unwrap();
    let acknowledged: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
    for round in 0..3 {
        let program = Program::start(folder.path());
        let killed = Arc::new(AtomicBool::new(false));
        let uploaders: Vec<_> = (0..UPLOADERS)
            .map(|uploader| {
                let (client, url) = (client.clone(), program.url.clone());
                let (acknowledged, killed) = (acknowledged.clone(), killed.clone());
                tokio::spawn(async move {
                    for number in 0.. {
                        let seed = round * 1_000_000 + uploader * 10_000 + number;
                        let form = file_form("cat.png", sized(200_000, seed));
                        let sent = client
                            .post(format!("{url}/image"))
                            .multipart(form)
                            .send()
                            .await;
                        // Expected once the program has been killed; checked below.
                        let Ok(response) = sent else { break };
                        assert_eq!(response.status(), 201);
                        let Ok(record) = response.json::<Value>().await else {
                            break;
                        };
                        let id = record["id"].as_str().unwrap().to_owned();
                        acknowledged.lock().unwrap().insert(id, seed);
                    }
                    assert!(
                        killed.load(Ordering::SeqCst),
                        "an upload failed before the program was killed"
                    );
                })
            })
            .collect();
        let enough = acknowledged.lock().unwrap().len() + UPLOADS;
        wait_for_images(&acknowledged, enough).await;
        killed.store(true, Ordering::SeqCst);
        program.kill();
        for uploader in uploaders {
            uploader.await.unwrap();
        }
    }
    let program = Program::start(folder.path());
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
    assert!(acknowledged.len() >= 3 * UPLOADS);
    let listed = client
        .get(format!("{}/images?limit=1000", program.url))
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    let listed: Vec<&str> = listed["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["id"].as_str().unwrap())
        .collect();
    for (id, seed) in acknowledged {
        assert!(listed.contains(&id.as_str()), "{id} is missing");
        let image = client
            .get(format!("{}/image/{id}", program.url))
            .send()
            .await
            .unwrap();
        assert!(
            image.bytes().await.unwrap() == sized(200_000, seed),
            "{id} is damaged"
        );
    }
}

/// Waits until `count` uploads have been acknowledged.
async fn wait_for_images(acknowledged: &Mutex<BTreeMap<String, u64>>, count: usize) {
    let start = Instant::now();
    loop {
        let len = acknowledged.lock().unwrap().len();
        if len >= count {
            return;
        }
        assert!(start.elapsed() < 2 * WAIT_LIMIT, "{len} of {count} uploads");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
