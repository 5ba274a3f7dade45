//! A disk in memory that fails when told to, loses what was not synced when the power goes, and fills up.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::super::open::Medium;

const BLOCK: u64 = 4096;

/// The disk. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// What reads see: the system's cache.
    cache: Vec<u8>,
    /// What a power cut leaves.
    platter: Vec<u8>,
    /// What is in the cache and not on the platter.
    unsynced: Vec<Step>,
    /// The blocks that take room: a file that was only made longer takes none.
    blocks: HashSet<u64>,
    room: Option<usize>,
    /// After how many writes and syncs all of them fail.
    good_for: Option<u64>,
    failing_syncs: bool,
    failing_reads: bool,
    failing_opens: bool,
    random: u64,
    open: u32,
}

enum Step {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Disk {
    pub(super) fn new(seed: u64) -> Self {
        let disk = Self::default();
        disk.with(|state| state.random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        disk
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    /// All writes and syncs fail after the next `count`.
    pub(super) fn fail_after(&self, count: u64) {
        self.with(|state| state.good_for = Some(count));
    }

    /// Syncs fail, and each loses some of what was to be synced for good, as Linux does it.
    pub(super) fn fail_syncs(&self, failing: bool) {
        self.with(|state| state.failing_syncs = failing);
    }

    pub(super) fn fail_reads(&self, failing: bool) {
        self.with(|state| state.failing_reads = failing);
    }

    pub(super) fn fail_opens(&self, failing: bool) {
        self.with(|state| state.failing_opens = failing);
    }

    /// All is well again.
    pub(super) fn heal(&self) {
        self.with(|state| {
            state.good_for = None;
            state.room = None;
            state.failing_syncs = false;
            state.failing_reads = false;
            state.failing_opens = false;
        });
    }

    /// Leaves room for `more` bytes.
    pub(super) fn fill_up(&self, more: usize) {
        self.with(|state| state.room = Some(state.blocks.len() + more / BLOCK as usize));
    }

    /// Whether writes have begun to fail.
    pub(super) fn has_failed(&self) -> bool {
        self.with(|state| state.good_for == Some(0))
    }

    /// The disk after a power cut now: of what was not synced, some is there and some is not.
    pub(super) fn after_power_cut(&self) -> Self {
        self.with(|state| {
            let mut platter = state.platter.clone();
            for step in &state.unsynced {
                if toss(&mut state.random) {
                    apply(&mut platter, step);
                }
            }
            let blocks = (0..platter.len() as u64 / BLOCK + 1).collect();
            let random = next(&mut state.random);
            Self(Arc::new(Mutex::new(State {
                cache: platter.clone(),
                platter,
                blocks,
                random,
                ..State::default()
            })))
        })
    }

    pub(super) fn medium(&self) -> Box<dyn Medium> {
        Box::new(DiskMedium(self.clone()))
    }
}

struct DiskMedium(Disk);

impl Medium for DiskMedium {
    fn open(&self, create: bool) -> Result<Database, DatabaseError> {
        self.0.with(|state| {
            assert_eq!(state.open, 0, "opened while it was open");
            assert!(create || !state.cache.is_empty());
            if state.failing_opens {
                Err(failure())
            } else {
                state.open += 1;
                Ok(())
            }
        })?;
        Builder::new()
            .set_cache_size(1 << 20)
            .create_with_backend(Opened(self.0.clone()))
    }
}

struct Opened(Disk);

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

impl StorageBackend for Opened {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.with(|state| state.cache.len() as u64))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.with(|state| {
            let end = offset as usize + out.len();
            let bytes = state
                .cache
                .get(offset as usize..end)
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            if state.failing_reads {
                return Err(failure());
            }
            out.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.with(|state| {
            state.spend()?;
            state.blocks.retain(|block| block * BLOCK < len);
            state.step(Step::Length(len));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.with(|state| {
            let fails = state.spend().is_err() || state.failing_syncs;
            for step in std::mem::take(&mut state.unsynced) {
                if !fails || toss(&mut state.random) {
                    apply(&mut state.platter, &step);
                }
            }
            if fails { Err(failure()) } else { Ok(()) }
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.with(|state| {
            state.spend()?;
            let blocks = offset / BLOCK..(offset + data.len() as u64).div_ceil(BLOCK);
            let more = blocks
                .clone()
                .filter(|block| !state.blocks.contains(block))
                .count();
            if state
                .room
                .is_some_and(|room| state.blocks.len() + more > room)
                && more > 0
            {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.blocks.extend(blocks);
            state.step(Step::Write(offset, data.to_vec()));
            Ok(())
        })
    }

    fn close(&self) -> io::Result<()> {
        self.0.with(|state| state.open -= 1);
        Ok(())
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.good_for {
            Some(0) => Err(failure()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn step(&mut self, step: Step) {
        apply(&mut self.cache, &step);
        self.unsynced.push(step);
    }
}

fn apply(bytes: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Length(len) => bytes.resize(*len as usize, 0),
        Step::Write(offset, data) => {
            let end = *offset as usize + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset as usize..end].copy_from_slice(data);
        }
    }
}

fn failure() -> io::Error {
    io::Error::other("as the test wants it")
}

fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random >> 20
}

fn toss(random: &mut u64) -> bool {
    next(random).is_multiple_of(2)
}
