//! The heads of a client's frames (RFC 6455, section 5.2), looked at before anything of a frame is kept.
//!
//! The parser behind it takes in a whole frame before it looks at its length, however long.

use super::frame::{CloseCode, FINAL, MAX_CONTROL};

/// The bits that an extension would use; none is.
const RESERVED: u8 = 0x70;
/// Tells control frames from those with data.
const CONTROL: u8 = 0x08;
/// In the second byte; each frame of a client has it.
const MASKED: u8 = 0x80;
/// How long the mask is.
const MASK: usize = 4;
/// The longest head: two bytes, a length of eight, and the mask.
const LONGEST_HEAD: usize = 2 + 8 + MASK;

/// Follows a client's bytes from frame to frame. It keeps nothing but an unfinished head.
pub(crate) struct Scanner {
    /// The most bytes that a message may have, in one frame or several.
    limit: u64,
    /// The head that has begun.
    head: [u8; LONGEST_HEAD],
    /// How much of it is here.
    known: usize,
    /// How much of the frame's payload is to come.
    payload: u64,
    /// How long the message has been so far.
    message: u64,
}

impl Scanner {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            head: [0; LONGEST_HEAD],
            known: 0,
            payload: 0,
            message: 0,
        }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    /// Why the session must end, and how many of these bytes belong to the frames before.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Result<(), (usize, CloseCode)> {
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
            self.head[self.known] = bytes[position];
            self.known += 1;
            position += 1;
            if self.take_head().map_err(|code| (done, code))? {
                done = position;
            }
        }
        Ok(())
    }

    /// Whether the head is complete; then the payload follows.
    fn take_head(&mut self) -> Result<bool, CloseCode> {
        let head = &self.head[..self.known];
        let [first, second, rest @ ..] = head else {
            return Ok(false);
        };
        let is_control = first & CONTROL != 0;
        if first & RESERVED != 0
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
        self.known = 0;
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

    /// The outcome for bytes that come in pieces of one size: where the good ones end, and what is wrong.
    fn scanned(bytes: &[u8], size: usize) -> Result<(), (usize, CloseCode)> {
        let mut scanner = Scanner::new(LIMIT);
        for (number, piece) in bytes.chunks(size).enumerate() {
            scanner
                .scan(piece)
                .map_err(|(done, code)| (number * size + done, code))?;
        }
        Ok(())
    }

    #[test]
    fn frames_within_the_limits_pass_however_they_are_cut() {
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
    fn what_is_wrong_with_a_frame_shows_in_its_head() {
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
    fn the_parts_of_a_message_count_together() {
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
