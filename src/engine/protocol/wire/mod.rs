//! The frames of RethinkDB's wire protocol: pure codecs, without sockets.
//!
//! A frame is a token (i64, little endian), a length in bytes (u32, little endian) and a JSON text of that length. The
//! client's text is `[type, term, optargs]`, the server's `{"t":type,"e":error,"r":[…],"b":[…],"n":[…]}`
//! (`client_protocol/json.cc`).

mod header;
mod query;
mod response;

pub(crate) use header::{HEADER_BYTES, MAX_QUERY_BYTES, parse_header};
pub(crate) use query::{Query, Start, parse_query};
pub(crate) use response::{Frame, Notes};
