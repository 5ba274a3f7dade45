//! Validation of a client's frame headers (RFC 6455, section 5.2) before their payload is buffered.
//!
//! The parser of actix-http 3.20 behind it buffers a whole frame, of any length, before it checks the length.

use super::frame::{COMPRESSED, CloseCode, FINAL, MAX_CONTROL, TEXT};

/// The bits reserved for extensions, which must be zero unless the extension is in use.
const RESERVED: u8 = 0x70;
/// The bit that distinguishes control frames from data frames.
const CONTROL: u8 = 0x08;
/// The bit in the second byte that every frame of a client has set.
const MASKED: u8 = 0x80;
/// The length of the mask.
const MASK: usize = 4;
/// The longest header: two bytes, a length of eight bytes, and the mask.
const MAX_HEADER: usize = 2 + 8 + MASK;

/// A state machine over a client's bytes. It buffers an incomplete header and nothing else.
pub(crate) struct FrameScanner {
    /// The size limit of a message, in one frame or several.
    limit: u64,
    /// Messages may be compressed.
    takes_compressed: bool,
    /// The bytes of the current header.
    header: [u8; MAX_HEADER],
    /// The number of header bytes received.
    received: usize,
    /// The number of payload bytes still to come.
    payload: u64,
    /// The length of the current message so far.
    message: u64,
}

impl FrameScanner {
    pub(crate) fn new(limit: u64, takes_compressed: bool) -> Self {
        Self {
            limit,
            takes_compressed,
            header: [0; MAX_HEADER],
            received: 0,
            payload: 0,
            message: 0,
        }
    }

    /// Scans the next bytes. Calls `on_frame` with the position of the first byte of each frame.
    ///
    /// # Errors
    ///
    /// The close code for an invalid frame, and the number of bytes that belong to valid frames before it.
    pub(crate) fn scan(
        &mut self,
        bytes: &[u8],
        mut on_frame: impl FnMut(usize),
    ) -> Result<(), (usize, CloseCode)> {
        let mut done = 0;
        let mut position = 0;
        while position < bytes.len() {
            if self.payload > 0 {
                let rest = bytes.len() - position;
                let step = usize::try_from(self.payload).map_or(rest, |payload| payload.min(rest));
                self.payload -= step as u64;
                position += step;
                done = position;
                continue;
            }
            if self.received == 0 {
                on_frame(position);
            }
            self.header[self.received] = bytes[position];
            self.received += 1;
            position += 1;
            if self.parse_header().map_err(|code| (done, code))? {
                done = position;
            }
        }
        Ok(())
    }

    /// Returns whether the header is complete, and then expects the payload.
    fn parse_header(&mut self) -> Result<bool, CloseCode> {
        let header = &self.header[..self.received];
        let [first, second, rest @ ..] = header else {
            return Ok(false);
        };
        let is_control = first & CONTROL != 0;
        let may_have = if self.takes_compressed && first & 0x0f == TEXT {
            COMPRESSED
        } else {
            0
        };
        if first & RESERVED & !may_have != 0
            || second & MASKED == 0
            || is_control && (first & FINAL == 0 || second & !MASKED > MAX_CONTROL as u8)
        {
            return Err(CloseCode::Protocol);
        }
        let (length, width) = match (second & !MASKED, rest) {
            (126, [a, b, ..]) => (u64::from(u16::from_be_bytes([*a, *b])), 2),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), 8)
            }
            (126 | 127, _) => return Ok(false),
            (short, _) => (u64::from(short), 0),
        };
        let is_continuation = first & 0x0f == 0;
        let before = if is_continuation { self.message } else { 0 };
        let message = before.saturating_add(length);
        if !is_control && message > self.limit {
            return Err(CloseCode::TooBig);
        }
        if rest.len() < width + MASK {
            return Ok(false);
        }
        if !is_control {
            self.message = message;
        }
        self.payload = length;
        self.received = 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 64 << 10;

    fn frame(first: u8, length: u64) -> Vec<u8> {
        let mut frame = vec![first];
        match length {
            0..=125 => frame.push(MASKED | length as u8),
            126..=0xffff => {
                frame.push(MASKED | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(MASKED | 127);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.resize(frame.len() + length.min(LIMIT) as usize, b'a');
        frame
    }

    /// Scans `bytes` in pieces of `size` bytes.
    fn scanned(bytes: &[u8], size: usize) -> Result<(), (usize, CloseCode)> {
        let mut scanner = FrameScanner::new(LIMIT, false);
        for (number, piece) in bytes.chunks(size).enumerate() {
            scanner
                .scan(piece, |_| ())
                .map_err(|(done, code)| (number * size + done, code))?;
        }
        Ok(())
    }

    #[test]
    fn valid_frames_pass_in_pieces_of_any_size() {
        let frames = [
            frame(0x81, 0),
            frame(0x81, 125),
            frame(0x89, 125),
            frame(0x82, 126),
            frame(0x01, 40_000),
            frame(0x8a, 0),
            frame(0x80, 25_536),
            frame(0x81, LIMIT),
            frame(0x01, LIMIT),
            frame(0x80, 0),
            frame(0x88, 2),
        ]
        .concat();
        for size in [1, 2, 3, 7, 1000, frames.len()] {
            assert_eq!(scanned(&frames, size), Ok(()), "{size}");
        }
    }

    #[test]
    fn an_invalid_frame_is_rejected_by_its_header() {
        let before = frame(0x81, 5);
        for (wrong, code) in [
            (frame(0x81, LIMIT + 1), CloseCode::TooBig),
            (frame(0x02, 1 << 40), CloseCode::TooBig),
            (frame(0x81, u64::MAX), CloseCode::TooBig),
            (frame(0x89, 126), CloseCode::Protocol),
            (frame(0x88, 1 << 40), CloseCode::Protocol),
            (frame(0x09, 0), CloseCode::Protocol),
            (frame(0xc1, 5), CloseCode::Protocol),
            (frame(0x91, 5), CloseCode::Protocol),
            (b"\x81\x05hello".to_vec(), CloseCode::Protocol),
        ] {
            let bytes = [before.clone(), wrong].concat();
            assert_eq!(scanned(&bytes, bytes.len()), Err((before.len(), code)));
            let (_, found) = scanned(&bytes, 1).unwrap_err();
            assert_eq!(found, code);
        }
    }

    #[test]
    fn a_compressed_text_is_valid_if_the_extension_is_in_use() {
        let bytes = [frame(0x41, 5), frame(0x80, 7), frame(0xc1, 3)].concat();
        let mut starts = Vec::new();
        let mut scanner = FrameScanner::new(LIMIT, true);
        assert_eq!(scanner.scan(&bytes, |start| starts.push(start)), Ok(()));
        assert_eq!(starts, [0, 11, 24]);
        for wrong in [0xc0, 0xc2, 0xc9, 0xa1, 0xe1] {
            let mut scanner = FrameScanner::new(LIMIT, true);
            let scanned = scanner.scan(&frame(wrong, 3), |_| ());
            assert_eq!(scanned, Err((0, CloseCode::Protocol)), "{wrong:x}");
        }
        assert_eq!(scanned(&bytes, bytes.len()), Err((0, CloseCode::Protocol)));
    }

    #[test]
    fn the_fragments_of_a_message_share_the_limit() {
        let parts = [
            frame(0x01, 60_000),
            frame(0x89, 100),
            frame(0x00, 5_000),
            frame(0x00, 537),
        ];
        let good = parts[..3].concat().len();
        let bytes = parts.concat();
        assert_eq!(scanned(&bytes, bytes.len()), Err((good, CloseCode::TooBig)));
    }
}
