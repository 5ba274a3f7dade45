//! Speed of the embedded engine, beside a RethinkDB on the same machine, in one run.
//!
//! `cargo bench --bench engine` measures the engine; with `BENCH_RETHINKDB=127.0.0.1:28015` also that RethinkDB (user
//! `admin`, no password), whose database `realtime_photo_bench` is dropped and made anew. Each figure is the median of
//! several rounds; rounds of the two servers take turns, so that a machine that slows down slows down both.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

mod support;

use support::client::Client;
use support::report::Report;
use support::server::{Server, binaries, rethinkdb};

/// Rounds in which each figure is measured.
const ROUNDS: usize = 7;

/// A figure to measure: its name and what to do in one round.
type Figure = (&'static str, fn(&mut Target) -> Duration);

const FIGURES: &[Figure] = &[
    (
        "insert 200 small documents, one after the other, hard",
        insert_small,
    ),
    (
        "insert 100 small documents from 20 clients at once, hard",
        insert_at_once,
    ),
    ("move one document 200 times, soft", move_softly),
    ("insert 5 images of 2 MiB, hard", insert_images),
    ("read 5 images of 2 MiB", read_images),
    ("tell 500 feeds of a small change", tell_feeds),
    (
        "tell 500 feeds of an image of 100 kB, whole",
        tell_feeds_of_an_image,
    ),
    ("open a feed with 2,000 initial values", open_board),
];

fn main() {
    let (_server, address) = Server::published(&binaries()[0].1);
    let mut targets = vec![("engine", Target::new(address))];
    targets.extend(rethinkdb().map(|address| ("RethinkDB", Target::new(address))));
    let mut report = Report::new("engine");
    for (name, figure) in FIGURES {
        let mut times = vec![Vec::new(); targets.len()];
        for _ in 0..ROUNDS {
            for ((_, target), times) in targets.iter_mut().zip(&mut times) {
                times.push(target.round(*figure).as_secs_f64() * 1000.0);
            }
        }
        let rows = targets.iter().zip(&times);
        let spreads: Vec<_> = rows
            .map(|((of, _), times)| report.row(name, of, "ms", times))
            .collect();
        if let [ours, theirs] = spreads[..] {
            report.ratio(&format!("{name}: engine over RethinkDB"), ours, theirs);
        }
    }
    report.finish();
}

/// A server with an empty table for each round.
struct Target {
    address: SocketAddr,
    client: Client,
}

impl Target {
    fn new(address: SocketAddr) -> Self {
        let mut client = Client::log_in(address, "").unwrap();
        client.ask(json!([58, [DATABASE]]));
        assert_eq!(client.ask(json!([57, [DATABASE]]))["t"], 1);
        Self { address, client }
    }

    fn round(&mut self, figure: fn(&mut Self) -> Duration) -> Duration {
        self.client.ask(json!([61, [[14, [DATABASE]], "t"]]));
        assert_eq!(
            self.client.ask(json!([60, [[14, [DATABASE]], "t"]]))["t"],
            1
        );
        self.client.ask(json!([177, [table()]]));
        figure(self)
    }

    fn connect(&self) -> Client {
        Client::log_in(self.address, "").unwrap()
    }

    /// Feeds that have been opened and wait for a change.
    fn feeds(&self, count: usize) -> Vec<Client> {
        let open = |_| {
            let mut feed = self.connect();
            feed.send(1, &json!([1, [152, [table()]], {}]));
            feed.receive().unwrap();
            feed.send_raw(1, b"[2]");
            feed
        };
        (0..count).map(open).collect()
    }
}

const DATABASE: &str = "realtime_photo_bench";

fn table() -> Value {
    json!([15, [[14, [DATABASE]], "t"]])
}

fn small(id: usize) -> Value {
    json!({"id": id, "fileName": "a picture.jpg", "x": 120.5, "y": 80, "w": 240, "z": id, "type": "image/jpeg"})
}

fn image(id: usize, size: usize) -> Value {
    let bytes: Vec<u8> = (0..size)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    json!({"id": id, "file": {"$reql_type$": "BINARY", "data": STANDARD.encode(bytes)}})
}

fn insert(client: &mut Client, document: Value) {
    let answer = client.ask(json!([56, [table(), document], {"durability": "hard"}]));
    assert_eq!(answer["r"][0]["inserted"], 1, "{answer}");
}

fn insert_small(target: &mut Target) -> Duration {
    let start = Instant::now();
    (0..200).for_each(|id| insert(&mut target.client, small(id)));
    start.elapsed()
}

fn insert_at_once(target: &mut Target) -> Duration {
    let clients: Vec<Client> = (0..20).map(|_| target.connect()).collect();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (i, mut client) in clients.into_iter().enumerate() {
            scope.spawn(move || (0..5).for_each(|round| insert(&mut client, small(i * 5 + round))));
        }
    });
    start.elapsed()
}

fn move_softly(target: &mut Target) -> Duration {
    insert(&mut target.client, small(1));
    let start = Instant::now();
    for x in 0..200 {
        target
            .client
            .ask(json!([53, [[16, [table(), 1]], {"x": x}], {"durability": "soft"}]));
    }
    start.elapsed()
}

fn insert_images(target: &mut Target) -> Duration {
    let images: Vec<Value> = (0..5).map(|id| image(id, 2 << 20)).collect();
    let start = Instant::now();
    images
        .into_iter()
        .for_each(|image| insert(&mut target.client, image));
    start.elapsed()
}

fn read_images(target: &mut Target) -> Duration {
    (0..5).for_each(|id| insert(&mut target.client, image(id, 2 << 20)));
    let start = Instant::now();
    for id in 0..5 {
        assert_eq!(
            target.client.ask(json!([16, [table(), id]]))["r"][0]["id"],
            id
        );
    }
    start.elapsed()
}

fn tell_feeds(target: &mut Target) -> Duration {
    tell(target, small(1))
}

fn tell_feeds_of_an_image(target: &mut Target) -> Duration {
    tell(target, image(1, 100_000))
}

fn tell(target: &mut Target, document: Value) -> Duration {
    let mut feeds = target.feeds(500);
    let start = Instant::now();
    insert(&mut target.client, document);
    for feed in &mut feeds {
        feed.receive_raw().unwrap();
    }
    start.elapsed()
}

fn open_board(target: &mut Target) -> Duration {
    let documents: Vec<Value> = (0..2000).map(small).collect();
    target.client.ask(json!([56, [table(), [2, documents]]]));
    let mut feed = target.connect();
    let start = Instant::now();
    feed.send(
        1,
        &json!([1, [152, [table()], {"include_initial": true, "include_states": true}], {}]),
    );
    while !feed.receive().unwrap().1["r"]
        .as_array()
        .unwrap()
        .contains(&json!({"state": "ready"}))
    {
        feed.send_raw(1, b"[2]");
    }
    start.elapsed()
}
