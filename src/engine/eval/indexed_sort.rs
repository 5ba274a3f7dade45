//! `order_by` with an index and keys: by the index, and documents with one value of the index by the keys. Reads the
//! documents of one value at a time.

use std::collections::VecDeque;

use super::env::Env;
use super::sort::{SortKey, sort};
use super::stream::{Source, Stream};
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// Documents in the order of an index, and of keys within it.
#[derive(Debug)]
pub(crate) struct IndexedSort {
    /// In the order of the index.
    stream: Box<Stream>,
    keys: Vec<SortKey>,
    /// Documents of one value, sorted.
    sorted: VecDeque<Datum>,
    /// The first document of the next value.
    next: Option<Indexed>,
}

/// The value of an index, and the document.
type Indexed = (Vec<u8>, Datum);

impl IndexedSort {
    /// Sorts a stream that has the order of an index.
    pub(crate) fn new(stream: Stream, keys: Vec<SortKey>) -> Self {
        Self {
            stream: Box::new(stream),
            keys,
            sorted: VecDeque::new(),
            next: None,
        }
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// A failure in a key, a failing disk, or too many documents of one value.
    pub(crate) fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        if self.sorted.is_empty() {
            self.sorted = sort(env, self.read_value(env)?, &self.keys)?.into();
        }
        Ok(self.sorted.pop_front())
    }

    /// The documents of the next value; empty at the end.
    fn read_value(&mut self, env: &Env) -> Result<Vec<Datum>, ReqlError> {
        let first = match self.next.take() {
            Some(first) => Some(first),
            None => self.read(env)?,
        };
        let Some((value, first)) = first else {
            return Ok(Vec::new());
        };
        let mut documents = vec![first];
        while let Some((other, document)) = self.read(env)? {
            if other != value {
                self.next = Some((other, document));
                break;
            }
            documents.push(document);
            env.check_length(documents.len())?;
        }
        Ok(documents)
    }

    fn read(&mut self, env: &Env) -> Result<Option<Indexed>, ReqlError> {
        if let Source::Index(scan) = &mut self.stream.source {
            return scan.next_indexed(env);
        }
        // By the primary key, of which each document has another.
        let document = self.stream.next(env)?;
        let key = |document: &Datum| match &self.stream.selection {
            Some(table) => table.key_of(document),
            None => Ok(Vec::new()),
        };
        document
            .map(|document| Ok((key(&document)?, document)))
            .transpose()
    }

    /// As [`Stream::pause`].
    pub(crate) fn pause(&mut self) {
        self.stream.pause();
    }
}
