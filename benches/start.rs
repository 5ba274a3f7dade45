//! The start of a viewer on the embedded engine: the initial values of a board's changefeed.
//!
//! `cargo bench --bench start` opens feeds of a board with 100 placements, on an engine that has nothing else and on one with
//! 100,000 placements of other boards, in turns. It prints a table, a line of JSON for each figure, and the ratio.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "../tests/engine/client.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod client;

use client::{Client, TestEngine};

/// A figure to measure: its name and what to do in one round.
type Figure = (&'static str, fn(&mut Client) -> Duration);

const FIGURES: &[Figure] = &[
    ("open a feed with 100 initial values", open_feed),
    ("count the board", count),
    ("read the newest 20", read_newest),
];

/// Rounds in which each figure is measured.
const ROUNDS: usize = 101;

/// The placements on the board.
const PLACEMENTS: usize = 100;

/// The placements on other boards, 100 on each.
const OTHERS: usize = 100_000;

fn main() {
    let servers = [TestEngine::start(), TestEngine::start()];
    let mut clients = servers.each_ref().map(|server| {
        let mut client = Client::log_in(server.engine.address(), "").unwrap();
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
    println!(
        "{:<40} {:>12} {:>12} {:>12} {:>8}",
        "median (lower to upper quartile)", "alone", "among 100k", "", "ratio"
    );
    for (name, figure) in FIGURES {
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..ROUNDS {
            for (client, times) in clients.iter_mut().zip(&mut times) {
                times.push(figure(client));
            }
        }
        let [alone, among] = times.map(|mut times| {
            times.sort();
            [1, 2, 3].map(|quarter| times[times.len() * quarter / 4])
        });
        let ratio = among[1].as_secs_f64() / alone[1].as_secs_f64();
        println!(
            "{name:<40} {:>12.2?} {:>12.2?} {:>12} {ratio:>8.2}",
            alone[1],
            among[1],
            format!("{:.0?}–{:.0?}", among[0], among[2])
        );
        println!(
            "{}",
            json!({"figure": name, "rounds": ROUNDS, "alone_us": micros(alone), "among_us": micros(among), "ratio": ratio})
        );
    }
}

fn micros(times: [Duration; 3]) -> [u128; 3] {
    times.map(|time| time.as_micros())
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
