//! The time that a change takes to the last of many viewers, over that to as many raw changefeeds.
//!
//! `cargo bench --bench fanout` moves an image on a board with viewers, and adds an image of 10 kB, 100 kB and 1 MB to a
//! board whose viewers follow the latest image. The floor in the same run: changefeeds of the same rows, read and not parsed, on
//! another server. Beside it, the same changefeeds read by the driver, which is a part of what a viewer costs. Rounds of
//! all take turns. With `BENCH_RETHINKDB=HOST:PORT` the same is measured on that RethinkDB (user `admin`, no password),
//! in the databases `bench_this`, `bench_driver` and `bench_raw`. With `BENCH_BASELINE=/path/to/another/realtime-photo`,
//! that binary is measured too.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use reqwest::Client;
use tokio::task::JoinHandle;

mod support;

use support::arrivals::Arrivals;
use support::driver_feed::{self, DriverFeed};
use support::photos::{Photo, fill_board};
use support::raw_feed::{self, RawFeed};
use support::report::Report;
use support::server::{Server, binaries, databases};
use support::socket::{Received, Socket};
use support::{moves, tasks};

/// Rounds of each figure.
const ROUNDS: usize = 21;

/// Viewers, or raw changefeeds.
const COUNTS: [usize; 3] = [250, 500, 1000];

/// Images on the board.
const IMAGES: usize = 10;

/// What is measured: the feed, its name, and the numbers of viewers.
const FIGURES: [(Feed, &str, &[usize]); 4] = [
    (Feed::Board, "board", &COUNTS),
    (Feed::Latest { bytes: 10_000 }, "latest, 10 kB", &[250]),
    (Feed::Latest { bytes: 100_000 }, "latest, 100 kB", &COUNTS),
    (Feed::Latest { bytes: 1_000_000 }, "latest, 1 MB", &[250]),
];

const MILLISECONDS: f64 = 1000.0;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut report = Report::new("fanout");
    for (database, rethinkdb) in databases() {
        measure(&mut report, database, rethinkdb).await;
    }
    report.finish();
}

/// What viewers follow.
#[derive(Clone, Copy, PartialEq)]
enum Feed {
    /// The images on a board, one of which is moved.
    Board,
    /// The latest image, to which one of about this size is added.
    Latest { bytes: usize },
}

/// What reads the changefeeds that are compared with viewers.
#[derive(Clone, Copy, PartialEq)]
enum Reader {
    Driver,
    Raw,
}

/// A server with what listens to it.
struct Target {
    name: String,
    server: Server,
    /// An image on its board.
    id: String,
    mover: Socket,
    arrivals: Arc<Arrivals>,
    listeners: Vec<JoinHandle<()>>,
    times: Vec<f64>,
}

async fn measure(report: &mut Report, database: &str, rethinkdb: Option<SocketAddr>) {
    for (feed, name, counts) in FIGURES {
        for &count in counts {
            let mut targets = Vec::new();
            for (name, binary) in binaries() {
                targets.push(Target::with_viewers(name, &binary, rethinkdb, feed, count).await);
            }
            let (_, binary) = &binaries()[0];
            for reader in [Reader::Driver, Reader::Raw] {
                targets.push(Target::with_feeds(reader, binary, rethinkdb, feed, count).await);
            }
            let photo = feed.photo();
            for round in 0..ROUNDS {
                for target in &mut targets {
                    let time = target.round(photo.as_ref(), count, round).await;
                    target.times.push(time);
                }
            }
            let figure = format!("{name} to the last of {count}, {database}");
            let row = |target: &Target| report.row(&figure, &target.name, "ms", &target.times);
            let spreads: Vec<_> = targets.iter().map(row).collect();
            let raw = spreads[spreads.len() - 1];
            for (target, spread) in targets.iter().zip(&spreads[..spreads.len() - 1]) {
                let over = format!("{figure}: {} over raw", target.name);
                let goal = match (feed, rethinkdb) {
                    (Feed::Board, None) => Some(1.8),
                    (Feed::Board, Some(_)) => Some(1.4),
                    (Feed::Latest { .. }, Some(_)) => Some(0.4),
                    (Feed::Latest { .. }, None) => None,
                };
                let is_viewer = target.name != Reader::Driver.name();
                match goal.filter(|_| is_viewer && count == 1000) {
                    Some(goal) => report.at_most(&over, "ratio", spread.median / raw.median, goal),
                    None => drop(report.ratio(&over, *spread, raw)),
                }
            }
            for target in targets {
                tasks::stop(target.listeners).await;
            }
        }
    }
}

impl Feed {
    /// The image that is added.
    fn photo(self) -> Option<Photo> {
        match self {
            Self::Board => None,
            Self::Latest { bytes } => Some(Photo::of_bytes(bytes)),
        }
    }
}

impl Reader {
    fn name(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Raw => "raw",
        }
    }
}

impl Target {
    async fn with_viewers(
        name: &str,
        binary: &Path,
        rethinkdb: Option<SocketAddr>,
        feed: Feed,
        count: usize,
    ) -> Self {
        let (server, ..) = Server::empty(binary, rethinkdb, &format!("bench_{name}"));
        let mut target = Self::new(name, server).await;
        let (address, arrivals) = (target.server.address(), &target.arrivals);
        let query = match feed {
            Feed::Board => "batch=1",
            Feed::Latest { .. } => "feed=latest",
        };
        let viewers = (0..count).map(|_| Socket::ready(address, query));
        for mut socket in join_all(viewers).await {
            let arrivals = Arc::clone(arrivals);
            target.listeners.push(tokio::spawn(async move {
                loop {
                    let has_arrived = match (feed, socket.read().await) {
                        (Feed::Board, Received::Text(text)) => moves::in_event(text).is_some(),
                        (Feed::Latest { .. }, Received::BinaryEnd) => true,
                        _ => false,
                    };
                    if has_arrived {
                        arrivals.arrive();
                    }
                }
            }));
        }
        target
    }

    async fn with_feeds(
        reader: Reader,
        binary: &Path,
        rethinkdb: Option<SocketAddr>,
        feed: Feed,
        count: usize,
    ) -> Self {
        let name = format!("bench_{}", reader.name());
        let (server, address, database) = Server::empty(binary, rethinkdb, &name);
        let mut target = Self::new(reader.name(), server).await;
        for _ in 0..count {
            let arrivals = Arc::clone(&target.arrivals);
            let listener = match reader {
                Reader::Driver => follow_with_driver(address, &database, feed, arrivals).await,
                Reader::Raw => follow_raw(address, &database, feed, arrivals),
            };
            target.listeners.push(listener);
        }
        target
    }

    async fn new(name: &str, server: Server) -> Self {
        let id = fill_board(&server.url, IMAGES).await;
        Self {
            name: name.to_owned(),
            id,
            mover: Socket::ready(server.address(), "batch=1").await,
            arrivals: Arc::default(),
            server,
            listeners: Vec::new(),
            times: Vec::new(),
        }
    }

    /// Makes a change, and returns the milliseconds until it has reached everybody.
    async fn round(&mut self, photo: Option<&Photo>, count: usize, round: usize) -> f64 {
        self.arrivals.expect(count);
        let start = Instant::now();
        match photo {
            None => {
                let command = moves::command(&self.id, round + 1);
                self.mover.writer.text(&command).await;
            }
            Some(photo) => {
                photo.upload(&Client::new(), &self.server.url, round).await;
            }
        }
        (self.arrivals.last().await - start).as_secs_f64() * MILLISECONDS
    }
}

/// Counts the changes of a changefeed that the driver reads.
async fn follow_with_driver(
    address: SocketAddr,
    database: &str,
    feed: Feed,
    arrivals: Arc<Arrivals>,
) -> JoinHandle<()> {
    let rows = match feed {
        Feed::Board => driver_feed::board(database),
        Feed::Latest { .. } => driver_feed::images(database),
    };
    let mut changes = DriverFeed::open(address, rows).await;
    tokio::spawn(async move {
        loop {
            let change = changes.read().await;
            if feed == Feed::Board || change["new_val"]["file"].is_object() {
                arrivals.arrive();
            }
        }
    })
}

/// Counts the responses of a raw changefeed.
fn follow_raw(
    address: SocketAddr,
    database: &str,
    feed: Feed,
    arrivals: Arc<Arrivals>,
) -> JoinHandle<()> {
    let rows = match feed {
        Feed::Board => raw_feed::board(database),
        Feed::Latest { .. } => raw_feed::images(database),
    };
    let mut responses = RawFeed::open(address, &rows);
    tokio::spawn(async move {
        loop {
            let length = responses.read().await.len();
            let is_awaited = match feed {
                Feed::Board => true,
                Feed::Latest { bytes } => length > bytes / 2,
            };
            if is_awaited {
                arrivals.arrive();
            }
        }
    })
}
