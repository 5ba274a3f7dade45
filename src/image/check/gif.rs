//! GIF: every frame up to the trailer, its codes counted and not painted.

use super::reader::Reader;
use super::{Bounds, Unfit};

const KIND: &str = "GIF";

/// Width and height of a complete GIF.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, bytes);
    reader.take(6)?;
    let (width, height) = (u32::from(reader.le16()?), u32::from(reader.le16()?));
    bounds.size(KIND, width, height)?;
    let flags = reader.byte()?;
    reader.take(2)?;
    skip_palette(&mut reader, flags)?;

    let mut frames = 0_u32;
    loop {
        bounds.time()?;
        match reader.byte()? {
            0x21 => {
                reader.byte()?;
                while !next_block(&mut reader)?.is_empty() {}
            }
            0x2c => {
                frame(&mut reader, bounds)?;
                frames += 1;
            }
            0x3b if frames > 0 => return Ok((width, height)),
            0x3b => return Err(Unfit::Damaged(KIND, "it has no frames")),
            // Some encoders write one terminator too many.
            0x00 => {}
            _ => return Err(Unfit::Damaged(KIND, "a block of an unknown kind")),
        }
    }
}

fn skip_palette(reader: &mut Reader<'_>, flags: u8) -> Result<(), Unfit> {
    if flags & 0x80 != 0 {
        reader.take(3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

/// The next of the blocks that make up some data; an empty one is the last.
fn next_block<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Unfit> {
    let length = reader.byte()?;
    reader.take(usize::from(length))
}

fn frame(reader: &mut Reader<'_>, bounds: Bounds) -> Result<(), Unfit> {
    reader.take(4)?;
    let (width, height) = (u64::from(reader.le16()?), u64::from(reader.le16()?));
    if width * height > bounds.max_pixels {
        return Err(Unfit::Damaged(KIND, "a frame is larger than the image"));
    }
    let flags = reader.byte()?;
    skip_palette(reader, flags)?;
    let code_size = reader.byte()?;
    if !(1..=8).contains(&code_size) {
        return Err(Unfit::Damaged(KIND, "an impossible code size"));
    }
    let mut counter = PixelCounter::new(code_size);
    loop {
        let block = next_block(reader)?;
        if block.is_empty() {
            break;
        }
        counter.feed(block);
    }
    if counter.pixels < width * height {
        return Err(Unfit::Damaged(
            KIND,
            "a frame has fewer pixels than it says",
        ));
    }
    Ok(())
}

/// The largest number of codes, which have up to 12 bits.
const MAX_CODES: usize = 4096;

/// Counts the pixels that LZW codes stand for. The length of a code's string is all that it takes, so the work depends on
/// the bytes that there are and not on the pixels that they claim.
struct PixelCounter {
    /// The length of each code's string.
    lengths: [u32; MAX_CODES],
    code_size: u8,
    /// The bits of a code now.
    width: u32,
    /// The code that will be given next.
    next: usize,
    previous: Option<u32>,
    bits: u32,
    bit_count: u32,
    done: bool,
    pixels: u64,
}

impl PixelCounter {
    fn new(code_size: u8) -> Self {
        let mut lengths = [0; MAX_CODES];
        lengths[..1 << code_size].fill(1);
        let mut counter = Self {
            lengths,
            code_size,
            width: 0,
            next: 0,
            previous: None,
            bits: 0,
            bit_count: 0,
            done: false,
            pixels: 0,
        };
        counter.clear();
        counter
    }

    fn clear(&mut self) {
        self.width = u32::from(self.code_size) + 1;
        self.next = (1 << self.code_size) + 2;
        self.previous = None;
    }

    fn feed(&mut self, block: &[u8]) {
        for &byte in block {
            if self.done {
                return;
            }
            self.bits |= u32::from(byte) << self.bit_count;
            self.bit_count += 8;
            while self.bit_count >= self.width && !self.done {
                let code = (self.bits & ((1 << self.width) - 1)) as usize;
                self.bits >>= self.width;
                self.bit_count -= self.width;
                self.take(code);
            }
        }
    }

    fn take(&mut self, code: usize) {
        let clear_code = 1 << self.code_size;
        if code == clear_code {
            self.clear();
            return;
        }
        // The end, or a code that does not exist: decoders stop there, and the count tells whether that was too early.
        let known = code < self.next || (code == self.next && self.previous.is_some());
        if code == clear_code + 1 || !known {
            self.done = true;
            return;
        }
        if let Some(previous) = self.previous
            && self.next < MAX_CODES
        {
            self.lengths[self.next] = previous + 1;
            self.next += 1;
            if self.next == 1 << self.width && self.width < 12 {
                self.width += 1;
            }
        }
        let length = self.lengths[code];
        self.pixels += u64::from(length);
        self.previous = Some(length);
    }
}
