//! The terms that write documents.

mod change;
mod document;
mod for_each;
mod insert;
mod options;
mod stats;
mod storable;

pub(crate) use change::{change, check_deterministic};
pub(crate) use for_each::for_each;
pub(crate) use insert::insert;
pub(crate) use options::parse_durability;
