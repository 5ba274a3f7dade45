//! The terms of a query: a validated tree, compiled from JSON and printed back to it.

mod compile;
mod kind;
mod position;
mod print;
mod tree;

pub(crate) use kind::TermKind;
pub(crate) use tree::{Call, Term};
