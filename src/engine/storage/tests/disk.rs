//! A simulated disk in memory that fails on request, fills up, and loses unsynced writes in a power cut.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};

use redb::{Builder, Database, DatabaseError, StorageBackend};

use super::super::medium::Medium;

const BLOCK: u64 = 4096;

/// A simulated disk. Clones share its state.
#[derive(Clone, Default)]
pub(super) struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    /// The contents that reads see.
    cache: Vec<u8>,
    /// The contents that survive a power cut.
    platter: Vec<u8>,
    /// The changes of the cache that are not on the platter yet.
    unsynced: Vec<Step>,
    /// The blocks that use space. Extending the file uses none, as in a sparse file.
    blocks: HashSet<u64>,
    /// The most blocks that fit; `None` is unlimited.
    capacity: Option<usize>,
    /// The number of writes and syncs that still succeed; `None` is unlimited.
    remaining: Option<u64>,
    /// The blocks that are kept back, and the most of them.
    reserved: usize,
    reserve: usize,
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

    fn with<T>(&self, act: impl FnOnce(&mut DiskState) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    /// Lets all writes and syncs fail after the next `count`.
    pub(super) fn fail_after(&self, count: u64) {
        self.with(|state| state.remaining = Some(count));
    }

    /// Lets syncs fail. Each failed sync loses some of the unsynced writes, as on Linux, where a later fsync does not
    /// write them again.
    pub(super) fn fail_syncs(&self, failing: bool) {
        self.with(|state| state.failing_syncs = failing);
    }

    pub(super) fn fail_reads(&self, failing: bool) {
        self.with(|state| state.failing_reads = failing);
    }

    pub(super) fn fail_opens(&self, failing: bool) {
        self.with(|state| state.failing_opens = failing);
    }

    /// Ends all failures.
    pub(super) fn heal(&self) {
        self.with(|state| {
            state.remaining = None;
            state.capacity = None;
            state.failing_syncs = false;
            state.failing_reads = false;
            state.failing_opens = false;
        });
    }

    /// Leaves space for `more` bytes.
    pub(super) fn fill_up(&self, more: usize) {
        self.with(|state| {
            let used = state.blocks.len() + state.reserved;
            state.capacity = Some(used + more / BLOCK as usize);
        });
    }

    /// Lets the storage keep `bytes` back.
    pub(super) fn keep_reserve(&self, bytes: usize) {
        self.with(|state| state.reserve = bytes / BLOCK as usize);
    }

    /// Returns `true` once the space is kept back.
    pub(super) fn has_reserve(&self) -> bool {
        self.with(|state| state.reserved > 0)
    }

    /// Returns `true` once writes fail because of [`Disk::fail_after`].
    pub(super) fn has_failed(&self) -> bool {
        self.with(|state| state.remaining == Some(0))
    }

    /// The disk as after a power cut at this moment. Each unsynced write is kept or lost at random.
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
            Self(Arc::new(Mutex::new(DiskState {
                cache: platter.clone(),
                platter,
                blocks,
                random,
                ..DiskState::default()
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
            assert_eq!(state.open, 0, "the file was opened twice");
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
            .create_with_backend(DiskBackend(self.0.clone()))
    }

    fn grow_reserve(&self, was_full: bool) -> io::Result<bool> {
        self.0.with(|state| {
            let wanted = state.reserve * if was_full { 2 } else { 1 };
            let used = state.blocks.len() + wanted;
            if state.capacity.is_some_and(|capacity| used > capacity) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.reserved = state.reserve;
            Ok(true)
        })
    }

    fn release_reserve(&self) -> bool {
        self.0.with(|state| std::mem::take(&mut state.reserved) > 0)
    }
}

struct DiskBackend(Disk);

impl std::fmt::Debug for DiskBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Disk")
    }
}

impl StorageBackend for DiskBackend {
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
            // Taken even if the sync fails: see `fail_syncs`.
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
                .capacity
                .is_some_and(|capacity| state.blocks.len() + state.reserved + more > capacity)
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

impl DiskState {
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.remaining {
            Some(0) => Err(failure()),
            Some(remaining) => {
                *remaining -= 1;
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
    io::Error::other("injected failure")
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
