//! Lazy sequences.

use std::collections::VecDeque;
use std::ops::Bound;

use bytes::Bytes;

use super::env::{BATCH_BYTES, Env};
use super::feed::Feed;
use super::func::Func;
use super::index::IndexScan;
use super::indexed_sort::IndexedSort;
use super::scan::{Lookup, Scan};
use super::selection::Table;
use super::step::Step;
use super::union::Merge;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// A lazy sequence.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) source: Source,
    /// Applied in order to each element of the source.
    pub(crate) steps: Vec<Step>,
    /// The table, if the elements are still its unchanged documents.
    pub(crate) selection: Option<Table>,
    /// `true` if clients receive one array instead of a stream.
    pub(crate) is_array: bool,
}

/// The source of the elements.
#[derive(Debug)]
pub(crate) enum Source {
    Items(VecDeque<Datum>),
    Scan(Scan),
    Index(Box<IndexScan>),
    Sorted(Box<IndexedSort>),
    Lookup(Lookup),
    /// The whole numbers from the first bound up to the second, exclusive.
    Range(f64, f64),
    Union(VecDeque<Stream>),
    Merge(Box<Merge>),
    /// A function of the next elements of several sequences, up to the end of the shortest.
    Zip(Vec<Stream>, Func),
    Skip(Box<Stream>, usize),
    Limit(Box<Stream>, usize),
    ConcatMap(Box<Stream>, Func, VecDeque<Datum>),
    Feed(Box<Feed>),
}

impl Stream {
    /// All documents of a table.
    pub(crate) fn scan(table: Table) -> Self {
        Self::scan_between(table, Bound::Unbounded, Bound::Unbounded)
    }

    /// The documents of a table between two keys.
    pub(crate) fn scan_between(table: Table, lower: Bound<Vec<u8>>, upper: Bound<Vec<u8>>) -> Self {
        let scan = Scan::new(table.clone(), lower, upper);
        Self::wrap(Source::Scan(scan), Some(table), false)
    }

    /// The documents of a table with the given keys.
    pub(crate) fn keys(table: Table, keys: Vec<Vec<u8>>) -> Self {
        let lookup = Lookup::new(table.clone(), keys);
        Self::wrap(Source::Lookup(lookup), Some(table), false)
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

    /// Items that clients receive as a stream.
    pub(crate) fn items(items: Vec<Datum>) -> Self {
        Self {
            is_array: false,
            ..Self::array(items)
        }
    }

    /// A sequence of a source.
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

    /// The name of the type, as `type_of` returns it.
    pub(crate) fn type_name(&self) -> &'static str {
        match (self.is_array, self.selection.is_some()) {
            (true, true) => "SELECTION<ARRAY>",
            (true, false) => "ARRAY",
            (false, true) if self.is_slice() => "TABLE_SLICE",
            (false, true) => "SELECTION<STREAM>",
            (false, false) => "STREAM",
        }
    }

    /// Returns `true` for a part of a table or of an index: the result of `between`, and of `order_by` by an index.
    pub(crate) fn is_slice(&self) -> bool {
        self.steps.is_empty()
            && match &self.source {
                Source::Scan(_) => true,
                Source::Index(scan) => scan.is_slice(),
                _ => false,
            }
    }

    /// Returns `true` for an array that is no selection. Terms that need the end of a sequence reject any other.
    pub(crate) fn is_datum(&self) -> bool {
        self.is_array && self.selection.is_none()
    }

    /// The feed that the elements come from, if any.
    pub(crate) fn feed(&mut self) -> Option<&mut Feed> {
        match &mut self.source {
            Source::Feed(feed) => Some(feed),
            Source::Skip(inner, _) | Source::Limit(inner, _) | Source::ConcatMap(inner, ..) => {
                inner.feed()
            }
            _ => None,
        }
    }

    /// The next element; `None` at the end, or if a feed has no new elements.
    ///
    /// # Errors
    /// A failure in a step, an interrupted query, or a failing disk.
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
    /// A feed, too many elements for an array, or as [`Stream::next`].
    pub(crate) fn collect(mut self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        self.refuse_endless()?;
        let mut items = Vec::new();
        while let Some(item) = self.next(env)? {
            items.push(item);
            env.check_length(items.len())?;
        }
        Ok(items)
    }

    /// Rejects a feed in a term that reads to the end, because a feed has none.
    ///
    /// # Errors
    /// RethinkDB's error for a feed.
    pub(crate) fn refuse_feed(&mut self) -> Result<(), ReqlError> {
        match self.feed() {
            None => Ok(()),
            Some(_) => Err(ReqlError::logic(
                "Cannot call a terminal (`reduce`, `count`, etc.) on an infinite stream (such as a changefeed).",
            )),
        }
    }

    /// Rejects a sequence that never ends in a term that reads to the end.
    ///
    /// # Errors
    /// RethinkDB's errors for a feed and for `range` without an end.
    pub(crate) fn refuse_endless(&mut self) -> Result<(), ReqlError> {
        if self.is_endless() {
            return Err(ReqlError::logic(
                "Cannot use an infinite stream with an aggregation function (`reduce`, `count`, etc.) or coerce it to \
                 an array.",
            ));
        }
        self.refuse_feed()
    }

    /// Returns `true` if the elements come from a `range` without an end.
    pub(crate) fn is_endless(&self) -> bool {
        match &self.source {
            Source::Range(_, end) => end.is_infinite(),
            Source::Skip(inner, _) | Source::ConcatMap(inner, ..) => inner.is_endless(),
            Source::Union(streams) => streams.iter().any(Self::is_endless),
            Source::Zip(streams, _) => streams.iter().all(Self::is_endless),
            Source::Merge(merge) => merge.is_endless(),
            _ => false,
        }
    }

    /// The next elements as JSON, up to about [`BATCH_BYTES`], and `true` if more may follow.
    ///
    /// # Errors
    /// As [`Stream::next`].
    pub(crate) fn next_batch(&mut self, env: &Env) -> Result<(Vec<Bytes>, bool), ReqlError> {
        // The changes are encoded already, once for all feeds of the query.
        if let (Source::Feed(feed), true) = (&mut self.source, self.steps.is_empty()) {
            return Ok((feed.next_encoded(env, BATCH_BYTES)?, true));
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES {
            let Some(element) = self.next(env)? else {
                // A feed without new elements has not ended, unless a `limit` is used up.
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

    /// Drops elements that were read ahead. They are read again when the client asks for more.
    pub(crate) fn pause(&mut self) {
        self.source.pause();
    }

    /// Returns `true` if a `limit` is used up.
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
            Self::Sorted(sort) => sort.next(env),
            Self::Lookup(lookup) => lookup.next(env),
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
            Self::Merge(merge) => merge.next(env),
            Self::Zip(streams, function) => next_zipped(streams, function, env),
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
            Self::ConcatMap(inner, function, ready) => next_mapped(inner, function, ready, env),
            Self::Feed(feed) => feed.next(env),
        }
    }

    fn pause(&mut self) {
        match self {
            Self::Scan(scan) => scan.pause(),
            Self::Index(scan) => scan.pause(),
            Self::Sorted(sort) => sort.pause(),
            Self::Skip(inner, _) | Self::Limit(inner, _) | Self::ConcatMap(inner, ..) => {
                inner.source.pause()
            }
            Self::Union(streams) => streams.iter_mut().for_each(Stream::pause),
            Self::Merge(merge) => merge.pause(),
            Self::Zip(streams, _) => streams.iter_mut().for_each(Stream::pause),
            _ => {}
        }
    }
}

/// The result of a function for the next element of each stream; `None` once one of them has ended.
fn next_zipped(
    streams: &mut [Stream],
    function: &Func,
    env: &Env,
) -> Result<Option<Datum>, ReqlError> {
    let mut row = Vec::with_capacity(streams.len());
    for stream in streams {
        match stream.next(env)? {
            Some(element) => row.push(element),
            None => return Ok(None),
        }
    }
    function.call(env, &row).map(Some)
}

/// The next element of the sequences that a function makes of the elements of a stream. `ready` holds the rest of the
/// last one.
fn next_mapped(
    stream: &mut Stream,
    function: &Func,
    ready: &mut VecDeque<Datum>,
    env: &Env,
) -> Result<Option<Datum>, ReqlError> {
    loop {
        if let Some(element) = ready.pop_front() {
            return Ok(Some(element));
        }
        let Some(element) = stream.next(env)? else {
            return Ok(None);
        };
        let scope = function.bind(&[element])?;
        *ready = env
            .eval(function.body(), &scope)?
            .into_stream()?
            .collect(env)?
            .into();
    }
}
