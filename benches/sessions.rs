//! What viewers cost a server: memory while they are idle, and time when they come back at once.
//!
//! `cargo bench --bench sessions` opens boards of 10 and of 550 images on the embedded engine, by 1,000, 2,000 and
//! 4,000 viewers at once, as pages do. It prints the time until the last one has the whole board, and the memory of the
//! process for each viewer some seconds later. With `BENCH_BASELINE=/path/to/another/realtime-photo` each round is run
//! with that binary too, in turns.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::path::Path;
use std::time::{Duration, Instant};

use futures::future::join_all;

mod support;

use support::photos::fill_board;
use support::report::Report;
use support::server::{Server, binaries};
use support::socket::Socket;
use support::tasks;

/// Rounds of each figure. Each starts a server of its own.
const ROUNDS: usize = 3;

/// Images on the board, with the goals for the most viewers: KiB for each, and seconds until all are there.
const BOARDS: [(usize, f64, f64); 2] = [(10, 36.0, 1.0), (550, 48.0, 3.0)];

/// Viewers that come at once.
const COUNTS: [usize; 3] = [1000, 2000, 4000];

/// The time that the server has to give memory back.
const IDLE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let binaries = binaries();
    let mut report = Report::new("sessions");
    for (images, memory_goal, time_goal) in BOARDS {
        let folder = tempfile::tempdir().unwrap();
        fill_board(
            &Server::open(&binaries[0].1, folder.path(), &[]).url,
            images,
        )
        .await;
        for count in COUNTS {
            let mut samples = vec![(Vec::new(), Vec::new()); binaries.len()];
            for _ in 0..ROUNDS {
                for ((_, binary), (seconds, memory)) in binaries.iter().zip(&mut samples) {
                    let (time, kib) = round(binary, folder.path(), count).await;
                    seconds.push(time);
                    memory.push(kib);
                }
            }
            let come = format!("{count} viewers at once, {images} images");
            let idle = format!("an idle viewer of {count}, {images} images");
            let mut spreads = Vec::new();
            for ((name, _), (seconds, memory)) in binaries.iter().zip(&samples) {
                let time = report.row(&come, name, "s", seconds);
                spreads.push((time, report.row(&idle, name, "KiB", memory)));
            }
            if count == COUNTS[COUNTS.len() - 1] {
                report.at_most(&come, "s", spreads[0].0.median, time_goal);
                report.at_most(&idle, "KiB", spreads[0].1.median, memory_goal);
            }
            if let [this, baseline] = spreads[..] {
                report.ratio(&format!("{come}: over the baseline"), this.0, baseline.0);
                report.ratio(&format!("{idle}: over the baseline"), this.1, baseline.1);
            }
        }
    }
    report.finish();
}

/// Opens the board by `count` viewers. Returns the seconds until the last has it, and the KiB for each viewer.
async fn round(binary: &Path, data: &Path, count: usize) -> (f64, f64) {
    let server = Server::open(binary, data, &[]);
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

fn read(mut viewer: Socket) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            viewer.read().await;
        }
    })
}
