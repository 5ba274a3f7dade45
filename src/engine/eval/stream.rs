//! Sequences: where their elements come from, and what is done to each.

use std::collections::VecDeque;
use std::ops::Bound;

use bytes::Bytes;

use super::Env;
use super::feed::Feed;
use super::func::Func;
use super::index::IndexScan;
use super::scalar::check_length;
use super::step::Step;
use super::value::Table;
use crate::engine::datum::{Datum, primary_key};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::Direction;

/// How many bytes of JSON an answer holds before the rest has to wait for the next one; at least one element always
/// fits (RethinkDB's `max_batch_bytes`).
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// How many documents a scan reads at once.
const READ_AHEAD: usize = 64;

/// A sequence, read one element at a time.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) source: Source,
    /// What is done to each element of the source, in order.
    pub(crate) steps: Vec<Step>,
    /// The table whose documents these are, as long as they still are its documents.
    pub(crate) selection: Option<Table>,
    /// Whether clients are to see one array instead of a stream.
    pub(crate) is_array: bool,
}

/// Where elements come from.
#[derive(Debug)]
pub(crate) enum Source {
    Items(VecDeque<Datum>),
    Scan(Scan),
    Index(IndexScan),
    /// The documents with these keys, as far as they exist.
    Keys(Table, VecDeque<Vec<u8>>),
    /// Whole numbers from the first up to the second, which is left out.
    Range(f64, f64),
    Union(VecDeque<Stream>),
    Skip(Box<Stream>, usize),
    Limit(Box<Stream>, usize),
    ConcatMap(Box<Stream>, Func, VecDeque<Datum>),
    Feed(Box<Feed>),
}

/// The documents of a table between two keys, read in pieces so that an idle cursor holds no snapshot.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) table: Table,
    pub(crate) lower: Bound<Vec<u8>>,
    pub(crate) upper: Bound<Vec<u8>>,
    pub(crate) direction: Direction,
    /// Whether the query asked for the order of the keys.
    pub(crate) is_ordered: bool,
    ahead: VecDeque<(Vec<u8>, Datum)>,
    is_exhausted: bool,
}

impl Stream {
    /// All documents of a table.
    pub(crate) fn scan(table: Table) -> Self {
        Self::scan_between(table, Bound::Unbounded, Bound::Unbounded)
    }

    /// The documents of a table between two keys.
    pub(crate) fn scan_between(table: Table, lower: Bound<Vec<u8>>, upper: Bound<Vec<u8>>) -> Self {
        let scan = Scan {
            table: table.clone(),
            lower,
            upper,
            direction: Direction::Ascending,
            is_ordered: false,
            ahead: VecDeque::new(),
            is_exhausted: false,
        };
        Self {
            source: Source::Scan(scan),
            steps: Vec::new(),
            selection: Some(table),
            is_array: false,
        }
    }

    /// The documents of a table with the given keys.
    pub(crate) fn keys(table: Table, keys: Vec<Vec<u8>>) -> Self {
        Self::wrap(Source::Keys(table.clone(), keys.into()), Some(table), false)
    }

    /// The items of an array.
    pub(crate) fn array(items: Vec<Datum>) -> Self {
        Self {
            source: Source::Items(items.into()),
            steps: Vec::new(),
            selection: None,
            is_array: true,
        }
    }

    /// Items that clients see as a stream.
    pub(crate) fn items(items: Vec<Datum>) -> Self {
        Self {
            is_array: false,
            ..Self::array(items)
        }
    }

    /// A sequence made of others.
    pub(crate) fn wrap(source: Source, selection: Option<Table>, is_array: bool) -> Self {
        Self {
            source,
            steps: Vec::new(),
            selection,
            is_array,
        }
    }

    /// The sequence with one more step.
    pub(crate) fn then(mut self, step: Step) -> Self {
        if !step.keeps_selection() {
            self.selection = None;
        }
        self.steps.push(step);
        self
    }

    /// The name of the type, as `type_of` answers.
    pub(crate) fn type_name(&self) -> &'static str {
        match (self.is_array, self.selection.is_some()) {
            (true, true) => "SELECTION<ARRAY>",
            (true, false) => "ARRAY",
            (false, true) if matches!(self.source, Source::Scan(_)) && self.steps.is_empty() => {
                "TABLE_SLICE"
            }
            (false, true) => "SELECTION<STREAM>",
            (false, false) => "STREAM",
        }
    }

    /// The feed that the elements come from, if they never end.
    pub(crate) fn feed(&mut self) -> Option<&mut Feed> {
        match &mut self.source {
            Source::Feed(feed) => Some(feed),
            Source::Skip(inner, _) | Source::Limit(inner, _) | Source::ConcatMap(inner, ..) => {
                inner.feed()
            }
            _ => None,
        }
    }

    /// The next element, `None` at the end. For a feed: `None` when nothing has happened yet.
    ///
    /// # Errors
    /// What fails in a step, and a failing disk.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        env.check_interrupted()?;
        'elements: while let Some(mut element) = self.source.next(env)? {
            for step in &self.steps {
                match step.apply(env, element)? {
                    Some(changed) => element = changed,
                    None => continue 'elements,
                }
            }
            return Ok(Some(element));
        }
        Ok(None)
    }

    /// All elements.
    ///
    /// # Errors
    /// A feed, an array that is too long, and as [`Stream::next`].
    pub(crate) fn collect(mut self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        self.refuse_feed()?;
        let mut items = Vec::new();
        while let Some(item) = self.next(env)? {
            items.push(item);
            check_length(items.len())?;
        }
        Ok(items)
    }

    /// Fails on a feed: what reads to the end would never be done.
    ///
    /// # Errors
    /// RethinkDB's own.
    pub(crate) fn refuse_feed(&mut self) -> Result<(), ReqlError> {
        match self.feed() {
            None => Ok(()),
            Some(_) => Err(ReqlError::logic(
                "Cannot call a terminal (`reduce`, `count`, etc.) on an infinite stream (such as a changefeed).",
            )),
        }
    }

    /// The next elements as JSON, up to [`BATCH_BYTES`], and whether more may follow.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub(crate) fn next_batch(&mut self, env: &Env) -> Result<(Vec<Bytes>, bool), ReqlError> {
        if let (Source::Feed(feed), true) = (&mut self.source, self.steps.is_empty()) {
            return Ok((feed.next_encoded(env, BATCH_BYTES)?, true));
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES {
            let Some(element) = self.next(env)? else {
                let never_ends = self.feed().is_some() && !self.is_spent();
                return Ok((batch, never_ends));
            };
            let mut json = Vec::new();
            element.write_json(&mut json)?;
            bytes += json.len();
            batch.push(json.into());
        }
        self.pause();
        Ok((batch, !self.is_spent()))
    }

    /// Lets go of what was read ahead, for the time until the client asks for more.
    pub(crate) fn pause(&mut self) {
        self.source.pause();
    }

    /// Whether a `limit` has let through all it may.
    fn is_spent(&self) -> bool {
        matches!(self.source, Source::Limit(_, 0))
    }
}

impl Source {
    fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        match self {
            Self::Items(items) => Ok(items.pop_front()),
            Self::Scan(scan) => scan.next(env),
            Self::Index(scan) => scan.next(env),
            Self::Keys(table, keys) => {
                while let Some(key) = keys.pop_front() {
                    if let Some(document) = env.snapshot()?.get(table.id, &key)? {
                        return Ok(Some(document));
                    }
                }
                Ok(None)
            }
            Self::Range(next, end) => {
                if next >= end {
                    return Ok(None);
                }
                *next += 1.0;
                Ok(Some(Datum::Number(*next - 1.0)))
            }
            Self::Union(streams) => {
                while let Some(first) = streams.front_mut() {
                    match first.next(env)? {
                        Some(element) => return Ok(Some(element)),
                        None => drop(streams.pop_front()),
                    }
                }
                Ok(None)
            }
            Self::Skip(inner, left) => {
                while *left > 0 {
                    if inner.next(env)?.is_none() {
                        return Ok(None);
                    }
                    *left -= 1;
                }
                inner.next(env)
            }
            Self::Limit(_, 0) => Ok(None),
            Self::Limit(inner, left) => {
                let element = inner.next(env)?;
                *left -= usize::from(element.is_some());
                Ok(element)
            }
            Self::ConcatMap(inner, function, ready) => loop {
                if let Some(element) = ready.pop_front() {
                    return Ok(Some(element));
                }
                let Some(element) = inner.next(env)? else {
                    return Ok(None);
                };
                let scope = function.bind(&[element])?;
                *ready = env
                    .eval(function.body(), &scope)?
                    .into_stream()?
                    .collect(env)?
                    .into();
            },
            Self::Feed(feed) => feed.next(env),
        }
    }

    fn pause(&mut self) {
        match self {
            Self::Scan(scan) if !scan.ahead.is_empty() => {
                scan.ahead.clear();
                scan.is_exhausted = false;
            }
            Self::Skip(inner, _) | Self::Limit(inner, _) | Self::ConcatMap(inner, ..) => {
                inner.source.pause()
            }
            Self::Union(streams) => streams.iter_mut().for_each(|stream| stream.source.pause()),
            _ => {}
        }
    }
}

impl Scan {
    fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.ahead.is_empty() && !self.is_exhausted {
            self.read_ahead(env)?;
        }
        let Some((key, document)) = self.ahead.pop_front() else {
            return Ok(None);
        };
        match self.direction {
            Direction::Ascending => self.lower = Bound::Excluded(key),
            Direction::Descending => self.upper = Bound::Excluded(key),
        }
        Ok(Some(document))
    }

    fn read_ahead(&mut self, env: &Env) -> Result<(), ReqlError> {
        let snapshot = env.snapshot()?;
        let documents = snapshot.scan(
            self.table.id,
            self.lower.clone(),
            self.upper.clone(),
            self.direction,
        )?;
        self.ahead = documents.take(READ_AHEAD).collect::<Result<_, _>>()?;
        self.is_exhausted = self.ahead.len() < READ_AHEAD;
        Ok(())
    }

    /// Whether a document of the table lies in the range.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        use std::ops::RangeBounds;
        let range = (
            self.lower.as_ref().map(Vec::as_slice),
            self.upper.as_ref().map(Vec::as_slice),
        );
        <(Bound<&[u8]>, Bound<&[u8]>) as RangeBounds<[u8]>>::contains(&range, key)
    }
}

/// The key of a document of a table.
///
/// # Errors
/// A document without its primary key, which no table holds.
pub(crate) fn key_of(table: &Table, document: &Datum) -> Result<Vec<u8>, ReqlError> {
    let key = document.field(&table.primary_key);
    primary_key(
        key.ok_or_else(|| ReqlError::new(ErrorKind::Internal, "a document has no primary key"))?,
    )
}
