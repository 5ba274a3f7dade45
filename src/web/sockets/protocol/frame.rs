//! WebSocket frames from a server (RFC 6455, section 5).

use bytes::{BufMut as _, Bytes, BytesMut};

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
/// Marks the last fragment of a message.
pub(crate) const FINAL: u8 = 0x80;

/// The most that a control frame may carry.
pub(crate) const MAX_CONTROL: usize = 125;

/// Why a session ends, by the numbers of RFC 6455, section 7.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The client closed.
    Normal = 1000,
    /// The server stops.
    Away = 1001,
    /// The client broke the protocol.
    Protocol = 1002,
    /// The client sent bytes where text is spoken.
    Unsupported = 1003,
    /// The client's text is not UTF-8.
    Invalid = 1007,
    /// The client's message is too long.
    TooBig = 1009,
}

/// A frame, which nothing may interrupt. A picture's part of it is shared among all who are sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The header, and the payload of a small frame.
    pub(crate) head: Bytes,
    /// The rest.
    pub(crate) rest: Bytes,
}

/// A text message.
pub(crate) fn text(text: &str) -> Frame {
    whole(TEXT, text.as_bytes())
}

/// A part of a binary message.
pub(crate) fn fragment(part: Bytes, is_first: bool, is_last: bool) -> Frame {
    let mut head = BytesMut::with_capacity(10);
    let kind = if is_first { BINARY } else { CONTINUATION };
    put_header(
        &mut head,
        kind | if is_last { FINAL } else { 0 },
        part.len(),
    );
    Frame {
        head: head.freeze(),
        rest: part,
    }
}

/// A question for a sign of life.
pub(crate) fn ping() -> Frame {
    whole(PING, b"")
}

/// The answer to the client's.
pub(crate) fn pong(payload: &[u8]) -> Frame {
    whole(PONG, &payload[..payload.len().min(MAX_CONTROL)])
}

/// The last frame.
pub(crate) fn close(code: CloseCode) -> Frame {
    whole(CLOSE, &(code as u16).to_be_bytes())
}

fn whole(kind: u8, payload: &[u8]) -> Frame {
    let mut frame = BytesMut::with_capacity(10 + payload.len());
    put_header(&mut frame, kind | FINAL, payload.len());
    frame.extend_from_slice(payload);
    Frame {
        head: frame.freeze(),
        rest: Bytes::new(),
    }
}

fn put_header(frame: &mut BytesMut, first: u8, length: usize) {
    frame.put_u8(first);
    match length {
        0..=125 => frame.put_u8(length as u8),
        126..=0xffff => {
            frame.put_u8(126);
            frame.put_u16(length as u16);
        }
        _ => {
            frame.put_u8(127);
            frame.put_u64(length as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_one_three_or_nine_bytes() {
        assert_eq!(text("hi").head, &b"\x81\x02hi"[..]);
        assert_eq!(text(&"a".repeat(126)).head[..4], b"\x81\x7e\x00\x7e"[..]);
        assert_eq!(text(&"a".repeat(65_535)).head[..4], b"\x81\x7e\xff\xff"[..]);
        assert_eq!(
            text(&"a".repeat(65_536)).head[..10],
            b"\x81\x7f\0\0\0\0\0\x01\0\0"[..]
        );
    }

    #[test]
    fn a_binary_message_is_sent_in_fragments() {
        let part = Bytes::from_static(b"x");
        let head = |is_first, is_last| fragment(part.clone(), is_first, is_last).head;
        assert_eq!(head(true, true), &b"\x82\x01"[..]);
        assert_eq!(head(true, false), &b"\x02\x01"[..]);
        assert_eq!(head(false, false), &b"\x00\x01"[..]);
        assert_eq!(head(false, true), &b"\x80\x01"[..]);
        assert_eq!(fragment(part.clone(), true, true).rest, part);
    }

    #[test]
    fn control_frames_are_short() {
        assert_eq!(ping().head, &b"\x89\x00"[..]);
        assert_eq!(close(CloseCode::Away).head, &b"\x88\x02\x03\xe9"[..]);
        assert_eq!(pong(&[0; 200]).head.len(), 127);
    }
}
