//! The terms that write documents.

mod change;
mod document;
mod for_each;
mod insert;
mod options;
mod stats;

pub(crate) use change::change;
pub(crate) use for_each::for_each;
pub(crate) use insert::insert;
pub(crate) use options::parse_durability;
