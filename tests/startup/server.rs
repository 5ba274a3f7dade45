//! Runs the program.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// Everything that the program reads from the environment.
pub(crate) const VARIABLES: [&str; 8] = [
    "REALTIME_PHOTO_LISTEN",
    "REALTIME_PHOTO_DATA",
    "REALTIME_PHOTO_REQL_LISTEN",
    "REALTIME_PHOTO_MAX_UPLOAD",
    "REALTIME_PHOTO_MAX_PIXELS",
    "RETHINKDB_URL",
    "REQL_PASSWORD",
    "RUST_LOG",
];

/// The time limit for everything a test waits for. It only ends a test that hangs, so it allows for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The limit on the time that the program takes to stop.
const STOP_LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_realtime-photo"));
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.args(arguments);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the program to its end, which must come by itself.
pub(crate) async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = timeout(PATIENCE, output).await;
    output.expect("it ends by itself").unwrap()
}

/// The output on standard error of a program that ends by itself, with status 1.
pub(crate) async fn refusal(command: Command) -> String {
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    // The log may come first; the reason is the last line.
    let reason = said
        .lines()
        .last()
        .unwrap()
        .strip_prefix("realtime-photo: ");
    let reason = reason.unwrap_or_else(|| panic!("{said}"));
    let beginning: String = reason.chars().take(30).collect();
    assert_eq!(reason.matches(&beginning).count(), 1, "said once: {reason}");
    reason.to_owned()
}

/// A running server.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) said: Vec<String>,
}

impl Server {
    /// Starts it on this folder and waits until it says where it is.
    pub(crate) async fn start(data: &Path) -> Self {
        let mut command = program(&["--listen", "127.0.0.1:0", "--data", text(data)]);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = tokio::task::spawn_blocking(|| lines.take(2).map(Result::unwrap).collect());
        let said: Vec<String> = said.await.unwrap();
        let url = said[0].strip_prefix("Open http://").unwrap();
        let address = url
            .strip_suffix("/ in a browser.")
            .unwrap()
            .parse()
            .unwrap();
        Self {
            child,
            address,
            said,
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits for its end and returns its exit status and the time that it took.
    pub(crate) async fn end(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), start.elapsed());
            }
            assert!(start.elapsed() < STOP_LIMIT, "it stops in time");
            // Polled: waiting for a child needs a feature of tokio that nothing else uses.
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn status_of(&self, path: &str) -> u16 {
        let response = reqwest::get(format!("http://{}{path}", self.address)).await;
        response.unwrap().status().as_u16()
    }

    /// A request that is never finished: the head and the beginning of the body.
    pub(crate) async fn begin_upload(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /image HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=x\r\n\
             Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // It is being handled once it is asked for.
        let mut answer = [0; 25];
        let begun = timeout(PATIENCE, stream.read_exact(&mut answer));
        begun.await.unwrap().unwrap();
        assert_eq!(&answer[..12], b"HTTP/1.1 100");
        let part = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\x89PNG";
        stream.write_all(part).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder, and a place in it for the data.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
