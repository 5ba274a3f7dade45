//! Runs the program.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Response;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// The environment variables that the program reads.
pub(crate) const VARIABLES: [&str; 17] = [
    "REALTIME_PHOTO_LISTEN",
    "REALTIME_PHOTO_METRICS_LISTEN",
    "REALTIME_PHOTO_LOG_FORMAT",
    "REALTIME_PHOTO_DATA",
    "REALTIME_PHOTO_REQL_LISTEN",
    "REALTIME_PHOTO_MAX_UPLOAD",
    "REALTIME_PHOTO_MAX_PIXELS",
    "REALTIME_PHOTO_EMBED",
    "REALTIME_PHOTO_TRUSTED_PROXY",
    "REALTIME_PHOTO_MAX_IMAGES",
    "REALTIME_PHOTO_MAX_BOARD_SIZE",
    "REALTIME_PHOTO_UPLOAD_DIR",
    "REALTIME_PHOTO_UPLOAD_MEMORY",
    "REALTIME_PHOTO_REPLICAS",
    "RETHINKDB_URL",
    "REQL_PASSWORD",
    "RUST_LOG",
];

/// The time limit of every wait in a test. It only ends a test that hangs, so it allows for a busy machine.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(120);

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

/// Runs the program, which must exit by itself.
pub(crate) async fn run(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = timeout(WAIT_LIMIT, output).await;
    output.expect("the program exits by itself").unwrap()
}

/// The reason printed by a program that refuses to start. It must exit with status 1 and state the reason once.
pub(crate) async fn refusal(command: Command) -> String {
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    let printed = String::from_utf8(output.stderr).unwrap();
    // The reason is the last line; log lines may come before it.
    let reason = printed
        .lines()
        .last()
        .unwrap()
        .strip_prefix("realtime-photo: ");
    let reason = reason.unwrap_or_else(|| panic!("{printed}"));
    let beginning: String = reason.chars().take(30).collect();
    assert_eq!(
        reason.matches(&beginning).count(),
        1,
        "printed more than once: {reason}"
    );
    reason.to_owned()
}

/// A running server.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// The two lines on standard output.
    pub(crate) lines: Vec<String>,
}

impl Server {
    /// Starts the server on a data folder and waits until it prints its address.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// Starts the program with more arguments.
    pub(crate) async fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let mut command = program(&["--listen", "127.0.0.1:0", "--data", text(data)]);
        command.args(arguments);
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = tokio::task::spawn_blocking(|| lines.take(2).map(Result::unwrap).collect());
        let lines: Vec<String> = lines.await.unwrap();
        let url = lines[0].strip_prefix("Open http://").unwrap();
        let address = url
            .strip_suffix("/ in a browser.")
            .unwrap()
            .parse()
            .unwrap();
        Self {
            child,
            address,
            lines,
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(killed.unwrap().success());
    }

    /// Waits until the server exits. Returns its status.
    pub(crate) async fn end(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(start.elapsed() < WAIT_LIMIT, "the server does not stop");
            // Polled, because waiting for a child needs a tokio feature that nothing else uses.
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn status_of(&self, path: &str) -> u16 {
        let response = reqwest::get(format!("http://{}{path}", self.address)).await;
        response.unwrap().status().as_u16()
    }

    /// Waits until the path answers with this status.
    pub(crate) async fn until_status(&self, path: &str, status: u16) -> Response {
        let start = Instant::now();
        loop {
            let response = reqwest::get(format!("http://{}{path}", self.address)).await;
            let response = response.unwrap();
            if response.status() == status {
                return response;
            }
            assert!(start.elapsed() < WAIT_LIMIT, "{path} is not {status}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Starts an upload that never ends: the head and the beginning of the body.
    pub(crate) async fn begin_upload(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /image HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; boundary=x\r\n\
             Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body (`100 Continue`) once the handler runs.
        let mut answer = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
        let begun = timeout(WAIT_LIMIT, stream.read_exact(&mut answer));
        begun.await.unwrap().unwrap();
        assert_eq!(&answer[..12], b"HTTP/1.1 100");
        let part = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\x89PNG";
        stream.write_all(part).await.unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the server has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A temporary folder, and the path of a data folder in it that does not exist yet.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    (folder, data)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
