//! The functions of secondary indexes.

use std::sync::Arc;

use super::env::Env;
use super::func::Func;
use super::scope::Scope;
use super::term::{Call, Term, TermKind};
use crate::engine::datum::json::Node;
use crate::engine::datum::{Datum, index_key};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::storage::{Index, IndexFunction};

/// The stored form of an index's function: its `FUNC` term in JSON.
///
/// # Errors
/// A function with an invalid constant.
pub(crate) fn function_text(function: &Term) -> Result<Arc<str>, ReqlError> {
    Ok(function.to_json()?.into())
}

/// Compiles the function of an index for the storage, which calls it for each document that is written.
///
/// # Errors
/// A damaged function.
pub(crate) fn compile(index: &Index) -> Result<IndexFunction, ReqlError> {
    let function = function_of(index)?;
    let index = index.clone();
    Ok(Arc::new(move |document| {
        let values = indexed_values(&Env::detached(), &index, &function, document)?;
        // A value that cannot be a key has no entry. `minval` and `maxval` are keys only as bounds.
        let keys = values
            .iter()
            .zip(0..)
            .filter(|(value, _)| !value.has_extreme())
            .filter_map(|(value, position)| Some((index_key(value).ok()?, position)));
        Ok(keys.collect())
    }))
}

/// The `FUNC` term of an index's function.
///
/// # Errors
/// A damaged function, and one with a term that the engine does not implement.
pub(crate) fn function_term(text: &str) -> Result<Arc<Call>, ReqlError> {
    let damaged = || ReqlError::new(ErrorKind::Internal, "the function of an index is damaged");
    let node = Node::parse(text.as_bytes()).map_err(|_| damaged())?;
    match Term::compile(node)? {
        Term::Call(call) if call.kind == TermKind::Func => Ok(call),
        _ => Err(damaged()),
    }
}

/// The function of an index.
///
/// # Errors
/// As [`function_term`].
pub(super) fn function_of(index: &Index) -> Result<Func, ReqlError> {
    Func::new(&*function_term(&index.function)?, &Scope::default())
}

/// The results of the function of an index: those of the elements for an array in a multi index. Empty if the function
/// fails.
pub(super) fn indexed_values(
    env: &Env,
    index: &Index,
    function: &Func,
    document: &Datum,
) -> Result<Vec<Datum>, ReqlError> {
    match function.call(env, std::slice::from_ref(document)) {
        Ok(Datum::Array(items)) if index.multi => Ok(items.to_vec()),
        Ok(value) => Ok(vec![value]),
        Err(error) if error.kind == ErrorKind::Internal => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}
