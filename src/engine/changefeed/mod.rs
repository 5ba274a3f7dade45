//! Changefeeds: each change is evaluated and encoded once for each distinct feed query, and the bytes are shared by all
//! feeds of that query.
//!
//! A feed query provides its view as a closure, so that this module does not depend on the evaluator.

mod deliveries;
mod hub;
mod item;
mod query;
mod queue;

pub(crate) use hub::{Hub, Subscription};
pub(crate) use item::overflow_element;
pub(crate) use query::{Copies, FeedQuery, Range, View};
pub(crate) use queue::Pending;
