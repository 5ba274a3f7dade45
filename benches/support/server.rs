//! The server under test: the real program, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use super::client::Client;
use super::processor;

/// The database of a server on the embedded engine.
pub(crate) const ENGINE_DATABASE: &str = "realtime_photo";

/// The programs to compare: this one, and with `BENCH_BASELINE=/path/to/another/realtime-photo` that one.
pub(crate) fn binaries() -> Vec<(&'static str, PathBuf)> {
    let this = ("this", PathBuf::from(env!("CARGO_BIN_EXE_realtime-photo")));
    let baseline = std::env::var_os("BENCH_BASELINE").map(|path| ("baseline", path.into()));
    std::iter::once(this).chain(baseline).collect()
}

/// The address of the RethinkDB in `BENCH_RETHINKDB`, if it is set.
pub(crate) fn rethinkdb() -> Option<SocketAddr> {
    let address = std::env::var("BENCH_RETHINKDB").ok()?;
    Some(address.parse().expect("BENCH_RETHINKDB is HOST:PORT"))
}

/// The databases to measure on: the embedded engine, and the RethinkDB in `BENCH_RETHINKDB` if it is set.
pub(crate) fn databases() -> Vec<(&'static str, Option<SocketAddr>)> {
    let rethinkdb = rethinkdb().map(|address| ("RethinkDB", Some(address)));
    std::iter::once(("engine", None)).chain(rethinkdb).collect()
}

/// A server. It ends when it is dropped.
pub(crate) struct Server {
    process: Child,
    /// The address for browsers, such as `http://127.0.0.1:8000/`.
    pub(crate) url: String,
    /// Open, so that the server can print.
    _output: BufReader<ChildStdout>,
    _folder: Option<TempDir>,
}

impl Server {
    /// Starts a server on the embedded engine and a data folder of its own.
    pub(crate) fn start(binary: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::open(binary, folder.path(), &[]);
        server._folder = Some(folder);
        server
    }

    /// Starts a server on the embedded engine, which is published at a free port. Returns its address, too.
    pub(crate) fn published(binary: &Path) -> (Self, SocketAddr) {
        let folder = tempfile::tempdir().unwrap();
        let (mut server, address) = Self::open_published(binary, folder.path());
        server._folder = Some(folder);
        (server, address)
    }

    /// Starts a server on the embedded engine and this data folder, and publishes the engine at a free port. Returns
    /// its address, too.
    pub(crate) fn open_published(binary: &Path, data: &Path) -> (Self, SocketAddr) {
        let address = free_address();
        let server = Self::open(binary, data, &["--reql-listen", &address.to_string()]);
        (server, address)
    }

    /// Starts a server on the embedded engine and this data folder.
    pub(crate) fn open(binary: &Path, data: &Path, arguments: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        Self::run(binary, &[&["--data", data], arguments].concat())
    }

    /// Starts a server without images: on this RethinkDB, where it makes the database anew, or on the embedded engine.
    /// Returns where changefeeds of its images can be opened: the address and the database.
    pub(crate) fn empty(
        binary: &Path,
        rethinkdb: Option<SocketAddr>,
        database: &str,
    ) -> (Self, SocketAddr, String) {
        let Some(address) = rethinkdb else {
            let (server, address) = Self::published(binary);
            return (server, address, ENGINE_DATABASE.to_owned());
        };
        let mut client = Client::log_in(address, "").unwrap();
        client.ask(json!([58, [database]]));
        let server = Self::on_rethinkdb(binary, address, database);
        (server, address, database.to_owned())
    }

    /// Starts a server on a database of a RethinkDB.
    pub(crate) fn on_rethinkdb(binary: &Path, address: SocketAddr, database: &str) -> Self {
        let url = format!("rethinkdb://{address}/{database}");
        Self::run(binary, &["--rethinkdb", &url])
    }

    fn run(binary: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first line is "Open http://127.0.0.1:PORT/ in a browser."
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line.split_whitespace().nth(1).expect("the server starts");
        Self {
            process,
            url: url.to_owned(),
            _output: output,
            _folder: None,
        }
    }

    /// The address that it listens on.
    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.url.trim_start_matches("http://");
        address.trim_end_matches('/').parse().unwrap()
    }

    /// The most memory that the process has had, in KiB.
    pub(crate) fn peak_kib(&self) -> f64 {
        self.memory("VmHWM:")
    }

    /// The memory that the process has now, in KiB.
    pub(crate) fn held_kib(&self) -> f64 {
        self.memory("VmRSS:")
    }

    /// The processor time of the process until now.
    pub(crate) fn processor_time(&self) -> Duration {
        processor::time(self.process.id())
    }

    /// A line of Linux's `/proc/PID/status`.
    fn memory(&self, name: &str) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// An address on this machine that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
