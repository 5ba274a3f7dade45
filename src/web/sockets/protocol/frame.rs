//! Encoding of a server's WebSocket frames (RFC 6455, section 5).

use bytes::{BufMut as _, Bytes, BytesMut};

const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;
/// Marks the last fragment of a message.
pub(crate) const FINAL: u8 = 0x80;
/// Marks the first frame of a compressed message (RFC 7692, section 6).
pub(crate) const COMPRESSED: u8 = 0x40;

/// The longest payload of a control frame, in bytes.
pub(crate) const MAX_CONTROL: usize = 125;

/// The status code of a close frame (RFC 6455, section 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseCode {
    /// The client closed the session.
    Normal = 1000,
    /// The server is shutting down.
    Away = 1001,
    /// The client violated the protocol.
    Protocol = 1002,
    /// The client sent a binary message.
    Unsupported = 1003,
    /// The client sent text that is not UTF-8.
    Invalid = 1007,
    /// The client sent a message over the size limit.
    TooBig = 1009,
    /// The link of the viewer has been revoked or has expired.
    NoLink = 4401,
    /// The board has been deleted.
    NoBoard = 4404,
}

/// An encoded frame, which is sent without interruption. The bytes of an image are shared by all frames that carry
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The header, and the payload of a small frame.
    pub(crate) head: Bytes,
    /// The payload of a large frame.
    pub(crate) rest: Bytes,
}

/// Encodes a text message.
pub(crate) fn text(text: &str) -> Frame {
    unfragmented(TEXT, text.as_bytes())
}

/// Encodes a text message that [`deflate`](super::deflate::deflate) has compressed.
pub(crate) fn compressed_text(payload: &[u8]) -> Frame {
    unfragmented(TEXT | COMPRESSED, payload)
}

/// Encodes a fragment of a binary message.
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

/// Encodes a ping.
pub(crate) fn ping() -> Frame {
    unfragmented(PING, b"")
}

/// Encodes the answer to a client's ping.
pub(crate) fn pong(payload: &[u8]) -> Frame {
    unfragmented(PONG, &payload[..payload.len().min(MAX_CONTROL)])
}

/// Encodes a close frame.
pub(crate) fn close(code: CloseCode) -> Frame {
    unfragmented(CLOSE, &(code as u16).to_be_bytes())
}

fn unfragmented(kind: u8, payload: &[u8]) -> Frame {
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
    fn a_length_takes_one_three_or_nine_bytes() {
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
    fn the_payload_of_a_control_frame_is_limited() {
        assert_eq!(ping().head, &b"\x89\x00"[..]);
        assert_eq!(close(CloseCode::Away).head, &b"\x88\x02\x03\xe9"[..]);
        assert_eq!(pong(&[0; 200]).head.len(), 127);
    }
}
