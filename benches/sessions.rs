//! What viewers cost a server: memory while they are idle, and time when they come back at once.
//!
//! `cargo bench --bench sessions` opens boards of 10 and of 550 images on the embedded engine, by 1,000, 2,000 and
//! 4,000 viewers at once, as pages do. It prints the time until the last one has the whole board, and the memory of the
//! process for each viewer some seconds later. The floor in the same run: as many changefeeds of the same rows, which are
//! opened 16 at a time, send no initial values, and are not read. Rounds of both take turns. With
//! `BENCH_RETHINKDB=HOST:PORT` the same is measured on that RethinkDB (user `admin`, no password), in the databases
//! `bench_this` and `bench_baseline`; the memory is that of the server alone. With
//! `BENCH_BASELINE=/path/to/another/realtime-photo` each round is run with that binary too.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::join_all;
use tempfile::TempDir;

mod support;

use support::photos::fill_board;
use support::raw_feed::{self, RawFeed};
use support::report::Report;
use support::server::{ENGINE_DATABASE, Server, binaries, databases};
use support::socket::Socket;
use support::tasks;

/// Rounds of each figure. Each starts a server of its own.
const ROUNDS: usize = 3;

/// Images on the board, with the goals for the most viewers: KiB for each, and seconds until all are there.
const BOARDS: [(usize, f64, f64); 2] = [(10, 36.0, 1.0), (550, 48.0, 3.0)];

/// Viewers that come at once.
const COUNTS: [usize; 3] = [1000, 2000, 4000];

/// Raw changefeeds that are opened at the same time. Each has a thread of its own while it is.
const RAW_AT_ONCE: usize = 16;

/// The time that the server has to give memory back.
const IDLE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let mut report = Report::new("sessions");
    for (database, rethinkdb) in databases() {
        measure(&mut report, database, rethinkdb).await;
    }
    report.finish();
}

async fn measure(report: &mut Report, database: &str, rethinkdb: Option<SocketAddr>) {
    for (images, memory_goal, time_goal) in BOARDS {
        let mut boards = Vec::new();
        for (name, binary) in binaries() {
            boards.push(Board::filled(name, binary, rethinkdb, images).await);
        }
        for count in COUNTS {
            let mut samples = vec![(Vec::new(), Vec::new()); boards.len()];
            let mut raw = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                for (board, (seconds, memory)) in boards.iter().zip(&mut samples) {
                    let (time, kib) = board.view(count).await;
                    seconds.push(time);
                    memory.push(kib);
                }
                let (time, kib) = boards[0].follow_raw(count).await;
                raw.0.push(time);
                raw.1.push(kib);
            }
            let come = format!("{count} viewers at once, {images} images, {database}");
            let idle = format!("an idle viewer of {count}, {images} images, {database}");
            let mut spreads = Vec::new();
            for (board, (seconds, memory)) in boards.iter().zip(&samples) {
                let time = report.row(&come, board.name, "s", seconds);
                spreads.push((time, report.row(&idle, board.name, "KiB", memory)));
            }
            let raw_time = report.row(&come, "raw", "s", &raw.0);
            report.ratio(&format!("{come}: over raw"), spreads[0].0, raw_time);
            if rethinkdb.is_none() {
                let raw_memory = report.row(&idle, "raw", "KiB", &raw.1);
                report.ratio(&format!("{idle}: over raw"), spreads[0].1, raw_memory);
                if count == COUNTS[COUNTS.len() - 1] {
                    report.at_most(&come, "s", spreads[0].0.median, time_goal);
                    report.at_most(&idle, "KiB", spreads[0].1.median, memory_goal);
                }
            }
            if let [this, baseline] = spreads[..] {
                report.ratio(&format!("{come}: over the baseline"), this.0, baseline.0);
                report.ratio(&format!("{idle}: over the baseline"), this.1, baseline.1);
            }
        }
    }
}

/// A board, and the program that shows it.
struct Board {
    name: &'static str,
    binary: PathBuf,
    images: Images,
}

/// Where the images of a board are.
enum Images {
    Folder(TempDir),
    RethinkDb(SocketAddr, String),
}

impl Board {
    async fn filled(
        name: &'static str,
        binary: PathBuf,
        rethinkdb: Option<SocketAddr>,
        number: usize,
    ) -> Self {
        let database = format!("bench_{name}");
        let images = match rethinkdb {
            None => Images::Folder(tempfile::tempdir().unwrap()),
            Some(address) => {
                drop(Server::empty(&binary, rethinkdb, &database));
                Images::RethinkDb(address, database)
            }
        };
        fill_board(&images.serve(&binary).0.url, number).await;
        Self {
            name,
            binary,
            images,
        }
    }

    /// Opens the board by `count` viewers. Returns the seconds until the last has it, and the KiB for each viewer.
    async fn view(&self, count: usize) -> (f64, f64) {
        let (server, ..) = self.images.serve(&self.binary);
        let address = server.address();
        // What the first viewer needs is there for all.
        let first = Socket::ready(address, "batch=1").await;
        let before = server.held_kib();
        let start = Instant::now();
        let viewers = (0..count).map(|_| tokio::spawn(Socket::ready(address, "batch=1")));
        let viewers: Vec<Socket> = join_all(viewers)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let elapsed = start.elapsed().as_secs_f64();
        // They read on, and answer pings.
        let readers: Vec<_> = viewers.into_iter().chain([first]).map(read).collect();
        tokio::time::sleep(IDLE).await;
        let kib = (server.held_kib() - before) / count as f64;
        tasks::stop(readers).await;
        (elapsed, kib)
    }

    /// Opens `count` raw changefeeds of the board. Returns the seconds until the last is open, and the KiB of the
    /// server for each.
    async fn follow_raw(&self, count: usize) -> (f64, f64) {
        let (server, address, database) = self.images.serve(&self.binary);
        let rows = raw_feed::board(&database);
        // What the first changefeed needs is there for all.
        let first = tokio::task::block_in_place(|| RawFeed::open(address, &rows));
        let before = server.held_kib();
        let start = Instant::now();
        let feeds = futures::stream::iter(0..count).map(|_| {
            let rows = rows.clone();
            tokio::task::spawn_blocking(move || RawFeed::open(address, &rows))
        });
        let feeds: Vec<_> = feeds.buffer_unordered(RAW_AT_ONCE).collect().await;
        let elapsed = start.elapsed().as_secs_f64();
        tokio::time::sleep(IDLE).await;
        let kib = (server.held_kib() - before) / count as f64;
        feeds.into_iter().for_each(|feed| drop(feed.unwrap()));
        drop(first);
        (elapsed, kib)
    }
}

impl Images {
    /// Starts a server of these images. Returns where changefeeds of them can be opened: the address and the database.
    fn serve(&self, binary: &Path) -> (Server, SocketAddr, String) {
        match self {
            Self::Folder(folder) => {
                let (server, address) = Server::open_published(binary, folder.path());
                (server, address, ENGINE_DATABASE.to_owned())
            }
            Self::RethinkDb(address, database) => {
                let server = Server::on_rethinkdb(binary, *address, database);
                (server, *address, database.clone())
            }
        }
    }
}

fn read(mut viewer: Socket) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            viewer.read().await;
        }
    })
}
