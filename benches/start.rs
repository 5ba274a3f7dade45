//! The start of a viewer on the embedded engine: the initial values of a board's changefeed.
//!
//! `cargo bench --bench start` opens feeds of boards with 100, 1,000 and 10,000 placements, on an engine that has nothing
//! else and on one with 100,000 placements of other boards, in turns.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod support;

use support::client::Client;
use support::report::{Report, Spread};
use support::server::{Server, binaries};

/// A figure to measure: its name and what to do in one round, on a board with so many placements.
type Figure = (&'static str, fn(&mut Client, usize) -> Duration);

const OPEN_FEED: &str = "open a feed with all initial values";

const FIGURES: &[Figure] = &[
    (OPEN_FEED, open_feed),
    ("count the board", count_rows),
    ("read the newest 20", read_newest),
];

/// The query that asks for more of a feed, and the one that ends it.
const CONTINUE: &[u8] = b"[2]";
const STOP: &[u8] = b"[3]";

/// Rounds in which each figure is measured.
const ROUNDS: usize = 101;

/// The placements on the boards.
const PLACEMENTS: [usize; 3] = [100, 1_000, 10_000];

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
        for count in PLACEMENTS {
            fill_with(&mut client, count);
        }
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
        let mut smaller: Option<Spread> = None;
        for count in PLACEMENTS {
            let mut times: [Vec<f64>; 2] = Default::default();
            for _ in 0..ROUNDS {
                for (client, times) in clients.iter_mut().zip(&mut times) {
                    times.push(figure(client, count).as_secs_f64() * 1e6);
                }
            }
            let title = format!("{name}, board of {count}");
            let mut row = |at: usize| report.row(&title, servers[at].0, "µs", &times[at]);
            let (alone, among) = (row(0), row(1));
            let over = format!("{title}: among 100k over alone");
            if *name == OPEN_FEED {
                report.at_most(&over, "ratio", among.median / alone.median, GOAL);
            } else {
                report.ratio(&over, among, alone);
            }
            if let Some(smaller) = smaller.replace(alone) {
                report.ratio(
                    &format!("{title}: over the board of a tenth"),
                    alone,
                    smaller,
                );
            }
        }
    }
    report.finish();
}

/// Makes a board with so many placements.
fn fill_with(client: &mut Client, count: usize) {
    for start in (0..count).step_by(100) {
        fill(client, &board_of(count), start..start + 100);
    }
}

/// The board with so many placements.
fn board_of(count: usize) -> String {
    format!("board of {count}")
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

fn open_feed(client: &mut Client, count: usize) -> Duration {
    let rows = json!([78, [table(), board_of(count)], {"index": "board"}]);
    let start = Instant::now();
    let first = client.ask(json!([152, [rows], {"include_initial": true}]));
    let mut received = first["r"].as_array().unwrap().len();
    while received < count {
        client.send_raw(1, CONTINUE);
        let (_, next) = client.receive().unwrap();
        received += next["r"].as_array().unwrap().len();
    }
    let elapsed = start.elapsed();
    assert_eq!(received, count);
    client.send_raw(1, STOP);
    client.receive().unwrap();
    elapsed
}

fn count_rows(client: &mut Client, count: usize) -> Duration {
    let rows = timeline_of(count);
    let start = Instant::now();
    let counted = client.ask(json!([43, [rows]]));
    let elapsed = start.elapsed();
    assert_eq!(counted["r"][0], count, "{counted}");
    elapsed
}

/// The rows of a board by their time.
fn timeline_of(count: usize) -> Value {
    let board = board_of(count);
    json!([182, [table(), [2, [board, 0]], [2, [board, 1e9]]], {"index": "timeline"}])
}

fn read_newest(client: &mut Client, count: usize) -> Duration {
    let newest = json!([71, [[41, [timeline_of(count)], {"index": [74, ["timeline"]]}], 20]]);
    let start = Instant::now();
    let rows = client.ask(newest);
    let elapsed = start.elapsed();
    assert_eq!(rows["r"].as_array().unwrap().len(), 20, "{rows}");
    elapsed
}
