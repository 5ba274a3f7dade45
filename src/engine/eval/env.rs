//! The environment of an evaluation: the database, the global arguments and the limits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use regex::Regex;

use super::pattern;
use crate::engine::changefeed::Hub;
use crate::engine::datum::{Datum, Time};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::{Batch, Durability, Snapshot, Storage};

/// The most items of an array that is stored, and by default of any other (RethinkDB's default `array_limit`).
pub(crate) const ARRAY_LIMIT: usize = 100_000;

/// The size of JSON in bytes from which a batch is full (RethinkDB's default `max_batch_bytes`). A batch holds at least
/// one element.
pub(super) const BATCH_BYTES: usize = 1024 * 1024;

/// The most elements that functions may examine for one write or for one change of a feed. Both run on the storage's
/// writer thread, where they delay all other writes.
const MAX_WRITER_ELEMENTS: u32 = 1_000_000;

/// The most regular expressions that a query keeps compiled.
const MAX_REGEXES: usize = 8;

/// The parts of the engine that all queries share.
pub(crate) struct Context {
    pub(crate) storage: Storage,
    pub(crate) hub: Hub,
    /// The server's id. It is different in each run.
    pub(crate) server_id: Arc<str>,
    pub(crate) server_name: Arc<str>,
}

impl Context {
    pub(crate) fn new(storage: Storage, hub: Hub) -> Self {
        Self {
            storage,
            hub,
            server_id: uuid::Uuid::new_v4().to_string().into(),
            server_name: "realtime_photo".into(),
        }
    }
}

/// The evaluated global optional arguments of a query.
pub(crate) type Globals = Arc<[(Arc<str>, Datum)]>;

/// The environment of one evaluation. It is used by one thread, which may block on the disk.
pub(crate) struct Env {
    context: Option<Arc<Context>>,
    globals: Globals,
    array_limit: usize,
    now: Time,
    interrupted: Arc<AtomicBool>,
    snapshot: RefCell<Option<Arc<Snapshot>>>,
    /// The regular expressions that the query used last, because a filter compiles the same one for each element.
    regexes: RefCell<VecDeque<(Arc<str>, Arc<Regex>)>>,
    /// The number of elements that may still be examined on the writer thread; `None` on other threads, without a
    /// limit.
    elements_left: Option<Cell<u32>>,
}

impl Env {
    /// The environment of a query. Setting `interrupted` aborts the evaluation.
    pub(crate) fn new(
        context: Arc<Context>,
        globals: Globals,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        Self {
            context: Some(context),
            array_limit: array_limit_of(&globals).unwrap_or(ARRAY_LIMIT),
            globals,
            now: current_time(),
            interrupted,
            snapshot: RefCell::new(None),
            regexes: RefCell::default(),
            elements_left: None,
        }
    }

    /// An environment without a database, for functions of indexes.
    pub(crate) fn detached() -> Self {
        Self::detached_at(current_time())
    }

    /// An environment without a database, for the steps of feeds, with the time of their query.
    pub(crate) fn detached_at(now: Time) -> Self {
        Self {
            context: None,
            globals: Arc::from([]),
            array_limit: ARRAY_LIMIT,
            now,
            interrupted: Arc::default(),
            snapshot: RefCell::new(None),
            regexes: RefCell::default(),
            elements_left: Some(Cell::new(MAX_WRITER_ELEMENTS)),
        }
    }

    /// The value of `now`, the same throughout a query (golden: `now_is_one_time_in_a_query`).
    pub(super) fn now(&self) -> &Time {
        &self.now
    }

    /// A compiled regular expression.
    ///
    /// # Errors
    /// RethinkDB's error for one that RE2 does not accept.
    pub(super) fn regex(&self, source: &Arc<str>) -> Result<Arc<Regex>, ReqlError> {
        let mut regexes = self.regexes.borrow_mut();
        if let Some((_, regex)) = regexes.iter().find(|(known, _)| known == source) {
            return Ok(Arc::clone(regex));
        }
        let regex = Arc::new(pattern::compile(source)?);
        if regexes.len() == MAX_REGEXES {
            regexes.pop_back();
        }
        regexes.push_front((Arc::clone(source), Arc::clone(&regex)));
        Ok(regex)
    }

    /// A global optional argument.
    pub(super) fn global(&self, name: &str) -> Option<&Datum> {
        self.globals
            .iter()
            .find(|(other, _)| &**other == name)
            .map(|(_, value)| value)
    }

    /// The most items of an array: the global optional argument `array_limit`.
    pub(super) fn array_limit(&self) -> usize {
        self.array_limit
    }

    /// The database of tables named without one.
    pub(super) fn default_db(&self) -> Arc<str> {
        match self.global("db") {
            Some(Datum::String(name)) => name.clone(),
            _ => "test".into(),
        }
    }

    /// Counts an examined element.
    ///
    /// # Errors
    /// RethinkDB's error for an interrupted query, or an exhausted limit of elements.
    pub(super) fn check_interrupted(&self) -> Result<(), ReqlError> {
        if self.interrupted.load(Ordering::Relaxed) {
            let message = "Query terminated by an unknown cause.";
            return Err(ReqlError::new(ErrorKind::OpIndeterminate, message));
        }
        if let Some(elements_left) = &self.elements_left {
            let Some(left) = elements_left.get().checked_sub(1) else {
                let message =
                    format!("The function looks at more than {MAX_WRITER_ELEMENTS} elements.");
                return Err(ReqlError::new(ErrorKind::ResourceLimit, message));
            };
            elements_left.set(left);
        }
        Ok(())
    }

    /// The shared parts of the engine.
    ///
    /// # Errors
    /// A detached environment. Terms that need a database are rejected before they get here.
    pub(super) fn context(&self) -> Result<&Arc<Context>, ReqlError> {
        self.context.as_ref().ok_or_else(|| {
            let message = "the function of a feed uses the database";
            ReqlError::new(ErrorKind::Internal, message)
        })
    }

    /// The id and the name of the server; empty in a detached environment.
    pub(super) fn server(&self) -> (Arc<str>, Arc<str>) {
        self.context.as_ref().map_or_else(
            || ("".into(), "".into()),
            |context| (context.server_id.clone(), context.server_name.clone()),
        )
    }

    /// The database as the query sees it: it stays the same from the first read until the query's own next write.
    ///
    /// # Errors
    /// A failing disk.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        if let Some(snapshot) = &*self.snapshot.borrow() {
            return Ok(Arc::clone(snapshot));
        }
        self.fresh_snapshot()
    }

    /// The current state of the database. Later reads of the query see it, too.
    ///
    /// # Errors
    /// A failing disk.
    pub(super) fn fresh_snapshot(&self) -> Result<Arc<Snapshot>, ReqlError> {
        let snapshot = self.context()?.storage.snapshot()?;
        *self.snapshot.borrow_mut() = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Runs a write on the storage's writer thread. Blocks until it is as durable as required.
    ///
    /// # Errors
    /// The error of the operation, or a failing disk.
    pub(super) fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        operation: impl FnOnce(&Env, &mut Batch<'_>) -> Result<T, ReqlError> + Send + 'static,
    ) -> Result<T, ReqlError> {
        let context = self.context()?;
        let (shared, globals, now) = (
            Arc::clone(context),
            Arc::clone(&self.globals),
            self.now.clone(),
        );
        let interrupted = Arc::clone(&self.interrupted);
        let done = context.storage.write(durability, move |batch| {
            let env = Env {
                now,
                elements_left: Some(Cell::new(MAX_WRITER_ELEMENTS)),
                ..Env::new(shared, globals, interrupted)
            };
            operation(&env, batch)
        });
        let result = futures::executor::block_on(done);
        // The next read must see this write.
        *self.snapshot.borrow_mut() = None;
        result
    }

    /// Blocks until all earlier writes are on disk.
    ///
    /// # Errors
    /// A failing disk.
    pub(super) fn sync(&self) -> Result<(), ReqlError> {
        futures::executor::block_on(self.context()?.storage.sync())
    }
}

/// The value of `array_limit` in the global optional arguments.
///
/// # Errors
/// RethinkDB's error for anything but a positive whole number.
pub(super) fn array_limit_of(globals: &[(Arc<str>, Datum)]) -> Result<usize, ReqlError> {
    let Some((_, limit)) = globals.iter().find(|(name, _)| &**name == "array_limit") else {
        return Ok(ARRAY_LIMIT);
    };
    let limit = limit.as_integer()?;
    match usize::try_from(limit) {
        Ok(valid) if valid > 0 => Ok(valid),
        _ => Err(ReqlError::logic(format!(
            "Illegal array size limit `{limit}`.  (Must be >= 1.)"
        ))),
    }
}

fn current_time() -> Time {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Time::utc(since_epoch.as_secs_f64())
}
