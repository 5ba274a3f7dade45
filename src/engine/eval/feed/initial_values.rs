//! Reading the initial values of a feed.

use bytes::Bytes;

use super::visible::visible;
use crate::engine::changefeed::Copies;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;
use crate::engine::eval::env::Env;
use crate::engine::eval::scan::{Lookup, Scan};
use crate::engine::eval::selection::Table;
use crate::engine::eval::step::Step;

/// The documents that a feed covers, to be read.
#[derive(Debug)]
pub(super) enum Documents {
    Between(Box<Scan>),
    Keys(Lookup),
    /// Those that an index found.
    Listed(Lookup),
}

/// The parameters for reading the initial values of a feed.
pub(super) struct Reading<'a> {
    pub(super) table: &'a Table,
    pub(super) steps: &'a [Step],
    pub(super) copies: Option<&'a Copies>,
    pub(super) include_types: bool,
}

/// Initial values that were read at once.
pub(super) struct Read {
    /// As JSON.
    pub(super) values: Vec<Bytes>,
    /// The key of the last document; `None` if there are no more.
    pub(super) last: Option<Vec<u8>>,
}

impl Documents {
    /// Reads the next documents, up to about `limit` bytes of values.
    pub(super) fn read(
        &mut self,
        env: &Env,
        reading: &Reading<'_>,
        limit: usize,
    ) -> Result<Read, ReqlError> {
        let (mut values, mut last, mut bytes) = (Vec::new(), None, 0);
        while bytes < limit {
            let Some(document) = self.next(env)? else {
                return Ok(Read { values, last: None });
            };
            last = Some(reading.table.key_of(&document)?);
            if let Some(seen) = visible(env, reading.steps, Some(&document))? {
                let element = initial(seen, reading.include_types)?;
                let copies = reading.copies.map_or(Ok(1), |copies| copies(&document))?;
                bytes += element.len() * copies;
                values.extend(std::iter::repeat_n(element, copies));
            }
        }
        // Documents read ahead are from this snapshot, but the next entry in `reads` is for a later one.
        self.pause();
        Ok(Read { values, last })
    }

    fn next(&mut self, env: &Env) -> Result<Option<Datum>, ReqlError> {
        env.check_interrupted()?;
        match self {
            Self::Between(scan) => scan.next(env),
            Self::Keys(lookup) => lookup.next(env),
            Self::Listed(lookup) => lookup.next_readable(env),
        }
    }

    fn pause(&mut self) {
        if let Self::Between(scan) = self {
            scan.pause();
        }
    }
}

/// The element of an initial value.
pub(super) fn initial(document: Datum, include_types: bool) -> Result<Bytes, ReqlError> {
    let kind = include_types.then(|| ("type", "initial".into()));
    encode(&Datum::object(
        [("new_val", document)].into_iter().chain(kind),
    ))
}

/// An element as JSON.
pub(super) fn encode(element: &Datum) -> Result<Bytes, ReqlError> {
    let mut json = Vec::new();
    element.write_json(&mut json)?;
    Ok(json.into())
}
