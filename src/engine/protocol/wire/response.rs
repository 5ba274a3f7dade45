//! The responses that the server sends.

use bytes::Bytes;

use super::header::HEADER_BYTES;
use crate::engine::datum::{Datum, print::write_string};
use crate::engine::error::ReqlError;

/// The size in bytes from which an encoded element is shared instead of copied into the frame. Below it, copying is
/// cheaper than another write to the socket.
const MIN_SHARED_BYTES: usize = 16 * 1024;

/// The `n` of a response: the kind of its stream (`Response.ResponseNote` in `ql2.proto`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Notes {
    /// 1 (`SEQUENCE_FEED`): the changefeed of a table or a range of it.
    pub(crate) table_feed: bool,
    /// 2 (`ATOM_FEED`): the changefeed of one document.
    pub(crate) point_feed: bool,
    /// 5 (`INCLUDES_STATES`): the changefeed reports its state.
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

/// An encoded response: parts to be written in order. Large elements of feeds are shared, not copied.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) parts: Vec<Bytes>,
}

impl Frame {
    /// A single value (`SUCCESS_ATOM`). Blocks on the disk if the value holds stored binaries.
    ///
    /// # Errors
    /// When a stored binary cannot be read.
    pub(crate) fn atom(token: i64, value: &Datum) -> Result<Self, ReqlError> {
        let mut body = Body::new(r#"{"t":1,"r":["#);
        value.write_json(&mut body.tail)?;
        Ok(body.finish(token, "]}"))
    }

    /// A part of a stream: `SUCCESS_SEQUENCE` for the last one, `SUCCESS_PARTIAL` for any other.
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

    /// The response to `NOREPLY_WAIT`.
    pub(crate) fn wait_complete(token: i64) -> Self {
        Body::new(r#"{"t":4,"r":["#).finish(token, "]}")
    }

    /// The response to `SERVER_INFO`.
    pub(crate) fn server_info(token: i64, id: &str, name: &str) -> Self {
        let mut body = Body::new(r#"{"t":5,"r":[{"id":"#);
        write_string(id, &mut body.tail);
        body.tail.extend(br#","name":"#);
        write_string(name, &mut body.tail);
        body.finish(token, r#","proxy":false}]}"#)
    }

    /// The error of a failed query. The backtrace `b` is empty but present, because the JavaScript driver crashes
    /// without it.
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

/// A frame under construction.
struct Body {
    /// The part that begins with the header; empty until the first shared element.
    head: Vec<u8>,
    parts: Vec<Bytes>,
    /// The part that elements are appended to.
    tail: Vec<u8>,
}

impl Body {
    /// Starts a frame with space for the header, which [`Body::finish`] fills in.
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
        if element.len() < MIN_SHARED_BYTES {
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
        // The length fits: batches and documents are bounded far below 4 GiB.
        self.head[8..HEADER_BYTES].copy_from_slice(&(length as u32).to_le_bytes());
        self.parts.insert(0, self.head.into());
        Frame { parts: self.parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::protocol::wire::parse_header;

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
        let large = Bytes::from(vec![b'1'; MIN_SHARED_BYTES]);
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
