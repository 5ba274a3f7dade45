//! Disks that fail, fill up and recover.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Bound;
use std::time::Duration;

use super::super::writer::WriterTiming;
use super::disk::Disk;
use super::*;

/// A storage on a simulated disk.
pub(super) struct FaultyStorage {
    pub(super) disk: Disk,
    pub(super) storage: Storage,
    pub(super) commits: Arc<Mutex<Vec<Commit>>>,
    pub(super) table: TableId,
}

pub(super) const TIMING: WriterTiming = WriterTiming {
    soft_delay: Duration::from_millis(20),
    first_pause: Duration::from_millis(1),
    max_pause: Duration::from_millis(4),
    reserve_delay: Duration::ZERO,
    reserve_step: Duration::ZERO,
    reserve_retry: Duration::from_millis(5),
    compaction_delay: Duration::from_millis(5),
};

pub(super) fn open_disk(disk: &Disk, timing: WriterTiming) -> (Storage, Arc<Mutex<Vec<Commit>>>) {
    let commits = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&commits);
    let on_commit = Box::new(move |commit| log.lock().unwrap().push(commit));
    let storage =
        Storage::open_on(Path::new("."), disk.medium(), by_field(), on_commit, timing).unwrap();
    (storage, commits)
}

impl FaultyStorage {
    pub(super) async fn new(seed: u64) -> Self {
        Self::with_timing(seed, TIMING).await
    }

    pub(super) async fn with_timing(seed: u64, timing: WriterTiming) -> Self {
        let disk = Disk::new(seed);
        let (storage, commits) = open_disk(&disk, timing);
        let table = create_table(&storage).await;
        Self {
            disk,
            storage,
            commits,
            table,
        }
    }

    pub(super) async fn put(
        &self,
        durability: Durability,
        key: &str,
        datum: Datum,
    ) -> Result<(), ReqlError> {
        put(&self.storage, self.table, durability, key, datum).await
    }

    /// Repeats a write until it succeeds.
    pub(super) async fn put_eventually(&self, durability: Durability, key: &str, datum: Datum) {
        eventually("a write that succeeds", async || {
            self.put(durability, key, datum.clone()).await.ok()
        })
        .await;
    }

    /// The contents that the reported commits add up to.
    pub(super) fn model(&self) -> Contents {
        let commits = self.commits.lock().unwrap();
        let mut model = BTreeMap::new();
        for (commit, seq) in commits.iter().zip(commits[0].seq..) {
            assert_eq!(
                commit.seq, seq,
                "a commit was not reported, or reported twice"
            );
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

/// By key: the number in the document, and the length and hash of its binary.
pub(super) type Contents = BTreeMap<Vec<u8>, (f64, usize, u64)>;

fn digest(datum: &Datum) -> (f64, usize, u64) {
    let bytes = file(datum).0;
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    (n(datum), bytes.len(), hasher.finish())
}

pub(super) fn contents(storage: &Storage, table: TableId) -> Contents {
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

pub(super) fn image(number: u64, size: usize) -> Datum {
    object([
        ("n", super::number(number as f64)),
        ("file", binary(noise(size, number))),
    ])
}

#[tokio::test]
async fn a_failing_disk_is_reported_until_it_works() {
    let it = FaultyStorage::new(1).await;
    assert_eq!(it.storage.disk(), DiskState::Works);
    it.disk.fail_after(0);
    it.put(Durability::Hard, "a", image(1, 50))
        .await
        .unwrap_err();
    let message = "The disk that holds the database failed: injected failure.";
    assert_eq!(it.storage.disk(), DiskState::Failed(message.to_owned()));
    it.disk.heal();
    it.put_eventually(Durability::Hard, "a", image(1, 50)).await;
    assert_eq!(it.storage.disk(), DiskState::Works);
}

#[tokio::test]
async fn writes_during_the_pause_do_not_touch_the_disk() {
    let slow = WriterTiming {
        first_pause: Duration::from_secs(3600),
        max_pause: Duration::from_secs(3600),
        ..TIMING
    };
    let it = FaultyStorage::with_timing(1, slow).await;
    it.disk.fail_after(0);
    it.put(Durability::Hard, "a", image(0, 50))
        .await
        .unwrap_err();
    let reopened = it.storage.stats().reopened;
    let snapshot = it.storage.snapshot();
    it.disk.heal();
    for _ in 0..10 {
        it.put(Durability::Hard, "a", image(0, 50))
            .await
            .unwrap_err();
    }
    assert_eq!(it.storage.stats().reopened, reopened);
    drop(snapshot);
    // Closing does not wait for the pause of an hour.
    it.storage.close();
    assert_eq!(
        it.storage.snapshot().err().unwrap().message,
        "The database is shutting down."
    );
}

#[tokio::test]
async fn soft_writes_survive_a_failure_of_the_disk() {
    let it = FaultyStorage::new(2).await;
    it.put(Durability::Hard, "a", image(1, 5000)).await.unwrap();
    let before = it.storage.stats().durable_seq;
    // In one group: otherwise the writer could sync the first write, and fail, before the second one.
    let (release, first) = occupy_writer(&it.storage).await;
    let mut writes = [
        Box::pin(put(
            &it.storage,
            it.table,
            Durability::Soft,
            "a",
            image(2, 6000),
        )),
        Box::pin(put(
            &it.storage,
            it.table,
            Durability::Soft,
            "b",
            image(3, 7000),
        )),
    ];
    for write in &mut writes {
        enqueue(write).await;
    }
    it.disk.fail_syncs(true);
    drop(release);
    first.await.unwrap();
    for write in writes {
        write.await.unwrap();
    }
    eventually("three attempts to sync", async || {
        (it.storage.stats().reopened >= 3).then_some(())
    })
    .await;
    assert_eq!(it.storage.stats().durable_seq, before);
    it.disk.heal();
    eventually("the soft writes on disk", async || {
        (it.storage.stats().durable_seq > before).then_some(())
    })
    .await;
    let expected = it.model();
    assert_eq!((expected[&b"a"[..]].0, expected[&b"b"[..]].0), (2.0, 3.0));
    assert_eq!(contents(&it.storage, it.table), expected);
    let disk = it.disk.after_power_cut();
    let (storage, _) = open_disk(&disk, TIMING);
    assert_eq!(contents(&storage, it.table), expected);
}

#[tokio::test]
async fn the_storage_recovers_from_a_failed_read() {
    let it = FaultyStorage::new(3).await;
    for number in 0..40 {
        it.put(
            Durability::Hard,
            &format!("{number}"),
            image(number, 100_000),
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
        "The disk that holds the database failed: injected failure."
    );
    it.disk.heal();
    let bytes = eventually("a read that succeeds", async || {
        let snapshot = it.storage.snapshot().ok()?;
        read(&snapshot, 7).ok()
    })
    .await;
    assert_eq!(bytes, noise(100_000, 7));
    it.put_eventually(Durability::Hard, "new", image(1, 1))
        .await;
    assert_eq!(it.model(), contents(&it.storage, it.table));
}

#[tokio::test]
async fn a_failed_write_is_reported_as_failed_or_as_indeterminate() {
    // Each round lets one more write or sync succeed, so the commit fails at each of its steps in turn.
    let (mut failed, mut unknown, mut unknown_and_stored) = (0, 0, 0);
    for steps in 0.. {
        assert!(steps < 1000, "the commit never succeeds");
        let it = FaultyStorage::new(steps).await;
        it.disk.fail_after(steps);
        // Without reopening the file, the outcome of a failed commit stays unknown.
        it.disk.fail_opens(steps % 2 == 0);
        let result = it.put(Durability::Hard, "a", image(1, 9000)).await;
        if !it.disk.has_failed() {
            assert!(result.is_ok());
            break;
        }
        it.disk.heal();
        it.put_eventually(Durability::Hard, "b", image(2, 50)).await;
        let stored = contents(&it.storage, it.table).contains_key(&b"a"[..]);
        match result.map_err(|error| error.kind) {
            Ok(()) => assert!(stored, "lost after {steps} steps"),
            Err(ErrorKind::OpFailed) => {
                failed += 1;
                assert!(
                    !stored,
                    "stored after {steps} steps, but reported as failed"
                );
            }
            Err(ErrorKind::OpIndeterminate) => {
                unknown += 1;
                unknown_and_stored += i32::from(stored);
            }
            Err(other) => panic!("{other:?} after {steps} steps"),
        }
        assert_eq!(
            contents(&it.storage, it.table),
            it.model(),
            "after {steps} steps"
        );
        let (storage, _) = open_disk(&it.disk.after_power_cut(), TIMING);
        assert_eq!(
            contents(&storage, it.table),
            it.model(),
            "power cut after {steps} steps"
        );
    }
    assert!(
        failed > 0 && unknown > 0 && unknown_and_stored > 0,
        "{failed} {unknown} {unknown_and_stored}"
    );
}

#[tokio::test]
async fn no_acknowledged_write_is_lost_in_random_failures() {
    // More seeds for a long run by hand.
    let seeds = std::env::var("STORM_SEEDS").map_or(10, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        storm(seed).await;
    }
}

/// Random writes and random failures, and a power cut at the end.
async fn storm(seed: u64) {
    let it = FaultyStorage::new(seed).await;
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
            .put(durability, &key, image(number, usize::from(dice[2]) * 100))
            .await;
        match write.map_err(|error| error.kind) {
            Ok(()) if durability == Durability::Hard => drop(hard.insert(key, number)),
            // A soft write is on disk only after a later sync.
            Ok(()) => doubtful.push(key),
            Err(ErrorKind::OpIndeterminate) => doubtful.push(key),
            Err(_) => {}
        }
    }
    // The cut comes before the disk heals, so it hits whatever failure is active.
    let cut = it.disk.after_power_cut();
    it.disk.heal();
    it.put_eventually(Durability::Hard, "end", image(0, 1))
        .await;
    assert_eq!(contents(&it.storage, it.table), it.model(), "seed {seed}");

    let (storage, _) = open_disk(&cut, TIMING);
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
