//! Reads of secondary indexes.

use std::collections::VecDeque;
use std::ops::Bound;

use super::env::Env;
use super::index_function::{compile, function_of, indexed_values};
use super::selection::Table;
use crate::engine::datum::{Datum, index_key};
use crate::engine::error::ReqlError;
use crate::engine::storage::{
    Direction, EntryRange, Index, IndexFunction, IndexId, IndexedDocument,
};

/// The number of documents that a scan reads at once.
const READ_AHEAD: usize = 64;

/// The documents in ranges of an index, read in pieces, so that an idle cursor holds no snapshot. A document is found
/// once for each of its values in a range.
#[derive(Debug)]
pub(crate) struct IndexScan {
    table: Table,
    index: Index,
    /// The ranges that are not read yet.
    ranges: VecDeque<EntryRange>,
    /// `true` for the whole index or one range of it, of which `order_by` and `between` take a part.
    is_slice: bool,
    order: Option<Direction>,
    /// The documents that were read ahead, of the first range.
    ahead: VecDeque<IndexedDocument>,
    /// `true` if the first range has no more documents than those read ahead.
    is_exhausted: bool,
}

/// An end of a range of values.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) position: Position,
    /// `true` if the end itself is excluded.
    pub(crate) is_open: bool,
}

/// The position of an edge.
#[derive(Debug)]
pub(crate) enum Position {
    /// Below all values.
    Lowest,
    At(Datum),
    /// Above all values.
    Highest,
}

/// The condition on the documents that an index scan finds, for a feed.
pub(crate) struct IndexCondition {
    function: IndexFunction,
    ranges: Vec<EntryRange>,
}

impl IndexCondition {
    /// Returns `true` if a document has a value in the ranges.
    ///
    /// # Errors
    /// A stored binary that cannot be read.
    pub(crate) fn selects(&self, document: &Datum) -> Result<bool, ReqlError> {
        Ok(self.count(document)? > 0)
    }

    /// The number of times that a scan of the ranges finds a document.
    ///
    /// # Errors
    /// As [`IndexCondition::selects`].
    pub(crate) fn count(&self, document: &Datum) -> Result<usize, ReqlError> {
        let values = (self.function)(document)?;
        let in_ranges = |value: &[u8]| {
            let ranges = self.ranges.iter();
            ranges.filter(|range| range.contains(value)).count()
        };
        Ok(values.iter().map(|(value, _)| in_ranges(value)).sum())
    }
}

impl std::fmt::Debug for IndexCondition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexCondition")
            .field("ranges", &self.ranges)
            .finish_non_exhaustive()
    }
}

impl IndexScan {
    /// The documents with the given values. A value given twice finds its documents twice.
    ///
    /// # Errors
    /// RethinkDB's errors for values that an index cannot have.
    pub(crate) fn of_values(
        table: Table,
        index: Index,
        values: &[Datum],
    ) -> Result<Self, ReqlError> {
        let range = |value: &Datum| {
            if matches!(value, Datum::Null) {
                return Err(ReqlError::missing("Keys cannot be NULL."));
            }
            index_key(value).map(|value| EntryRange::of(&value))
        };
        let ranges = values.iter().map(range).collect::<Result<_, _>>()?;
        Ok(Self::new(table, index, ranges, false))
    }

    /// The documents with values between two edges.
    ///
    /// # Errors
    /// RethinkDB's errors for values that an index cannot have.
    pub(crate) fn between(
        table: Table,
        index: Index,
        lower: Edge,
        upper: Edge,
    ) -> Result<Self, ReqlError> {
        let bound = |edge: &Edge| match &edge.position {
            Position::Lowest | Position::Highest => Ok(Bound::Unbounded),
            Position::At(Datum::Null) => Err(null_edge()),
            Position::At(value) => Ok(match edge.is_open {
                true => Bound::Excluded(index_key(value)?),
                false => Bound::Included(index_key(value)?),
            }),
        };
        let range = match (&lower.position, &upper.position) {
            (Position::Highest, _) | (_, Position::Lowest) => EntryRange::none(),
            // Also with an upper edge that is no key, as in RethinkDB.
            (Position::At(from), Position::At(to))
                if !matches!(from, Datum::Null)
                    && !matches!(to, Datum::Null)
                    && from.compare(to)?.is_gt() =>
            {
                EntryRange::none()
            }
            _ => {
                let (lower, upper) = (bound(&lower)?, bound(&upper)?);
                EntryRange::between(
                    lower.as_ref().map(Vec::as_slice),
                    upper.as_ref().map(Vec::as_slice),
                )
            }
        };
        Ok(Self::new(table, index, VecDeque::from([range]), true))
    }

    /// All documents of an index.
    pub(crate) fn all(table: Table, index: Index) -> Self {
        Self::new(table, index, VecDeque::from([EntryRange::all()]), true)
    }

    fn new(table: Table, index: Index, ranges: VecDeque<EntryRange>, is_slice: bool) -> Self {
        Self {
            table,
            index,
            ranges,
            is_slice,
            order: None,
            ahead: VecDeque::new(),
            is_exhausted: false,
        }
    }

    /// Sorts the documents by their value in the index, and those with the same value by primary key. Only for a slice.
    pub(crate) fn sort(&mut self, direction: Direction) {
        self.order = Some(direction);
    }

    /// Returns `true` for the whole index or one range of it.
    pub(crate) fn is_slice(&self) -> bool {
        self.is_slice
    }

    /// Returns `true` for the whole index.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_slice && self.ranges.front() == Some(&EntryRange::all())
    }

    /// The order of the documents, if the query asked for one.
    pub(crate) fn order(&self) -> Option<Direction> {
        self.order
    }

    /// The name of the index.
    pub(crate) fn index_name(&self) -> &str {
        &self.index.name
    }

    /// The identity of the index, which a rename does not change.
    pub(crate) fn index_id(&self) -> IndexId {
        self.index.id
    }

    /// The table of the documents.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// Returns `true` if the scan can find a document more than once.
    pub(crate) fn repeats(&self) -> bool {
        self.index.multi || self.ranges.len() > 1
    }

    /// The condition that the documents of the scan fulfil, for a feed.
    ///
    /// # Errors
    /// A damaged function.
    pub(crate) fn condition(&self) -> Result<IndexCondition, ReqlError> {
        Ok(IndexCondition {
            function: compile(&self.index)?,
            ranges: self.ranges.iter().cloned().collect(),
        })
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        Ok(self.next_indexed(env)?.map(|(_, document)| document))
    }

    /// The next document and its encoded value; `None` at the end.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn next_indexed(
        &mut self,
        env: &Env,
    ) -> Result<Option<(Vec<u8>, Datum)>, ReqlError> {
        loop {
            let Some(range) = self.ranges.front_mut() else {
                return Ok(None);
            };
            if let Some(found) = self.ahead.pop_front() {
                let IndexedDocument {
                    entry,
                    value: (value, _),
                    document,
                } = found;
                // The range shrinks with each document, so that a later read, even of another snapshot, continues after
                // it.
                match self.order {
                    Some(Direction::Descending) => range.end_before(entry),
                    _ => range.start_after(entry),
                }
                return Ok(Some((value, document)));
            }
            if std::mem::take(&mut self.is_exhausted) {
                self.ranges.pop_front();
            } else {
                self.read_ahead(env)?;
            }
        }
    }

    fn read_ahead(&mut self, env: &Env) -> Result<(), ReqlError> {
        let Some(range) = self.ranges.front() else {
            return Ok(());
        };
        let found = env.snapshot()?.scan_index(
            self.table.id,
            self.index.id,
            range,
            self.order.unwrap_or(Direction::Ascending),
        )?;
        self.ahead = found.take(READ_AHEAD).collect::<Result<_, _>>()?;
        self.is_exhausted = self.ahead.len() < READ_AHEAD;
        Ok(())
    }

    /// Drops the documents that were read ahead. The next call reads them again.
    pub(crate) fn pause(&mut self) {
        if !self.ahead.is_empty() {
            self.ahead.clear();
            self.is_exhausted = false;
        }
    }

    /// The number of documents, counted by their entries.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn count(self, env: &Env) -> Result<usize, ReqlError> {
        let mut count = 0;
        self.each_key(env, |_| count += 1)?;
        Ok(count)
    }

    /// The primary keys of the documents, sorted, each once.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn primary_keys(self, env: &Env) -> Result<Vec<Vec<u8>>, ReqlError> {
        let mut keys = Vec::new();
        self.each_key(env, |key| keys.push(key))?;
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }

    /// Calls `visit` with the primary key of each entry that is not read yet, as of one snapshot.
    fn each_key(self, env: &Env, mut visit: impl FnMut(Vec<u8>)) -> Result<(), ReqlError> {
        let snapshot = env.snapshot()?;
        for range in &self.ranges {
            let mut entries =
                snapshot.scan_index(self.table.id, self.index.id, range, Direction::Ascending)?;
            while let Some(key) = entries.next_primary_key() {
                env.check_interrupted()?;
                visit(key?);
            }
        }
        Ok(())
    }

    /// The values of the index in the ranges, each once, in ascending order. Reads one document for each.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn distinct_values(self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        let function = function_of(&self.index)?;
        let snapshot = env.snapshot()?;
        let mut values = Vec::new();
        for mut range in self.ranges {
            loop {
                env.check_interrupted()?;
                let first = snapshot
                    .scan_index(self.table.id, self.index.id, &range, Direction::Ascending)?
                    .next();
                let Some(first) = first.transpose()? else {
                    break;
                };
                let (value, position) = first.value;
                values.extend(
                    indexed_values(env, &self.index, &function, &first.document)?
                        .into_iter()
                        .nth(position as usize),
                );
                range.start_after_value(&value);
            }
        }
        Ok(values)
    }
}

/// RethinkDB's error for `null` as an edge of `between`.
pub(crate) fn null_edge() -> ReqlError {
    ReqlError::logic(
        "Cannot use `null` in BETWEEN, use `r.minval` or `r.maxval` to denote unboundedness.",
    )
}

/// The index of a table with a name.
///
/// # Errors
/// RethinkDB's error for an unknown index.
pub(crate) fn find(table: &Table, name: &str) -> Result<Index, ReqlError> {
    table
        .indexes
        .iter()
        .find(|index| index.name == name)
        .cloned()
        .ok_or_else(|| {
            ReqlError::op_failed(format!(
                "Index `{name}` was not found on table `{}`.",
                table.full_name()
            ))
        })
}

/// The index of a table with a name, to read from.
///
/// # Errors
/// RethinkDB's errors for an unknown index, and for one that is not ready.
pub(crate) fn find_ready(table: &Table, name: &str) -> Result<Index, ReqlError> {
    let index = find(table, name)?;
    if !index.ready {
        return Err(ReqlError::op_failed(format!(
            "Index `{name}` on table `{}` was accessed before its construction was finished.",
            table.full_name()
        )));
    }
    Ok(index)
}
