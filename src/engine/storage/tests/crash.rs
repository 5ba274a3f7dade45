//! Processes that are killed. The test binary starts itself again as the process to be killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

const FOLDER: &str = "STORAGE_CRASH_FOLDER";

/// Starts the test `name` of this module again as a process of its own, with its output to read.
fn start(name: &str, folder: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            &format!("engine::storage::tests::crash::{name}"),
            "--exact",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines.map_while(Result::ok))
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The storage in the folder that the parent process chose, if there is one.
fn opened() -> Option<Storage> {
    let folder = std::env::var(FOLDER).ok()?;
    Some(Storage::open(Path::new(&folder), Box::new(|_| {})).unwrap())
}

fn table(storage: &Storage) -> TableId {
    storage.snapshot().unwrap().catalog().tables()[0].id
}

/// One line, at once.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n#{text}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The process to be killed; without a folder to write to it has nothing to do.
#[tokio::test]
async fn writes_until_killed() {
    let Some(storage) = opened() else { return };
    let table = table(&storage);
    let writers = (0..4).map(|writer: u64| {
        let storage = storage.clone();
        tokio::spawn(async move {
            for round in 0.. {
                let number = number((writer * 1_000_000 + round) as f64);
                let picture = binary(noise(100 + (round as usize * 7919) % 70_000, round));
                let datum = object([("n", number), ("file", picture)]);
                let key = format!("{writer}-{}", round % 20);
                put(&storage, table, Durability::Hard, &key, datum)
                    .await
                    .unwrap();
                say(&format!("{key} {round}"));
            }
        })
    });
    futures::future::join_all(writers).await;
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9_in_the_midst_of_writing() {
    let it = Fixture::new().await;
    let Fixture {
        folder,
        storage,
        table,
        ..
    } = it;
    drop(storage);
    let mut acknowledged = HashMap::new();
    for lives in 1..=4 {
        let (child, lines) = start("writes_until_killed", folder.path());
        let said = lines.filter_map(|line| {
            let (key, round) = line.strip_prefix('#')?.split_once(' ')?;
            Some((key.to_owned(), round.parse::<u64>().unwrap()))
        });
        let mut said = said.map(|(key, round)| acknowledged.insert(key, round));
        assert!(
            said.by_ref().take(60 * lives).count() == 60 * lives,
            "the child ended on its own"
        );
        kill(child);
        said.for_each(drop);

        let (storage, _) = open(&folder);
        let snapshot = storage.snapshot().unwrap();
        for (key, round) in &acknowledged {
            let datum = snapshot.get(table, key.as_bytes()).unwrap().unwrap();
            let found = n(&datum) as u64 % 1_000_000;
            // The one that was on its way may be there too.
            assert!(
                found == *round || found % 20 == round % 20 && found == round + 20,
                "{key}: {round} and {found}"
            );
            assert_eq!(
                file(&datum).0,
                noise(100 + (found as usize * 7919) % 70_000, found)
            );
        }
        acknowledged.clear();
    }
}

/// The process to be killed; without a folder to write to it has nothing to do.
#[tokio::test]
async fn writes_softly() {
    let Some(storage) = opened() else { return };
    let table = table(&storage);
    put(
        &storage,
        table,
        Durability::Soft,
        "a",
        object([("n", number(1.0))]),
    )
    .await
    .unwrap();
    let start = Instant::now();
    let seq = storage.snapshot().unwrap().seq();
    assert!(storage.stats().durable_seq < seq, "the write was not soft");
    while storage.stats().durable_seq < seq {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    say(&format!("durable {}", start.elapsed().as_millis()));
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn soft_writes_are_on_disk_within_a_second_when_nothing_else_comes() {
    let it = Fixture::new().await;
    let Fixture {
        folder,
        storage,
        table,
        ..
    } = it;
    drop(storage);
    let (child, mut lines) = start("writes_softly", folder.path());
    let took = lines.find_map(|line| line.strip_prefix("#durable ")?.parse::<u64>().ok());
    kill(child);
    assert!(took.unwrap() < 1000, "it took {took:?} ms");
    let (storage, _) = open(&folder);
    assert!(
        storage
            .snapshot()
            .unwrap()
            .get(table, b"a")
            .unwrap()
            .is_some()
    );
}
