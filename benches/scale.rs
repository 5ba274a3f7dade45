//! What the figures of `docs/scale.md` rest on: how two servers of one database share the cost of viewers, and what an
//! image takes.
//!
//! `cargo bench --bench scale` divides 500 viewers of a board between two servers and prints the processor time of each
//! for a move. The first runs the embedded engine and publishes it, the second uses it. With `BENCH_RETHINKDB=HOST:PORT`
//! both use that RethinkDB (user `admin`, no password) and make its database `bench_scale` anew; the processor time of
//! all processes named `rethinkdb` on this machine is printed, too. Then it fills a board and prints what an image takes
//! on the disk, and what the server holds after a restart, before somebody looks at the board and while somebody does. It
//! needs Linux's `/proc`.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

mod support;

use support::arrivals::Arrivals;
use support::photos::{Photo, fill_board, upload_all};
use support::processor;
use support::report::Report;
use support::server::{Server, binaries, databases};
use support::socket::{Received, Socket};
use support::{moves, tasks};

/// Rounds of each figure.
const ROUNDS: usize = 5;

/// The viewers of the first and of the second server.
const SPLITS: [[usize; 2]; 3] = [[500, 0], [0, 500], [250, 250]];

/// Moves in a round, one after the other.
const MOVES: usize = 60;

/// Images on the board that is filled.
const IMAGES: [usize; 3] = [100, 1_000, 10_000];

/// The size of each, in bytes.
const IMAGE_BYTES: usize = 10_000;

/// The time that a server has to come to rest.
const IDLE: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let mut report = Report::new("scale");
    for (database, rethinkdb) in databases() {
        share(&mut report, database, rethinkdb).await;
    }
    for images in IMAGES {
        fill(&mut report, images).await;
    }
    report.finish();
}

/// Measures how two servers share the cost of viewers.
async fn share(report: &mut Report, database: &str, rethinkdb: Option<SocketAddr>) {
    let mut samples: [[Vec<f64>; 3]; SPLITS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (split, samples) in SPLITS.iter().zip(&mut samples) {
            let times = round(rethinkdb, *split).await;
            for (sample, time) in samples.iter_mut().zip(times) {
                sample.push(time);
            }
        }
    }
    for ([first, second], samples) in SPLITS.iter().zip(&samples) {
        let figure = format!("a move to {first} and {second} viewers, {database}");
        report.row(&figure, "first", "ms", &samples[0]);
        report.row(&figure, "second", "ms", &samples[1]);
        if rethinkdb.is_some() {
            report.row(&figure, "RethinkDB", "ms", &samples[2]);
        }
    }
}

/// Moves an image on a board with viewers at two servers. Returns the milliseconds of processor time that the first and
/// the second server and RethinkDB need for each move.
async fn round(rethinkdb: Option<SocketAddr>, split: [usize; 2]) -> [f64; 3] {
    let binary = &binaries()[0].1;
    let (first, database, name) = Server::empty(binary, rethinkdb, "bench_scale");
    let second = Server::on_rethinkdb(binary, database, &name);
    let id = fill_board(&first.url, 10).await;
    let mut mover = Socket::ready(first.address(), "batch=1").await;
    let arrivals = Arc::new(Arrivals::default());
    let mut listeners = Vec::new();
    for (server, count) in [&first, &second].into_iter().zip(split) {
        let viewers = (0..count).map(|_| Socket::ready(server.address(), "batch=1"));
        for viewer in join_all(viewers).await {
            listeners.push(tokio::spawn(count_moves(viewer, Arc::clone(&arrivals))));
        }
    }
    let times = || {
        let rethinkdb = processor::time_of_all("rethinkdb");
        [first.processor_time(), second.processor_time(), rethinkdb]
    };
    let before = times();
    for number in 1..=MOVES {
        arrivals.expect(split[0] + split[1]);
        mover.writer.text(&moves::command(&id, number)).await;
        arrivals.last().await;
    }
    let after = times();
    tasks::stop(listeners).await;
    std::array::from_fn(|at| (after[at] - before[at]).as_secs_f64() * 1000.0 / MOVES as f64)
}

async fn count_moves(mut viewer: Socket, arrivals: Arc<Arrivals>) {
    loop {
        if let Received::Text(text) = viewer.read().await
            && moves::in_event(text).is_some()
        {
            arrivals.arrive();
        }
    }
}

/// Fills a board, and reports what each image takes on the disk and what the server holds after a restart.
async fn fill(report: &mut Report, images: usize) {
    let binary = &binaries()[0].1;
    let folder = tempfile::tempdir().unwrap();
    let photo = Photo::of_bytes(IMAGE_BYTES);
    let server = Server::open(binary, folder.path(), &[]);
    let start = Instant::now();
    upload_all(&server.url, &photo, images, 8).await;
    let speed = images as f64 / start.elapsed().as_secs_f64();
    drop(server);
    let disk = disk_bytes(folder.path()) / images as f64 / 1024.0;
    let server = Server::open(binary, folder.path(), &[]);
    tokio::time::sleep(IDLE).await;
    let unseen = server.held_kib() / 1024.0;
    let viewer = Socket::ready(server.address(), "batch=1").await;
    tokio::time::sleep(IDLE).await;
    let seen = server.held_kib() / 1024.0;
    drop(viewer);
    let figure = format!("a board of {images} images of {} kB", IMAGE_BYTES / 1000);
    report.row(&figure, "this", "stored a second", &[speed]);
    report.row(&figure, "this", "KiB of disk for each", &[disk]);
    report.row(&figure, "this", "MiB without a viewer", &[unseen]);
    report.row(&figure, "this", "MiB with a viewer", &[seen]);
}

/// The bytes that a folder of files takes on the disk.
fn disk_bytes(folder: &Path) -> f64 {
    use std::os::unix::fs::MetadataExt as _;
    let files = std::fs::read_dir(folder).unwrap();
    let blocks = files.map(|file| file.unwrap().metadata().unwrap().blocks());
    (blocks.sum::<u64>() * 512) as f64
}
