//! The functions of secondary indexes, compiled by the evaluator.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::catalog::{Index, IndexId};
use super::index_entry;
use crate::engine::datum::Datum;
use crate::engine::error::ReqlError;

/// Returns the encoded values under which an index has a document, each with its position in the array of a multi
/// index. The order of the encodings is that of the values, and none is another one followed by a byte 0.
///
/// # Errors
/// A stored binary that cannot be read.
pub type IndexFunction =
    Arc<dyn Fn(&Datum) -> Result<Vec<(Vec<u8>, u32)>, ReqlError> + Send + Sync>;

/// Compiles the function of an index.
///
/// # Errors
/// When the stored function is damaged.
pub type CompileIndex = Box<dyn Fn(&Index) -> Result<IndexFunction, ReqlError> + Send + Sync>;

/// The compiled functions of the writer thread, each compiled on first use.
pub(super) struct IndexFunctions {
    compile: CompileIndex,
    /// `None` for an unusable function.
    compiled: RefCell<HashMap<IndexId, Option<IndexFunction>>>,
}

impl IndexFunctions {
    pub(super) fn new(compile: CompileIndex) -> Self {
        Self {
            compile,
            compiled: RefCell::default(),
        }
    }

    /// Returns `true` unless the function is damaged, or failed for the documents of the table. Such an index is never
    /// ready.
    pub(super) fn is_usable(&self, index: &Index) -> bool {
        self.function(index).is_some()
    }

    /// The keys of the entries of a document, in no order.
    ///
    /// # Errors
    /// A stored binary that cannot be read.
    pub(super) fn entries(
        &self,
        index: &Index,
        primary_key: &[u8],
        document: Option<&Datum>,
    ) -> Result<Vec<Vec<u8>>, ReqlError> {
        let (Some(document), Some(function)) = (document, self.function(index)) else {
            return Ok(Vec::new());
        };
        let values = function(document)?;
        Ok(values
            .iter()
            .map(|(value, position)| index_entry::entry(value, primary_key, *position))
            .collect())
    }

    /// Makes an index unusable.
    pub(super) fn disable(&self, index: IndexId) {
        self.compiled.borrow_mut().insert(index, None);
    }

    fn function(&self, index: &Index) -> Option<IndexFunction> {
        let compile = || {
            (self.compile)(index)
                .inspect_err(|error| {
                    log::error!("the index `{}` cannot be used: {error}", index.name);
                })
                .ok()
        };
        self.compiled
            .borrow_mut()
            .entry(index.id)
            .or_insert_with(compile)
            .clone()
    }
}
