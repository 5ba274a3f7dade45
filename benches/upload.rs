//! Uploads of photos: how many a second the server stores, and how much memory it needs for them.
//!
//! `cargo bench --bench upload` starts the release binary on the embedded engine and sends JPEG photos of about 100 kB,
//! 1 MB and 5 MB by HTTP, eight at once. With `BENCH_BASELINE=/path/to/another/realtime-photo` each round is run with that
//! binary too, in turns, so that a machine that slows down slows down both. Prints a table of medians with their spread,
//! then one JSON line for each figure, then the ratios.
//!
//! The client runs on the same cores as the server, so absolute figures are of little use: compare ratios of one run.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail where it stands")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use reqwest::Client;
use reqwest::multipart::{Form, Part};
use serde_json::json;

/// Uploads that are under way at the same time.
const AT_ONCE: usize = 8;

/// Rounds of each figure. Each starts a server of its own, since peak memory is that of a process.
const ROUNDS: usize = 5;

/// Photos of one size.
struct Size {
    name: &'static str,
    width: u16,
    height: u16,
    /// Target size of the JPEG, in bytes.
    bytes: usize,
    /// Photos sent in one round.
    count: usize,
}

const SIZES: [Size; 3] = [
    Size {
        name: "100 kB",
        width: 1024,
        height: 768,
        bytes: 100_000,
        count: 200,
    },
    Size {
        name: "1 MB",
        width: 2592,
        height: 1944,
        bytes: 1_000_000,
        count: 64,
    },
    Size {
        name: "5 MB",
        width: 4032,
        height: 3024,
        bytes: 5_000_000,
        count: 32,
    },
];

/// One round of one binary.
struct Sample {
    photos_per_second: f64,
    peak_mib: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut binaries = vec![("this", PathBuf::from(env!("CARGO_BIN_EXE_realtime-photo")))];
    if let Some(path) = std::env::var_os("BENCH_BASELINE") {
        binaries.push(("baseline", path.into()));
    }
    println!(
        "{:<8} {:<10} {:>10} {:>16} {:>12} {:>16}",
        "photos", "binary", "photos/s", "(min–max)", "peak MiB", "(min–max)"
    );
    let mut lines = Vec::new();
    let mut ratios = Vec::new();
    for size in &SIZES {
        let photo = photo(size);
        let mut samples: Vec<Vec<Sample>> = binaries.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for ((_, binary), samples) in binaries.iter().zip(&mut samples) {
                samples.push(round(binary, &photo, size.count).await);
            }
        }
        let mut medians = Vec::new();
        for ((name, _), samples) in binaries.iter().zip(&samples) {
            let speed = Spread::of(samples.iter().map(|sample| sample.photos_per_second));
            let memory = Spread::of(samples.iter().map(|sample| sample.peak_mib));
            println!(
                "{:<8} {name:<10} {:>10.1} {:>16} {:>12.0} {:>16}",
                size.name,
                speed.median,
                format!("({:.1}–{:.1})", speed.min, speed.max),
                memory.median,
                format!("({:.0}–{:.0})", memory.min, memory.max),
            );
            lines.push(json!({
                "bench": "upload", "binary": name, "photo_bytes": photo.len(), "at_once": AT_ONCE, "rounds": ROUNDS,
                "photos_per_second": speed.median, "photos_per_second_min": speed.min, "photos_per_second_max": speed.max,
                "peak_mib": memory.median, "peak_mib_min": memory.min, "peak_mib_max": memory.max,
            }));
            medians.push((speed.median, memory.median));
        }
        if let [this, baseline] = medians[..] {
            ratios.push(format!(
                "{}: {:.2} × the baseline's photos a second, {:.2} × its peak memory",
                size.name,
                this.0 / baseline.0,
                this.1 / baseline.1
            ));
        }
    }
    for line in lines.iter().map(ToString::to_string).chain(ratios) {
        println!("{line}");
    }
}

/// The median, the least and the greatest of some values.
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        Self {
            median: values[values.len() / 2],
            min: values[0],
            max: values[values.len() - 1],
        }
    }
}

/// Sends the photo `count` times to a new server, each time as another file.
async fn round(binary: &Path, photo: &[u8], count: usize) -> Sample {
    let server = Server::start(binary);
    let client = Client::new();
    let photos: Vec<Bytes> = (0..count).map(|number| numbered(photo, number)).collect();
    let start = Instant::now();
    stream::iter(photos)
        .for_each_concurrent(AT_ONCE, |photo| upload(&client, &server.url, photo))
        .await;
    let elapsed = start.elapsed().as_secs_f64();
    Sample {
        photos_per_second: count as f64 / elapsed,
        peak_mib: server.peak_mib(),
    }
}

async fn upload(client: &Client, url: &str, photo: Bytes) {
    let file = Part::stream(photo).file_name("photo.jpg");
    let request = client
        .post(format!("{url}image"))
        .multipart(Form::new().part("file", file));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
}

/// A server on a data folder of its own. It ends when it is dropped.
struct Server {
    process: Child,
    url: String,
    _data: tempfile::TempDir,
}

impl Server {
    fn start(binary: &Path) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut process = Command::new(binary)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The first line is "Open http://127.0.0.1:PORT/ in a browser."
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.split_whitespace().nth(1).unwrap().to_owned();
        Self {
            process,
            url,
            _data: data,
        }
    }

    /// The most memory that the process has had, in MiB (Linux's `VmHWM`).
    fn peak_mib(&self) -> f64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The photo with a number in a comment, so that no two uploads have the same bytes.
fn numbered(photo: &[u8], number: usize) -> Bytes {
    let mut bytes = photo[..2].to_vec();
    bytes.extend_from_slice(&[0xff, 0xfe, 0, 10]);
    bytes.extend_from_slice(&(number as u64).to_be_bytes());
    bytes.extend_from_slice(&photo[2..]);
    bytes.into()
}

/// A JPEG as phones make them (4:2:0), of the quality that comes nearest to the wanted number of bytes.
fn photo(size: &Size) -> Vec<u8> {
    let pixels = scene(size.width, size.height);
    let encode = |quality| {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder
            .encode(&pixels, size.width, size.height, ColorType::Rgb)
            .unwrap();
        bytes
    };
    (30..=98)
        .step_by(4)
        .map(encode)
        .min_by_key(|bytes| bytes.len().abs_diff(size.bytes))
        .unwrap()
}

/// Something like a photo: soft areas of colour, edges, and the grain of a sensor.
fn scene(width: u16, height: u16) -> Vec<u8> {
    let mut random = SmallRng::seed_from_u64(1);
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (
                f32::from(x) / f32::from(width),
                f32::from(y) / f32::from(width),
            );
            let wave = (u * 23.0 + (v * 17.0).sin() * 3.0).sin() * 40.0;
            let leaf = if (u * 61.0).sin() * (v * 53.0).cos() > 0.3 {
                30.0
            } else {
                0.0
            };
            let grain = random.random_range(-14.0..14.0);
            for base in [110.0 + 80.0 * u, 120.0 + 60.0 * v, 150.0 - 90.0 * u] {
                pixels.push((base + wave + leaf + grain) as u8);
            }
        }
    }
    pixels
}
