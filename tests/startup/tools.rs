//! The subcommands for those who run and package the program, and the log for programs.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::server::{Server, folder, program, refusal, run, text};

#[tokio::test]
async fn health_asks_a_running_server() {
    let (_folder, data) = folder();
    let mut server = Server::start(&data).await;
    let url = format!("http://{}/", server.address);
    let healthy = run(program(&["health", "--server", &url])).await;
    assert!(healthy.status.success(), "{healthy:?}");
    server.signal("TERM");
    server.end().await;
    let reason = refusal(program(&["health", "--server", &url])).await;
    assert!(reason.contains("cannot reach"), "{reason}");
}

#[tokio::test]
async fn the_manual_and_the_completions_name_every_subcommand() {
    let (_folder, pages) = folder();
    std::fs::create_dir(&pages).unwrap();
    let written = run(program(&["manual", text(&pages)])).await;
    assert!(written.status.success(), "{written:?}");
    let bash = run(program(&["completions", "bash"])).await;
    let bash = String::from_utf8(bash.stdout).unwrap();
    let page = std::fs::read_to_string(pages.join("realtime-photo.1")).unwrap();
    assert!(page.contains("metrics\\-listen"), "{page}");
    for subcommand in ["check", "compact", "backup", "restore", "health"] {
        let page = pages.join(format!("realtime-photo-{subcommand}.1"));
        assert!(Path::new(&page).exists(), "{subcommand}");
        assert!(bash.contains(subcommand), "{subcommand}");
    }
}

#[tokio::test]
async fn the_log_can_be_json_an_object_a_line() {
    let (_folder, data) = folder();
    let mut command = program(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        text(&data),
        "--log-format",
        "json",
    ]);
    let mut child = command
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stderr.take().unwrap());
    let first: Vec<Value> = std::io::BufRead::lines(lines)
        .take(2)
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for line in first {
        for field in ["time", "level", "target", "message"] {
            assert!(line[field].is_string(), "{line}");
        }
    }
}
