//! ReQL values: JSON plus the pseudotypes `BINARY` and `TIME`.

mod binary;
mod iso8601;
pub(crate) mod json;
mod key;
pub(crate) mod order;
mod parse;
pub(crate) mod print;
mod time;
mod value;

pub use binary::{Binary, BlobSource};
pub(crate) use key::{describe_key, index_key, primary_key};
pub(crate) use parse::{from_fields, from_node, pseudotype};
pub use time::Time;
pub use value::{Datum, Object};
