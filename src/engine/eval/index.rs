//! Secondary indexes: evaluated by scanning the table, which is right for tables of some thousand small documents.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use super::Env;
use super::func::{Func, Scope};
use super::stream::Stream;
use super::value::{Table, Value};
use crate::engine::datum::json::Node;
use crate::engine::datum::{Datum, order};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::Term;
use crate::engine::storage::Index;

/// The documents that an index holds, by its values. It is worked out when the first element is asked for.
#[derive(Debug)]
pub(crate) struct IndexScan {
    table: Table,
    index: Index,
    wanted: Wanted,
    order: Option<Direction>,
    found: Option<VecDeque<Datum>>,
}

/// The order of an index.
pub(crate) use crate::engine::storage::Direction;

/// Which values of the index.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Every value there is.
    All,
    /// These values; a document comes once for each that fits.
    Keys(Vec<Datum>),
    /// The values between two others.
    Between(Edge, Edge),
}

/// One end of a range of values.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) place: Place,
    /// Whether the end itself is left out.
    pub(crate) is_open: bool,
}

/// Where a range of values ends.
#[derive(Debug)]
pub(crate) enum Place {
    /// Below every value.
    Lowest,
    At(Datum),
    /// Above every value.
    Highest,
}

impl Place {
    /// The place that an argument of `between` names.
    ///
    /// # Errors
    /// What is no value.
    pub(crate) fn new(env: &Env, value: Value) -> Result<Self, ReqlError> {
        match value {
            Value::MinVal => Ok(Self::Lowest),
            Value::MaxVal => Ok(Self::Highest),
            other => other.into_datum(env).map(Self::At),
        }
    }
}

impl IndexScan {
    /// Documents by their value in an index.
    pub(crate) fn new(table: Table, index: Index, wanted: Wanted) -> Self {
        Self {
            table,
            index,
            wanted,
            order: None,
            found: None,
        }
    }

    /// Puts the documents in the order of the index.
    pub(crate) fn order(&mut self, direction: Direction) {
        self.order = Some(direction);
    }

    /// The name of the index.
    pub(crate) fn index_name(&self) -> &str {
        &self.index.name
    }

    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.found.is_none() {
            self.found = Some(self.read(env)?.into());
        }
        Ok(self.found.as_mut().and_then(VecDeque::pop_front))
    }

    fn read(&self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        let function = function_of(&self.index)?;
        let mut found = Vec::new();
        let mut documents = Stream::scan(self.table.clone());
        while let Some(document) = documents.next(env)? {
            for value in values(env, &self.index, &function, &document)? {
                for _ in 0..self.wanted.count(&value)? {
                    found.push((value.clone(), document.clone()));
                }
            }
        }
        if let Some(direction) = self.order {
            // The documents come in the order of their keys, which is also the order of those with the same value.
            order::sort_by(&mut found, |(a, _), (b, _)| a.compare(b))?;
            if direction == Direction::Descending {
                found.reverse();
            }
        }
        Ok(found.into_iter().map(|(_, document)| document).collect())
    }
}

impl Wanted {
    /// How often a document with this value comes.
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
    /// How the edge lies to a value.
    fn compare(&self, value: &Datum) -> Result<Ordering, ReqlError> {
        match &self.place {
            Place::Lowest => Ok(Ordering::Less),
            Place::Highest => Ok(Ordering::Greater),
            Place::At(edge) => edge.compare(value),
        }
    }
}

/// The index of a table by its name.
///
/// # Errors
/// When the table has none of that name.
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

/// The values that an index holds, once for each document and value.
///
/// # Errors
/// When the table has no such index, and when the disk fails.
pub(crate) fn all_values(env: &Env, table: &Table, name: &str) -> Result<Vec<Datum>, ReqlError> {
    let index = find(table, name)?;
    let function = function_of(&index)?;
    let mut documents = Stream::scan(table.clone());
    let mut found = Vec::new();
    while let Some(document) = documents.next(env)? {
        found.extend(values(env, &index, &function, &document)?);
    }
    Ok(found)
}

/// The text that keeps an index's function: the term, which is a `FUNC` without free variables.
///
/// # Errors
/// A function that cannot be written down.
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

/// The values under which the index holds a document: none where the function fails or gives null.
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
        Datum::Null | Datum::Object(_) => Vec::new(),
        Datum::Array(items) if index.multi => items.to_vec(),
        value => vec![value],
    })
}
