//! Uploads of photos: how many a second the server stores, and how much memory it needs for them.
//!
//! `cargo bench --bench uploads` starts the release binary on the embedded engine and sends JPEG photos of about 100
//! kB, 1 MB and 5 MB by HTTP, eight at once; then 120 of about 16 MB, all at once. With
//! `BENCH_BASELINE=/path/to/another/realtime-photo` each round is run with that binary too, in turns, so that a machine
//! that slows down slows down both.
//!
//! The client runs on the same cores as the server, so absolute figures are of little use: compare ratios of one run.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::path::Path;
use std::time::{Duration, Instant};

mod support;

use support::photos::{Photo, upload_all};
use support::report::Report;
use support::server::{Server, binaries};

/// Uploads that are under way at the same time.
const AT_ONCE: usize = 8;

/// Rounds of each figure. Each starts a server of its own, since peak memory is that of a process.
const ROUNDS: usize = 5;

/// Rounds of the burst, which writes two gigabytes in each.
const BURST_ROUNDS: usize = 3;

/// Photos that come at once in the burst.
const BURST: usize = 120;

/// The size of each at most, in bytes.
const BURST_BYTES: usize = 16_000_000;

/// The time after a burst at which its memory should have been given back.
const HELD_AFTER: Duration = Duration::from_secs(10);

const MIB: f64 = 1024.0;

/// Photos of one size.
struct Size {
    name: &'static str,
    width: u16,
    height: u16,
    /// Target size of the JPEG, in bytes.
    bytes: usize,
    /// Photos sent in one round.
    count: usize,
    /// Photos a second that should be stored.
    goal: Option<f64>,
}

const SIZES: [Size; 3] = [
    Size {
        name: "100 kB",
        width: 1024,
        height: 768,
        bytes: 100_000,
        count: 200,
        goal: None,
    },
    Size {
        name: "1 MB",
        width: 2592,
        height: 1944,
        bytes: 1_000_000,
        count: 64,
        goal: None,
    },
    Size {
        name: "5 MB",
        width: 4032,
        height: 3024,
        bytes: 5_000_000,
        count: 32,
        goal: Some(18.0),
    },
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut report = Report::new("uploads");
    for size in &SIZES {
        measure_speed(size, &mut report).await;
    }
    measure_burst(&mut report).await;
    report.finish();
}

async fn measure_speed(size: &Size, report: &mut Report) {
    let photo = Photo::new(size.width, size.height, size.bytes);
    let binaries = binaries();
    let mut samples = vec![(Vec::new(), Vec::new()); binaries.len()];
    for _ in 0..ROUNDS {
        for ((_, binary), (speeds, peaks)) in binaries.iter().zip(&mut samples) {
            let server = Server::start(binary);
            let start = Instant::now();
            upload_all(&server.url, &photo, size.count, AT_ONCE).await;
            speeds.push(size.count as f64 / start.elapsed().as_secs_f64());
            peaks.push(server.peak_kib() / MIB);
        }
    }
    let mut spreads = Vec::new();
    for ((name, _), (speeds, peaks)) in binaries.iter().zip(&samples) {
        let speed = report.row(
            &format!("photos of {}, 8 at once", size.name),
            name,
            "a second",
            speeds,
        );
        let peak = report.row(
            &format!("photos of {}, 8 at once", size.name),
            name,
            "peak MiB",
            peaks,
        );
        spreads.push((speed, peak));
    }
    if let Some(goal) = size.goal {
        let figure = format!("photos of {}, 8 at once", size.name);
        report.at_least(&figure, "a second", spreads[0].0.median, goal);
    }
    if let [this, baseline] = spreads[..] {
        report.ratio(
            &format!("speed with {} over the baseline", size.name),
            this.0,
            baseline.0,
        );
        report.ratio(
            &format!("peak with {} over the baseline", size.name),
            this.1,
            baseline.1,
        );
    }
}

async fn measure_burst(report: &mut Report) {
    let photo = Photo::new(7680, 5760, BURST_BYTES);
    let binaries = binaries();
    let mut samples = vec![(Vec::new(), Vec::new()); binaries.len()];
    for _ in 0..BURST_ROUNDS {
        for ((_, binary), (peaks, held)) in binaries.iter().zip(&mut samples) {
            let (peak, after) = burst(binary, &photo).await;
            peaks.push(peak / MIB);
            held.push(after / MIB);
        }
    }
    let megabytes = photo.len() as f64 / 1e6;
    let figure = format!("{BURST} photos of {megabytes:.1} MB at once");
    let mut spreads = Vec::new();
    for (at, ((name, _), (peaks, held))) in binaries.iter().zip(&samples).enumerate() {
        let peak = report.row(&figure, name, "peak MiB", peaks);
        let held = report.row(&figure, name, "MiB 10 s later", held);
        if at == 0 {
            report.at_most(&figure, "peak MiB", peak.median, 600.0);
            report.at_most(&figure, "MiB 10 s later", held.median, 150.0);
        }
        spreads.push((peak, held));
    }
    if let [this, baseline] = spreads[..] {
        report.ratio("peak of the burst over the baseline", this.0, baseline.0);
        report.ratio("held after the burst over the baseline", this.1, baseline.1);
    }
}

/// Sends the burst to a new server. Returns its peak memory, and what it holds some time later, in KiB.
async fn burst(binary: &Path, photo: &Photo) -> (f64, f64) {
    let server = Server::start(binary);
    upload_all(&server.url, photo, BURST, BURST).await;
    tokio::time::sleep(HELD_AFTER).await;
    (server.peak_kib(), server.held_kib())
}
