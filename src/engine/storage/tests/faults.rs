//! Disks that fail, fill up and come back.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::time::Duration;

use super::super::writer::Pace;
use super::disk::Disk;
use super::*;

/// A storage on a disk that can fail.
struct Faulty {
    disk: Disk,
    storage: Storage,
    commits: Arc<Mutex<Vec<Commit>>>,
    table: TableId,
}

const PACE: Pace = Pace {
    soft_delay: Duration::from_millis(20),
    first_pause: Duration::from_millis(1),
    last_pause: Duration::from_millis(4),
};

fn open_disk(disk: &Disk, pace: Pace) -> (Storage, Arc<Mutex<Vec<Commit>>>) {
    let commits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&commits);
    let on_commit = Box::new(move |commit| log.lock().unwrap().push(commit));
    let storage = Storage::open_on(Path::new("."), disk.medium(), on_commit, pace).unwrap();
    (storage, commits)
}

impl Faulty {
    async fn new(seed: u64) -> Self {
        Self::with_pace(seed, PACE).await
    }

    async fn with_pace(seed: u64, pace: Pace) -> Self {
        let disk = Disk::new(seed);
        let (storage, commits) = open_disk(&disk, pace);
        let table = create_table(&storage).await;
        Self {
            disk,
            storage,
            commits,
            table,
        }
    }

    async fn put(&self, durability: Durability, key: &str, datum: Datum) -> Result<(), ReqlError> {
        put(&self.storage, self.table, durability, key, datum).await
    }

    /// Writes until it works again.
    async fn put_at_last(&self, durability: Durability, key: &str, datum: Datum) {
        while self.put(durability, key, datum.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What the commits that were reported add up to.
    fn model(&self) -> Contents {
        let commits = self.commits.lock().unwrap();
        let mut model = BTreeMap::new();
        for (commit, seq) in commits.iter().zip(commits[0].seq..) {
            assert_eq!(commit.seq, seq, "a commit is missing or was reported twice");
            for change in &commit.changes {
                match &change.new {
                    Some(datum) => model.insert(change.key.clone(), digest(datum)),
                    None => model.remove(&change.key),
                };
            }
        }
        model
    }
}

/// The number in a document, and the length and the hash of its picture.
type Contents = BTreeMap<Vec<u8>, (f64, usize, u64)>;

fn digest(datum: &Datum) -> (f64, usize, u64) {
    let bytes = file(datum).0;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (n(datum), bytes.len(), hasher.finish())
}

fn contents(storage: &Storage, table: TableId) -> Contents {
    let snapshot = storage.snapshot().unwrap();
    let scan = snapshot
        .scan(
            table,
            Bound::Unbounded,
            Bound::Unbounded,
            Direction::Ascending,
        )
        .unwrap();
    scan.map(|entry| entry.map(|(key, datum)| (key, digest(&datum))).unwrap())
        .collect()
}

fn picture(number: u64, size: usize) -> Datum {
    object([
        ("n", super::number(number as f64)),
        ("file", binary(noise(size, number))),
    ])
}

#[tokio::test]
async fn writing_goes_on_when_a_full_disk_has_room_again() {
    let it = Faulty::new(1).await;
    it.put(Durability::Hard, "first", picture(0, 5000))
        .await
        .unwrap();
    it.put(Durability::Soft, "soft", picture(1, 50))
        .await
        .unwrap();
    it.disk.fill_up(3_000_000);
    let mut kept = 0;
    let error = loop {
        match it
            .put(Durability::Hard, &format!("{kept}"), picture(kept, 100_000))
            .await
        {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(
        error,
        ReqlError::op_failed("The disk that holds the database is full.")
    );
    assert!(kept > 3, "only {kept} pictures fitted");

    // Reading goes on, with all that was acknowledged.
    let expected = contents(&it.storage, it.table);
    assert_eq!(expected.len() as u64, kept + 2);
    assert_eq!(expected, it.model());
    for _ in 0..20 {
        it.put(Durability::Hard, "more", picture(9, 100_000))
            .await
            .unwrap_err();
    }
    assert_eq!(contents(&it.storage, it.table), expected);

    it.disk.heal();
    it.put_at_last(Durability::Hard, "more", picture(9, 100_000))
        .await;
    assert_eq!(contents(&it.storage, it.table).len() as u64, kept + 3);
    assert_eq!(contents(&it.storage, it.table), it.model());
}

#[tokio::test]
async fn a_full_disk_is_not_tried_at_every_write() {
    let slow = Pace {
        first_pause: Duration::from_secs(3600),
        last_pause: Duration::from_secs(3600),
        ..PACE
    };
    let it = Faulty::with_pace(1, slow).await;
    it.disk.fail_after(0);
    it.put(Durability::Hard, "a", picture(0, 50))
        .await
        .unwrap_err();
    let reopened = it.storage.stats().reopened;
    let snapshot = it.storage.snapshot();
    it.disk.heal();
    for _ in 0..10 {
        it.put(Durability::Hard, "a", picture(0, 50))
            .await
            .unwrap_err();
    }
    assert_eq!(it.storage.stats().reopened, reopened);
    drop(snapshot);
    // Closing does not wait for the pause.
    it.storage.close();
    assert_eq!(
        it.storage.snapshot().err().unwrap().message,
        "The database is shutting down."
    );
}

#[tokio::test]
async fn soft_writes_outlive_a_failure_of_the_disk() {
    let pace = Pace {
        soft_delay: Duration::from_millis(200),
        ..PACE
    };
    let it = Faulty::with_pace(2, pace).await;
    it.put(Durability::Hard, "a", picture(1, 5000))
        .await
        .unwrap();
    let before = it.storage.stats().durable_seq;
    it.disk.fail_syncs(true);
    it.put(Durability::Soft, "a", picture(2, 6000))
        .await
        .unwrap();
    it.put(Durability::Soft, "b", picture(3, 7000))
        .await
        .unwrap();
    // Until the writer has met the failing disk on its own.
    while it.storage.stats().reopened < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(it.storage.stats().durable_seq, before);
    it.disk.heal();
    while it.storage.stats().durable_seq == before {
        tokio::task::yield_now().await;
    }
    let expected = it.model();
    assert_eq!((expected[&b"a"[..]].0, expected[&b"b"[..]].0), (2.0, 3.0));
    assert_eq!(contents(&it.storage, it.table), expected);
    let disk = it.disk.after_power_cut();
    let (storage, _) = open_disk(&disk, PACE);
    assert_eq!(contents(&storage, it.table), expected);
}

#[tokio::test]
async fn a_failing_read_is_recovered_from() {
    let it = Faulty::new(3).await;
    for number in 0..40 {
        it.put(
            Durability::Hard,
            &format!("{number}"),
            picture(number, 100_000),
        )
        .await
        .unwrap();
    }
    let snapshot = it.storage.snapshot().unwrap();
    let read = |snapshot: &Arc<Snapshot>, number: u64| {
        let datum = snapshot
            .get(it.table, number.to_string().as_bytes())?
            .unwrap();
        let Datum::Binary(binary) = field(&datum, "file") else {
            panic!()
        };
        binary.bytes()
    };
    it.disk.fail_reads(true);
    let error = (0..40)
        .find_map(|number| read(&snapshot, number).err())
        .unwrap();
    assert_eq!(
        error.message,
        "The disk that holds the database failed: as the test wants it."
    );
    it.disk.heal();
    let again = loop {
        match it
            .storage
            .snapshot()
            .and_then(|snapshot| read(&snapshot, 7))
        {
            Ok(bytes) => break bytes,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(again, noise(100_000, 7));
    it.put_at_last(Durability::Hard, "new", picture(1, 1)).await;
    assert_eq!(it.model(), contents(&it.storage, it.table));
}

#[tokio::test]
async fn what_became_of_a_write_is_found_out_or_said_to_be_unknown() {
    // Each round lets one write or sync more succeed, so that the commit fails at another step each time.
    let (mut failed, mut unknown, mut unknown_and_there) = (0, 0, 0);
    for steps in 0.. {
        let it = Faulty::new(steps).await;
        it.disk.fail_after(steps);
        it.disk.fail_opens(steps % 2 == 0);
        let result = it.put(Durability::Hard, "a", picture(1, 9000)).await;
        if !it.disk.has_failed() {
            assert!(result.is_ok());
            break;
        }
        it.disk.heal();
        it.put_at_last(Durability::Hard, "b", picture(2, 50)).await;
        let there = contents(&it.storage, it.table).contains_key(&b"a"[..]);
        match result.map_err(|error| error.kind) {
            Ok(()) => assert!(there, "lost after {steps} steps"),
            Err(ErrorKind::OpFailed) => {
                failed += 1;
                assert!(!there, "there after {steps} steps, though it failed");
            }
            Err(ErrorKind::OpIndeterminate) => {
                unknown += 1;
                unknown_and_there += i32::from(there);
            }
            Err(other) => panic!("{other:?} after {steps} steps"),
        }
        assert_eq!(
            contents(&it.storage, it.table),
            it.model(),
            "after {steps} steps"
        );
        let (storage, _) = open_disk(&it.disk.after_power_cut(), PACE);
        assert_eq!(
            contents(&storage, it.table),
            it.model(),
            "power cut after {steps} steps"
        );
    }
    assert!(
        failed > 0 && unknown > 0 && unknown_and_there > 0,
        "{failed} {unknown} {unknown_and_there}"
    );
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_whatever_happens() {
    let seeds = std::env::var("STORM_SEEDS").map_or(10, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        storm(seed).await;
    }
}

/// Random writes and random faults; at the end the power goes.
async fn storm(seed: u64) {
    let it = Faulty::new(seed).await;
    let dice = noise(600, seed);
    let mut hard: BTreeMap<String, u64> = BTreeMap::new();
    let mut doubtful = Vec::new();
    for (step, dice) in dice.chunks(3).enumerate() {
        match dice[0] {
            0..20 => it.disk.fail_after(u64::from(dice[1] % 40)),
            20..30 => it.disk.fail_syncs(true),
            30..40 => it.disk.fill_up(usize::from(dice[1]) * 1000),
            40..45 => it.disk.fail_opens(true),
            45..50 => it.disk.fail_reads(true),
            50..120 => it.disk.heal(),
            _ => {}
        }
        let key = (dice[1] % 10).to_string();
        let durability = if dice[2] % 2 == 0 {
            Durability::Hard
        } else {
            Durability::Soft
        };
        let number = step as u64;
        let write = it
            .put(
                durability,
                &key,
                picture(number, usize::from(dice[2]) * 100),
            )
            .await;
        match write.map_err(|error| error.kind) {
            Ok(()) if durability == Durability::Hard => drop(hard.insert(key, number)),
            // A hard write after this one, to whatever key, brings it to the disk as well.
            Ok(()) => doubtful.push(key),
            Err(ErrorKind::OpIndeterminate) => doubtful.push(key),
            Err(_) => {}
        }
    }
    let cut = it.disk.after_power_cut();
    it.disk.heal();
    it.put_at_last(Durability::Hard, "end", picture(0, 1)).await;
    assert_eq!(contents(&it.storage, it.table), it.model(), "seed {seed}");

    let (storage, _) = open_disk(&cut, PACE);
    let left = contents(&storage, it.table);
    for (key, number) in &hard {
        let found = left.get(key.as_bytes()).map(|(number, ..)| *number as u64);
        let fine = found == Some(*number) || (doubtful.contains(key) && found > Some(*number));
        assert!(
            fine,
            "seed {seed}: key {key} should be {number} and is {found:?}"
        );
    }
}
