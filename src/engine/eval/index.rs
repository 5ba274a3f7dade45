//! Secondary indexes, evaluated by a scan of the whole table. This suffices for a few thousand small documents.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::scan::Scan;
use super::scope::Scope;
use super::selection::Table;
use super::term::Term;
use crate::engine::datum::json::Node;
use crate::engine::datum::{Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::{Direction, Index};

/// The documents of an index. The table is scanned when the first one is read.
#[derive(Debug)]
pub(crate) struct IndexScan {
    table: Table,
    index: Index,
    wanted: Wanted,
    order: Option<Direction>,
    found: Option<VecDeque<Datum>>,
}

/// The wanted values of an index.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// All values.
    All,
    /// These values. A document is found once for each value that it has.
    Keys(Vec<Datum>),
    /// The values between two edges.
    Between(Edge, Edge),
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

/// The documents that an index scan finds, without an order, for a feed.
#[derive(Debug)]
pub(crate) struct IndexRange {
    index: Index,
    function: Func,
    wanted: Wanted,
}

impl IndexRange {
    /// Returns `true` if a document has a wanted value.
    ///
    /// # Errors
    /// A failing disk.
    pub(crate) fn selects(&self, env: &Env, document: &Datum) -> Result<bool, ReqlError> {
        for value in values(env, &self.index, &self.function, document)? {
            if self.wanted.count(&value)? > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl IndexScan {
    /// The scanned documents as a feed follows them: the table and the condition.
    ///
    /// # Errors
    /// For a multi index, of which RethinkDB's feed has an element for each value of a document.
    pub(crate) fn into_range(self) -> Result<(Table, IndexRange), ReqlError> {
        if self.index.multi {
            return Err(ReqlError::logic(
                "The embedded engine does not implement `changes` of a multi index.",
            ));
        }
        let range = IndexRange {
            function: function_of(&self.index)?,
            index: self.index,
            wanted: self.wanted,
        };
        Ok((self.table, range))
    }

    /// A scan of the documents with wanted values, in the order of their keys.
    pub(crate) fn new(table: Table, index: Index, wanted: Wanted) -> Self {
        Self {
            table,
            index,
            wanted,
            order: None,
            found: None,
        }
    }

    /// Sorts the documents by their value in the index.
    pub(crate) fn order(&mut self, direction: Direction) {
        self.order = Some(direction);
    }

    /// The name of the index.
    pub(crate) fn index_name(&self) -> &str {
        &self.index.name
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// A failing disk, or a damaged function.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.found.is_none() {
            self.found = Some(self.read(env)?.into());
        }
        Ok(self.found.as_mut().and_then(VecDeque::pop_front))
    }

    fn read(&self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        let function = function_of(&self.index)?;
        let mut found = Vec::new();
        let mut documents = Scan::all(self.table.clone());
        while let Some(document) = documents.next(env)? {
            env.check_interrupted()?;
            for value in values(env, &self.index, &function, &document)? {
                for _ in 0..self.wanted.count(&value)? {
                    found.push((value.clone(), document.clone()));
                }
            }
        }
        if let Some(direction) = self.order {
            // The sort is stable, so documents with the same value stay in the order of their keys.
            order::sort_by(&mut found, |(a, _), (b, _)| a.compare(b))?;
            if direction == Direction::Descending {
                found.reverse();
            }
        }
        Ok(found.into_iter().map(|(_, document)| document).collect())
    }
}

impl Wanted {
    /// The number of times that a value is wanted.
    fn count(&self, value: &Datum) -> Result<usize, ReqlError> {
        match self {
            Self::All => Ok(1),
            Self::Keys(keys) => {
                let mut count = 0;
                for key in keys {
                    count += usize::from(key.equals(value)?);
                }
                Ok(count)
            }
            Self::Between(lower, upper) => {
                let above = match lower.compare(value)? {
                    Ordering::Less => true,
                    Ordering::Equal => !lower.is_open,
                    Ordering::Greater => false,
                };
                let below = match upper.compare(value)? {
                    Ordering::Greater => true,
                    Ordering::Equal => !upper.is_open,
                    Ordering::Less => false,
                };
                Ok(usize::from(above && below))
            }
        }
    }
}

impl Edge {
    /// Compares the edge with a value.
    fn compare(&self, value: &Datum) -> Result<Ordering, ReqlError> {
        match &self.position {
            Position::Lowest => Ok(Ordering::Less),
            Position::Highest => Ok(Ordering::Greater),
            Position::At(edge) => edge.compare(value),
        }
    }
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

/// The values of an index, once for each document.
///
/// # Errors
/// An unknown index, or a failing disk.
pub(crate) fn all_values(env: &Env, table: &Table, name: &str) -> Result<Vec<Datum>, ReqlError> {
    let index = find(table, name)?;
    let function = function_of(&index)?;
    let mut documents = Scan::all(table.clone());
    let mut found = Vec::new();
    while let Some(document) = documents.next(env)? {
        env.check_interrupted()?;
        found.extend(values(env, &index, &function, &document)?);
    }
    Ok(found)
}

/// The stored form of an index's function: its `FUNC` term in JSON.
///
/// # Errors
/// A function with an invalid constant.
pub(crate) fn function_text(function: &Term) -> Result<Arc<str>, ReqlError> {
    Ok(function.to_json()?.into())
}

fn function_of(index: &Index) -> Result<Func, ReqlError> {
    let damaged = || {
        ReqlError::new(
            ErrorKind::Internal,
            format!("the function of index `{}` is damaged", index.name),
        )
    };
    let node = Node::parse(index.function.as_bytes()).map_err(|_| damaged())?;
    match Term::compile(node)? {
        Term::Call(call) => Func::new(&call, &Scope::default()),
        _ => Err(damaged()),
    }
}

/// The values under which an index holds a document. Empty if the function fails, or returns null, an object, `minval`
/// or `maxval`.
fn values(
    env: &Env,
    index: &Index,
    function: &Func,
    document: &Datum,
) -> Result<Vec<Datum>, ReqlError> {
    let value = match function.call(env, std::slice::from_ref(document)) {
        Ok(value) => value,
        Err(error) if error.kind == ErrorKind::Internal => return Err(error),
        Err(_) => return Ok(Vec::new()),
    };
    Ok(match value {
        value if value.has_extreme() => Vec::new(),
        Datum::Null | Datum::Object(_) => Vec::new(),
        Datum::Array(items) if index.multi => items.to_vec(),
        value => vec![value],
    })
}
