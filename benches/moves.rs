//! The time that moves take to all viewers while many images are dragged.
//!
//! `cargo bench --bench moves` opens a board with 200 viewers, 20 of which drag an image each, and notes when every
//! move reaches every viewer. The floor in the same run: the same moves on another server, with 200 changefeeds that
//! are read and not parsed instead of the viewers. Rounds of both take turns. With `BENCH_RETHINKDB=HOST:PORT` the same
//! is measured on that RethinkDB (user `admin`, no password), in the database `bench_moves`. With
//! `BENCH_BASELINE=/path/to/another/realtime-photo` each round is run with that binary too.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::time::{MissedTickBehavior, interval};

mod support;

use support::arrivals::Arrivals;
use support::moves;
use support::photos::fill_board;
use support::raw_feed::{self, RawFeed};
use support::report::{Report, Spread};
use support::server::{Server, binaries, databases};
use support::socket::{Received, Socket, SocketWriter};
use support::tasks;

/// Rounds of each figure.
const ROUNDS: usize = 5;

/// Viewers, or raw changefeeds.
const VIEWERS: usize = 200;

/// Those who move.
const MOVERS: usize = 20;

/// Moves a second, of all movers together.
const RATES: [usize; 3] = [150, 300, 600];

/// The length of a round.
const SECONDS: usize = 5;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut report = Report::new("moves");
    for (database, rethinkdb) in databases() {
        measure(&mut report, database, rethinkdb).await;
    }
    report.finish();
}

async fn measure(report: &mut Report, database: &str, rethinkdb: Option<SocketAddr>) {
    for rate in RATES {
        let mut samples: Vec<(&str, Vec<f64>, Vec<f64>)> = Vec::new();
        for (name, _) in binaries() {
            samples.push((name, Vec::new(), Vec::new()));
        }
        samples.push(("raw", Vec::new(), Vec::new()));
        for _ in 0..ROUNDS {
            let all = binaries();
            for ((_, binary), sample) in all.iter().zip(&mut samples) {
                note(sample, round(binary, rethinkdb, rate, false).await);
            }
            let last = samples.len() - 1;
            note(
                &mut samples[last],
                round(&all[0].1, rethinkdb, rate, true).await,
            );
        }
        let figure = format!("{rate} moves a second to {VIEWERS}, {database}");
        let mut spreads: Vec<Spread> = Vec::new();
        for (name, medians, p99s) in &samples {
            report.row(&figure, name, "median ms", medians);
            spreads.push(report.row(&figure, name, "p99 ms", p99s));
        }
        if rate == RATES[RATES.len() - 1] {
            report.at_most(&figure, "p99 ms", spreads[0].median, 50.0);
        }
        let raw = spreads[spreads.len() - 1];
        report.ratio(&format!("{figure}: p99 over raw"), spreads[0], raw);
    }
}

fn note(sample: &mut (&str, Vec<f64>, Vec<f64>), (median, p99): (f64, f64)) {
    sample.1.push(median);
    sample.2.push(p99);
}

/// When each move was sent, by its number.
struct Sent(Vec<Mutex<Option<Instant>>>);

impl Sent {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| Mutex::default()).collect())
    }

    fn note(&self, number: usize) {
        *self.0[number].lock().unwrap() = Some(Instant::now());
    }

    /// The milliseconds since a move was sent.
    fn age(&self, number: usize) -> f64 {
        let sent = self.0[number].lock().unwrap().expect("it was sent");
        sent.elapsed().as_secs_f64() * 1000.0
    }
}

/// Runs the moves once on a new server. Returns the median and the 99th percentile of the milliseconds from each move
/// to each viewer. Waits until all have arrived.
async fn round(
    binary: &Path,
    rethinkdb: Option<SocketAddr>,
    rate: usize,
    is_raw: bool,
) -> (f64, f64) {
    let (server, engine, database) = Server::empty(binary, rethinkdb, "bench_moves");
    let id = fill_board(&server.url, 10).await;
    let count = rate * SECONDS;
    // The number 0 is not used.
    let sent = Arc::new(Sent::new(count + 1));
    let arrivals = Arc::new(Arrivals::default());
    arrivals.expect(VIEWERS);
    let address = server.address();
    let movers = join_all((0..MOVERS).map(|_| Socket::ready(address, "batch=1"))).await;
    let mut listeners = Vec::new();
    let mut writers = Vec::new();
    for mover in movers {
        let (mut reader, writer) = mover.split();
        writers.push(writer);
        let mut ages = Ages::new(count, &sent, &arrivals);
        listeners.push(tokio::spawn(async move {
            while !ages.is_complete() {
                let number = reader.read().await.and_then(moves::in_event);
                if !is_raw {
                    number.into_iter().for_each(|number| ages.note(number));
                }
            }
            ages.ages
        }));
    }
    if is_raw {
        // The movers read, but only the raw changefeeds are measured.
        let rows = raw_feed::board(&database);
        for _ in 0..VIEWERS {
            let mut raw = RawFeed::open(engine, &rows);
            let mut ages = Ages::new(count, &sent, &arrivals);
            listeners.push(tokio::spawn(async move {
                while !ages.is_complete() {
                    let body = raw.read().await;
                    moves::in_response(body).for_each(|number| ages.note(number));
                }
                ages.ages
            }));
        }
    } else {
        for mut viewer in
            join_all((MOVERS..VIEWERS).map(|_| Socket::ready(address, "batch=1"))).await
        {
            let mut ages = Ages::new(count, &sent, &arrivals);
            listeners.push(tokio::spawn(async move {
                while !ages.is_complete() {
                    if let Received::Text(text) = viewer.read().await
                        && let Some(number) = moves::in_event(text)
                    {
                        ages.note(number);
                    }
                }
                ages.ages
            }));
        }
    }
    let writers = join_all(writers.into_iter().enumerate().map(|(mover, writer)| {
        let numbers = (1 + mover..=count).step_by(MOVERS);
        send(writer, numbers, rate, Arc::clone(&sent), id.clone())
    }))
    .await;
    arrivals.last().await;
    let measured = listeners.split_off(if is_raw { MOVERS } else { 0 });
    tasks::stop(listeners).await;
    // Not before: a socket whose sending half is dropped is closed.
    drop(writers);
    let mut all = Vec::new();
    for listener in measured {
        all.extend(listener.await.unwrap());
    }
    assert_eq!(all.len(), count * VIEWERS);
    all.sort_by(f64::total_cmp);
    (all[all.len() / 2], all[all.len() * 99 / 100])
}

/// Sends moves at an even pace. Returns the writer.
async fn send(
    mut writer: SocketWriter,
    numbers: impl Iterator<Item = usize>,
    rate: usize,
    sent: Arc<Sent>,
    id: String,
) -> SocketWriter {
    let mut pace = interval(Duration::from_secs_f64(MOVERS as f64 / rate as f64));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in numbers {
        pace.tick().await;
        sent.note(number);
        writer.text(&moves::command(&id, number)).await;
    }
    writer
}

/// The ages of the moves at their arrival at one viewer.
struct Ages {
    ages: Vec<f64>,
    expected: usize,
    sent: Arc<Sent>,
    arrivals: Arc<Arrivals>,
}

impl Ages {
    fn new(expected: usize, sent: &Arc<Sent>, arrivals: &Arc<Arrivals>) -> Self {
        Self {
            ages: Vec::with_capacity(expected),
            expected,
            sent: Arc::clone(sent),
            arrivals: Arc::clone(arrivals),
        }
    }

    fn note(&mut self, number: usize) {
        self.ages.push(self.sent.age(number));
        if self.is_complete() {
            self.arrivals.arrive();
        }
    }

    fn is_complete(&self) -> bool {
        self.ages.len() == self.expected
    }
}
