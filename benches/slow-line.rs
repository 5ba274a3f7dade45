//! How a board of 1,500 photos opens on a line of 400 kbit/s.
//!
//! `cargo bench --bench slow-line` runs `tests/browser/slow-line.js`, which measures it in Chromium, with the release
//! binary, and compares the figures with their goals. It needs Node.js and the packages of `tests/browser` (`npm ci`).
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::process::{Command, Stdio};

use serde_json::Value;

mod support;

use support::report::Report;

/// The figures of the script that have goals.
const GOALS: [(&str, &str, f64); 3] = [
    ("first thumbnail", "s", 4.0),
    ("all records", "s", 10.0),
    ("socket", "kB", 120.0),
];

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");
    let output = Command::new("node")
        .arg("slow-line.js")
        .current_dir(folder)
        .env("REALTIME_PHOTO_BIN", env!("CARGO_BIN_EXE_realtime-photo"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "slow-line.js failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap();
    let figures: Value = serde_json::from_str(line).unwrap();
    let rounds = figures["rounds"].as_array().unwrap();
    let mut report = Report::new("slow-line");
    for (name, unit, goal) in GOALS {
        let figure = format!("{name}, {unit}");
        let values: Vec<f64> = rounds
            .iter()
            .map(|round| round[&figure].as_f64().unwrap())
            .collect();
        let spread = report.row(name, "this", unit, &values);
        report.at_most(name, unit, spread.median, goal);
    }
    report.finish();
}
