//! The frames of RethinkDB's wire protocol: pure codecs, without sockets.
//!
//! A frame is a token (i64, little endian), a length in bytes (u32, little endian) and a JSON text of that length. The
//! client's text is `[type, term, optargs]`, the server's `{"t":type,"e":error,"r":[…],"b":[…],"n":[…]}`.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::datum::json::Node;
use crate::engine::datum::{Datum, print::write_string};
use crate::engine::error::{ErrorKind, ReqlError};
use crate::engine::eval::term::Term;

/// Token and length.
pub(crate) const HEADER_BYTES: usize = 12;

/// The longest query that RethinkDB takes (`MAX_QUERY_SIZE` in `client_protocol/protocols.hpp`).
pub(crate) const MAX_QUERY_BYTES: u32 = 134_217_727;

/// From this size on an encoded element is sent from where it lies; below it, copying is cheaper than another write.
const SHARE_BYTES: usize = 16 * 1024;

/// What a client asks for.
#[derive(Debug)]
pub(crate) enum Query {
    /// Evaluate a term.
    Start(Start),
    /// Send more of the stream that this token started.
    Continue,
    /// End the stream that this token started.
    Stop,
    /// Answer when every query that wanted no reply has been carried out.
    NoreplyWait,
    /// Who is there?
    ServerInfo,
}

/// A term to evaluate.
#[derive(Debug)]
pub(crate) struct Start {
    /// The compiled query, or why it cannot be compiled.
    pub(crate) term: Result<Term, ReqlError>,
    /// The global optional arguments, such as `db`.
    pub(crate) optargs: Vec<(Arc<str>, Term)>,
    /// Whether the client wants no answer.
    pub(crate) noreply: bool,
}

/// Reads the token and the length of a frame.
pub(crate) fn parse_header(header: [u8; HEADER_BYTES]) -> (i64, u32) {
    let (token, length) = header.split_at(8);
    (
        i64::from_le_bytes(token.try_into().expect("8 of 12 bytes")),
        u32::from_le_bytes(length.try_into().expect("4 of 12 bytes")),
    )
}

/// Reads the JSON text of a client's frame.
///
/// # Errors
/// A client error where the text is no query at all. What is wrong with the term is kept in [`Start`].
pub(crate) fn parse_query(body: &[u8]) -> Result<Query, ReqlError> {
    let client_error = |message: String| ReqlError::new(ErrorKind::Client, message);
    let Ok(Node::Array(items)) = Node::parse(body) else {
        return Err(client_error(
            "Client is buggy (failed to deserialize query).".into(),
        ));
    };
    let mut items = items.into_iter();
    let kind = match items.next() {
        Some(Node::Number(kind)) => kind,
        _ => {
            return Err(client_error(
                "Server could not parse query: Expected a query type as a NUMBER.".into(),
            ));
        }
    };
    match kind as i64 {
        1 if kind == 1.0 => parse_start(items.next(), items.next()).map(Query::Start),
        2 if kind == 2.0 => Ok(Query::Continue),
        3 if kind == 3.0 => Ok(Query::Stop),
        4 if kind == 4.0 => Ok(Query::NoreplyWait),
        5 if kind == 5.0 => Ok(Query::ServerInfo),
        _ => Err(client_error(format!(
            "Server could not parse query: Unrecognized QueryType: {kind}."
        ))),
    }
}

/// The global optional arguments that RethinkDB knows (`global_optargs` in `optargs.cc`).
const GLOBAL_OPTARGS: &[&str] = &[
    "array_limit",
    "binary_format",
    "changefeed_queue_size",
    "db",
    "durability",
    "first_batch_scaledown_factor",
    "group_format",
    "identifier_format",
    "max_batch_bytes",
    "max_batch_rows",
    "max_batch_seconds",
    "min_batch_rows",
    "noreply",
    "profile",
    "read_mode",
    "time_format",
    "use_outdated",
    "user",
];

fn parse_start(term: Option<Node<'_>>, optargs: Option<Node<'_>>) -> Result<Start, ReqlError> {
    let term = term.ok_or_else(|| {
        ReqlError::new(
            ErrorKind::Client,
            "Server could not parse query: Expected a term in a START query.",
        )
    })?;
    let optargs = match optargs {
        Some(Node::Object(optargs)) => optargs,
        _ => Vec::new(),
    };
    let noreply = optargs
        .iter()
        .any(|(name, value)| name == "noreply" && *value == Node::Bool(true));
    let mut compiled = Vec::new();
    let mut failure = None;
    for (name, value) in optargs {
        if !GLOBAL_OPTARGS.contains(&&*name) {
            failure = Some(ReqlError::compile(format!(
                "Unrecognized global optional argument `{name}`."
            )));
            break;
        }
        match Term::compile(value) {
            Ok(term) => compiled.push((Arc::from(name), term)),
            Err(error) => failure = Some(error),
        }
    }
    let term = Term::compile(term).and_then(|term| failure.map_or(Ok(term), Err));
    Ok(Start {
        term,
        optargs: compiled,
        noreply,
    })
}

/// What kind of stream an answer is part of: the `n` of a response (`Response.ResponseNote` in `ql2.proto`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Notes {
    /// 1: a feed of a table or a range of it.
    pub(crate) table_feed: bool,
    /// 2: a feed of one document.
    pub(crate) point_feed: bool,
    /// 5: the feed tells its state.
    pub(crate) include_states: bool,
}

impl Notes {
    fn to_json(self) -> String {
        let notes = [
            (self.table_feed, "1"),
            (self.point_feed, "2"),
            (self.include_states, "5"),
        ];
        let set: Vec<&str> = notes
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, note)| *note)
            .collect();
        format!("[{}]", set.join(","))
    }
}

/// An answer, ready to be written: its parts in order. Large elements of feeds are shared, not copied.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) parts: Vec<Bytes>,
}

impl Frame {
    /// One value (`SUCCESS_ATOM`), which may be read from the disk as it is encoded.
    ///
    /// # Errors
    /// When a stored binary cannot be read.
    pub(crate) fn atom(token: i64, value: &Datum) -> Result<Self, ReqlError> {
        let mut body = Body::new(r#"{"t":1,"r":["#);
        value.write_json(&mut body.tail)?;
        Ok(body.finish(token, "]}"))
    }

    /// Part of a stream: the last (`SUCCESS_SEQUENCE`) or not (`SUCCESS_PARTIAL`).
    pub(crate) fn sequence(token: i64, elements: &[Bytes], more: bool, notes: Notes) -> Self {
        let mut body = Body::new(if more {
            r#"{"t":3,"r":["#
        } else {
            r#"{"t":2,"r":["#
        });
        for (i, element) in elements.iter().enumerate() {
            if i > 0 {
                body.tail.push(b',');
            }
            body.push(element);
        }
        body.finish(token, &format!(r#"],"n":{}}}"#, notes.to_json()))
    }

    /// The answer to `NOREPLY_WAIT`.
    pub(crate) fn wait_complete(token: i64) -> Self {
        Body::new(r#"{"t":4,"r":["#).finish(token, "]}")
    }

    /// The answer to `SERVER_INFO`.
    pub(crate) fn server_info(token: i64, id: &str, name: &str) -> Self {
        let mut body = Body::new(r#"{"t":5,"r":[{"id":"#);
        write_string(id, &mut body.tail);
        body.tail.extend(br#","name":"#);
        write_string(name, &mut body.tail);
        body.finish(token, r#","proxy":false}]}"#)
    }

    /// A failed query. The backtrace is empty: the drivers take that.
    pub(crate) fn error(token: i64, error: &ReqlError) -> Self {
        let mut body = Body::new(&format!(r#"{{"t":{}"#, error.kind.response_type()));
        if let Some(kind) = error.kind.error_type() {
            body.tail.extend(format!(r#","e":{kind}"#).bytes());
        }
        body.tail.extend(br#","r":["#);
        write_string(&error.message, &mut body.tail);
        body.finish(token, r#"],"b":[]}"#)
    }
}

/// The parts of an answer that are done, and the one that grows.
struct Body {
    /// The part that begins with the header; empty until the first shared element follows it.
    head: Vec<u8>,
    parts: Vec<Bytes>,
    tail: Vec<u8>,
}

impl Body {
    /// Starts a frame; the header is filled in at the end.
    fn new(start: &str) -> Self {
        let mut tail = vec![0; HEADER_BYTES];
        tail.extend(start.bytes());
        Self {
            head: Vec::new(),
            parts: Vec::new(),
            tail,
        }
    }

    fn push(&mut self, element: &Bytes) {
        if element.len() < SHARE_BYTES {
            self.tail.extend_from_slice(element);
            return;
        }
        let before = std::mem::take(&mut self.tail);
        if self.head.is_empty() {
            self.head = before;
        } else {
            self.parts.push(before.into());
        }
        self.parts.push(element.clone());
    }

    fn finish(mut self, token: i64, end: &str) -> Frame {
        self.tail.extend(end.bytes());
        if self.head.is_empty() {
            self.head = self.tail;
        } else {
            self.parts.push(self.tail.into());
        }
        let length =
            self.head.len() - HEADER_BYTES + self.parts.iter().map(Bytes::len).sum::<usize>();
        self.head[..8].copy_from_slice(&token.to_le_bytes());
        // An answer of over 4 GiB cannot be: a batch is bounded, and so is the longest document.
        self.head[8..HEADER_BYTES].copy_from_slice(&(length as u32).to_le_bytes());
        self.parts.insert(0, self.head.into());
        Frame { parts: self.parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(frame: &Frame) -> (i64, String) {
        let all = frame.parts.concat();
        let (token, length) = parse_header(all[..HEADER_BYTES].try_into().unwrap());
        assert_eq!(length as usize, all.len() - HEADER_BYTES);
        (
            token,
            String::from_utf8(all[HEADER_BYTES..].to_vec()).unwrap(),
        )
    }

    #[test]
    fn large_elements_are_shared_and_small_ones_copied() {
        let large = Bytes::from(vec![b'1'; SHARE_BYTES]);
        let frame = Frame::sequence(
            7,
            &[Bytes::from_static(b"2"), large.clone()],
            true,
            Notes::default(),
        );
        assert_eq!(frame.parts.len(), 3);
        assert_eq!(frame.parts[1].as_ptr(), large.as_ptr());
        let (token, text) = text(&frame);
        assert_eq!(token, 7);
        assert!(text.starts_with(r#"{"t":3,"r":[2,11"#) && text.ends_with(r#"11],"n":[]}"#));
    }

    #[test]
    fn errors_carry_their_class() {
        let (_, text) = text(&Frame::error(1, &ReqlError::missing("not \"here\"")));
        assert_eq!(text, r#"{"t":18,"e":3100000,"r":["not \"here\""],"b":[]}"#);
    }
}
