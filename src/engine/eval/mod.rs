//! The evaluator: turns terms into values.
//!
//! [`Env::eval`] dispatches a term to the function that implements it, and that function calls [`Env::eval`] for its
//! arguments.

mod admin;
mod aggregate;
mod arguments;
mod arithmetic;
mod array;
mod call;
mod catalog;
mod coerce;
mod control;
mod env;
mod feed;
mod func;
mod identifiers;
mod index;
mod index_function;
mod indexed_sort;
mod info;
mod merge;
mod number;
mod object;
mod path;
mod pattern;
mod read_options;
mod scan;
mod scope;
mod selection;
mod seq;
mod slice;
mod sort;
mod step;
mod stream;
mod system;
mod table;
pub(crate) mod term;
mod text;
mod time;
mod union;
mod value;
mod write;

pub(crate) use arguments::globals;
pub(crate) use env::{Context, Env, Globals};
pub(crate) use feed::Feed;
pub(crate) use index_function::compile as compile_index;
pub(crate) use scope::Scope;
pub(crate) use stream::Stream;
pub(crate) use value::Value;
