//! Changefeeds: the term `changes` and the sequence that it returns.

mod changes;
mod initial_values;
mod options;
mod sequence;
mod visible;

pub(crate) use changes::changes;
pub(crate) use sequence::Feed;
