//! The start of a viewer on the embedded engine: the initial values of a board's changefeed.
//!
//! `cargo bench --bench start` opens feeds of a board with 100 placements, on an engine that has nothing else and on
//! one with 100,000 placements of other boards, in turns.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod support;

use support::client::Client;
use support::report::Report;
use support::server::{Server, binaries};

/// A figure to measure: its name and what to do in one round.
type Figure = (&'static str, fn(&mut Client) -> Duration);

const OPEN_FEED: &str = "open a feed with 100 initial values";

const FIGURES: &[Figure] = &[
    (OPEN_FEED, open_feed),
    ("count the board", count),
    ("read the newest 20", read_newest),
];

/// Rounds in which each figure is measured.
const ROUNDS: usize = 101;

/// The placements on the board.
const PLACEMENTS: usize = 100;

/// The placements on other boards, 100 on each.
const OTHERS: usize = 100_000;

/// The most that other boards may slow down the start of a feed: nothing, within what the measurement can tell.
const GOAL: f64 = 1.1;

fn main() {
    let (_, binary) = &binaries()[0];
    let servers = ["alone", "among 100k"].map(|name| (name, Server::published(binary)));
    let mut clients = servers.each_ref().map(|(_, (_, address))| {
        let mut client = Client::log_in(*address, "").unwrap();
        prepare(&mut client);
        fill(&mut client, "mine", 0..PLACEMENTS);
        client
    });
    for start in (0..OTHERS).step_by(100) {
        fill(
            &mut clients[1],
            &format!("other {start}"),
            start..start + 100,
        );
    }
    let mut report = Report::new("start");
    for (name, figure) in FIGURES {
        let mut times: [Vec<f64>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (client, times) in clients.iter_mut().zip(&mut times) {
                times.push(figure(client).as_secs_f64() * 1e6);
            }
        }
        let mut row = |at: usize| report.row(name, servers[at].0, "µs", &times[at]);
        let (alone, among) = (row(0), row(1));
        let over = format!("{name}: among 100k over alone");
        if *name == OPEN_FEED {
            report.at_most(&over, "ratio", among.median / alone.median, GOAL);
        } else {
            report.ratio(&over, among, alone);
        }
    }
    report.finish();
}

fn table() -> Value {
    json!([15, [[14, ["bench"]], "placements"]])
}

/// Creates the table and its indexes, as the program does.
fn prepare(client: &mut Client) {
    client.ask(json!([57, ["bench"]]));
    client.ask(json!([60, [[14, ["bench"]], "placements"]]));
    let row = json!([10, [1]]);
    let board = json!([170, [row, "board"]]);
    let timeline = json!([2, [board, [170, [row, "createdAt"]], [170, [row, "id"]]]]);
    for (name, value) in [("board", board), ("timeline", timeline)] {
        let created = client.ask(json!([75, [table(), name, [69, [[2, [1]], value]]]]));
        assert_eq!(created["t"], 1, "{created}");
    }
}

fn fill(client: &mut Client, board: &str, numbers: std::ops::Range<usize>) {
    let documents: Vec<Value> = numbers
        .map(|number| {
            json!({
                "id": format!("{board} {number}"), "board": board, "createdAt": number, "type": "image/jpeg",
                "fileName": "a photo.jpg", "x": 120.5, "y": 80, "w": 240, "z": number, "by": "Ada", "size": 123_456,
                "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            })
        })
        .collect();
    let inserted = client.ask(json!([56, [table(), [2, documents]], {"durability": "soft"}]));
    assert_eq!(inserted["r"][0]["errors"], 0, "{inserted}");
}

fn open_feed(client: &mut Client) -> Duration {
    let rows = json!([78, [table(), "mine"], {"index": "board"}]);
    let start = Instant::now();
    let first = client.ask(json!([152, [rows], {"include_initial": true}]));
    let elapsed = start.elapsed();
    assert_eq!(first["r"].as_array().unwrap().len(), PLACEMENTS, "{first}");
    // STOP ends the feed.
    client.send_raw(1, b"[3]");
    client.receive().unwrap();
    elapsed
}

fn count(client: &mut Client) -> Duration {
    let rows = json!([182, [table(), [2, ["mine", 0]], [2, ["mine", 1e9]]], {"index": "timeline"}]);
    let start = Instant::now();
    let counted = client.ask(json!([43, [rows]]));
    let elapsed = start.elapsed();
    assert_eq!(counted["r"][0], PLACEMENTS, "{counted}");
    elapsed
}

fn read_newest(client: &mut Client) -> Duration {
    let rows = json!([182, [table(), [2, ["mine", 0]], [2, ["mine", 1e9]]], {"index": "timeline"}]);
    let newest = json!([71, [[41, [rows], {"index": [74, ["timeline"]]}], 20]]);
    let start = Instant::now();
    let rows = client.ask(newest);
    let elapsed = start.elapsed();
    assert_eq!(rows["r"].as_array().unwrap().len(), 20, "{rows}");
    elapsed
}
