//! Engines in a process that is killed while it writes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use realtime_photo::engine::{Engine, EngineSettings};
use serde_json::{Value, json};

use crate::client::Client;

/// The first argument of the child process; the second one is the data folder.
const CHILD_ARGUMENT: &str = "write-until-killed";

/// The number of connections that write at the same time.
const WRITERS: u64 = 4;

/// The number of documents that each of them writes in turn.
const KEYS: u64 = 20;

/// The longest time until the child reports the next write.
const REPORT_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn tests() -> Vec<Trial> {
    vec![Trial::test(
        "crash::acknowledged_writes_survive_kill_9",
        || {
            acknowledged_writes_survive_kill_9();
            Ok(())
        },
    )]
}

/// Returns `true` in the child process.
pub(crate) fn is_child() -> bool {
    std::env::args().nth(1).as_deref() == Some(CHILD_ARGUMENT)
}

/// Starts an engine and writes documents, reporting each acknowledged one on standard output.
pub(crate) fn write_until_killed() -> ! {
    let folder = std::env::args().nth(2).unwrap();
    let engine = start_engine(Path::new(&folder));
    for writer in 0..WRITERS {
        let client = log_in(&engine);
        std::thread::spawn(move || write(client, writer));
    }
    // Standard input ends with the parent, so that the child does not outlive a parent that panics.
    let _ = std::io::stdin().read(&mut [0]);
    std::process::exit(1)
}

fn write(mut client: Client, writer: u64) {
    for round in 0.. {
        let key = format!("{writer}-{}", round % KEYS);
        let file = json!({"$reql_type$": "BINARY", "data": STANDARD.encode(contents(round))});
        let document = json!({"id": key, "round": round, "file": file});
        let answer = client.ask(json!([56, [table(), document], {"conflict": "replace"}]));
        assert_eq!(answer["r"][0]["errors"], 0, "{answer}");
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{key} {round}\n").as_bytes())
            .unwrap();
        out.flush().unwrap();
    }
}

fn acknowledged_writes_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start_engine(folder.path());
    let mut client = log_in(&engine);
    client.ask(json!([57, ["golden"]]));
    assert_eq!(client.ask(json!([60, [[14, ["golden"]], "t"]]))["t"], 1);
    drop((client, engine));
    for run in 1..=4 {
        let acknowledged = run_and_kill(folder.path(), 60 * run);
        let engine = start_engine(folder.path());
        let mut client = log_in(&engine);
        for (key, round) in acknowledged {
            check(&mut client, &key, round);
        }
    }
}

/// Runs the child until it has reported `count` writes. Returns the last reported round of each key.
fn run_and_kill(folder: &Path, count: usize) -> HashMap<String, u64> {
    let mut child = ChildProcess::start(folder);
    let mut acknowledged = HashMap::new();
    for _ in 0..count {
        let line = child.lines.recv_timeout(REPORT_TIMEOUT);
        let (key, round) = line.expect("the child reports a write");
        acknowledged.insert(key, round);
    }
    child.process.kill().unwrap();
    child.process.wait().unwrap();
    // Reports that were on their way count too. The channel ends with the child's output.
    acknowledged.extend(child.lines.iter());
    acknowledged
}

fn check(client: &mut Client, key: &str, acknowledged: u64) {
    let document = client.ask(json!([16, [table(), key]]))["r"][0].take();
    let round = document["round"].as_u64().unwrap();
    // The next write of the same key may have been committed before its report was sent.
    assert!(
        round == acknowledged || round == acknowledged + KEYS,
        "{key}: round {acknowledged} was acknowledged, round {round} is stored"
    );
    let data: String = document["file"]["data"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .collect();
    assert!(
        STANDARD.decode(data).unwrap() == contents(round),
        "{key}: the binary of round {round} is damaged"
    );
}

/// The child and its reports, as key and round.
struct ChildProcess {
    process: Child,
    lines: Receiver<(String, u64)>,
}

impl ChildProcess {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD_ARGUMENT)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The child writes each line at once, so that a kill does not cut one off.
            for line in output.lines().map_while(Result::ok) {
                let (key, round) = line.split_once(' ').unwrap();
                let _ = sender.send((key.to_owned(), round.parse().unwrap()));
            }
        });
        Self { process, lines }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn start_engine(folder: &Path) -> Engine {
    Engine::start(EngineSettings {
        data_dir: folder.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        password: None,
    })
    .unwrap()
}

fn log_in(engine: &Engine) -> Client {
    Client::log_in(engine.address(), engine.password()).unwrap()
}

fn table() -> Value {
    json!([15, [[14, ["golden"]], "t"]])
}

/// The binary of a round: 100 bytes to 70 kB, kept in the document or as a blob of several chunks.
fn contents(round: u64) -> Vec<u8> {
    let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..100 + (round * 7919) % 70_000).map(next).collect()
}
