//! A ReQL value: JSON, plus binary and time.

mod binary;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use binary::{Binary, BlobSource};

/// A document or an object inside one: fields in the byte order of their names.
pub type Object = BTreeMap<Arc<str>, Datum>;

/// A ReQL value. Cloning is cheap: everything that can be large is shared.
#[derive(Clone, Debug)]
pub enum Datum {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite double; ReQL knows no other numbers.
    Number(f64),
    /// Text. It may hold NUL characters, but a key may not.
    String(Arc<str>),
    /// A list of any values.
    Array(Arc<[Datum]>),
    /// An object whose fields are in byte order, as RethinkDB prints them.
    Object(Arc<Object>),
    /// The pseudotype `BINARY`.
    Binary(Binary),
    /// The pseudotype `TIME`.
    Time(Time),
}

/// A point in time, as the pseudotype `TIME` holds it.
#[derive(Clone, Debug)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z, rounded to milliseconds.
    pub epoch_seconds: f64,
    /// The offset to show it in: `+hh:mm` or `-hh:mm`. It plays no part in comparisons.
    pub timezone: Arc<str>,
}
