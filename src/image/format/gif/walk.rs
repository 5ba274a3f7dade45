//! The walk over the parts of a GIF.

use ::weezl::{BitOrder, LzwStatus, decode::Decoder};

use crate::image::format::inspected::Inspected;
use crate::image::format::parts::Parts;
use crate::image::reader::{Reader, Truncated};
use crate::image::{InvalidImage, Limits};

const KIND: &str = "GIF";

/// The application extensions that stay: the number of repetitions, under its two names, and the colour profile.
const SHOWN: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(in crate::image::format) fn inspect(
    source: &[u8],
    limits: Limits,
) -> Result<Inspected<'_>, InvalidImage> {
    let mut walk = Walk {
        reader: Reader::new(source),
        parts: Parts::of(source),
        screen: (0, 0),
        first_frame: None,
    };
    let result = walk.blocks();
    if walk.first_frame.is_none() {
        match result {
            Ok(()) | Err(Flaw::UnknownBlock) => {}
            Err(Flaw::Truncated) => return Err(InvalidImage::Truncated(KIND)),
            Err(Flaw::Invalid(flaw)) => return Err(InvalidImage::Damaged(KIND, flaw)),
        }
    }
    // The first frame enlarges the screen; later ones are cut off by it.
    let frame = walk.first_frame.unwrap_or_default();
    let size = (
        walk.screen.0.max(frame.left + frame.width),
        walk.screen.1.max(frame.top + frame.height),
    );
    limits.check_size(KIND, size.0, size.1)?;
    Ok(Inspected {
        size,
        orientation: 1,
        is_damaged: result.is_err() || walk.first_frame.is_none(),
        parts: walk.parts,
    })
}

/// The place and size of a frame.
#[derive(Clone, Copy, Default)]
struct Frame {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

enum Flaw {
    Truncated,
    /// A byte that starts no block.
    UnknownBlock,
    Invalid(&'static str),
}

impl From<Truncated> for Flaw {
    fn from(_: Truncated) -> Self {
        Self::Truncated
    }
}

struct Walk<'a> {
    reader: Reader<'a>,
    parts: Parts<'a>,
    screen: (u32, u32),
    first_frame: Option<Frame>,
}

impl<'a> Walk<'a> {
    fn blocks(&mut self) -> Result<(), Flaw> {
        self.reader.take(6)?;
        self.screen = (self.reader.le16()?.into(), self.reader.le16()?.into());
        let flags = self.reader.byte()?;
        self.reader.take(2)?;
        self.skip_palette(flags)?;
        self.parts.keep(0..self.reader.position());
        loop {
            let start = self.reader.position();
            match self.reader.byte()? {
                0x21 => {
                    if self.extension()? {
                        self.parts.keep(start..self.reader.position());
                    }
                }
                0x2c => self.frame(start)?,
                0x3b => {
                    self.parts.keep(start..self.reader.position());
                    return Ok(());
                }
                _ => {
                    self.parts.keep(start..self.reader.position());
                    return Err(Flaw::UnknownBlock);
                }
            }
        }
    }

    /// Skips an extension. Returns whether it stays.
    fn extension(&mut self) -> Result<bool, Flaw> {
        let label = self.reader.byte()?;
        if label == 0xf9 {
            // The time of a frame and its transparent colour.
            return match self.reader.take(6)? {
                [4, _, _, _, _, 0] => Ok(true),
                _ => Err(Flaw::Invalid("an invalid graphic control")),
            };
        }
        let length = usize::from(self.reader.byte()?);
        let head = self.reader.take(length)?;
        if length > 0 {
            while !self.next_block()?.is_empty() {}
        }
        Ok(label == 0xff && SHOWN.iter().any(|name| head == &name[..]))
    }

    fn frame(&mut self, start: usize) -> Result<(), Flaw> {
        let mut side = || self.reader.le16().map(u32::from);
        let (left, top, width, height) = (side()?, side()?, side()?, side()?);
        let frame = Frame {
            left,
            top,
            width,
            height,
        };
        self.first_frame.get_or_insert(frame);
        let code_size = match self.frame_head() {
            Ok(code_size) => code_size,
            Err(Truncated) => {
                // The size of the image is known from what is left of the frame, so it stays.
                let end = self.reader.position() + self.reader.rest().len();
                self.parts.keep(start..end);
                return Err(Flaw::Truncated);
            }
        };
        let blocks_at = self.reader.position();
        let blocks = self.pixel_blocks();
        if blocks.is_regular {
            self.parts.keep(start..self.reader.position());
        } else {
            // A wrong length may have put other blocks among the pixels, and some may hold metadata.
            self.parts.keep(start..blocks_at);
            let used = used_blocks(&blocks.data, code_size, frame);
            self.parts.replace(blocks_at..self.reader.position(), used);
        }
        blocks.is_complete.then_some(()).ok_or(Flaw::Truncated)
    }

    /// Reads what lies between the size of a frame and its pixels. Returns the size of the first LZW codes.
    fn frame_head(&mut self) -> Result<u8, Truncated> {
        let flags = self.reader.byte()?;
        self.skip_palette(flags)?;
        self.reader.byte()
    }

    fn pixel_blocks(&mut self) -> PixelBlocks<'a> {
        let mut blocks = PixelBlocks {
            data: Vec::new(),
            is_regular: true,
            is_complete: false,
        };
        loop {
            let before = self.reader.clone();
            match self.next_block() {
                Ok([]) => {
                    blocks.is_complete = true;
                    return blocks;
                }
                Ok(block) => {
                    // Encoders fill all blocks but the last.
                    let previous = blocks.data.last();
                    blocks.is_regular &= previous.is_none_or(|block: &&[u8]| block.len() == 255);
                    blocks.data.push(block);
                }
                Err(Truncated) => {
                    let cut = before.rest().get(1..).unwrap_or_default();
                    blocks.data.extend((!cut.is_empty()).then_some(cut));
                    blocks.is_regular = false;
                    self.reader = before;
                    return blocks;
                }
            }
        }
    }

    /// The next data block; an empty one is the last.
    fn next_block(&mut self) -> Result<&'a [u8], Truncated> {
        let length = self.reader.byte()?;
        self.reader.take(usize::from(length))
    }

    fn skip_palette(&mut self, flags: u8) -> Result<(), Truncated> {
        if flags & 0x80 != 0 {
            self.reader.take(3 << ((flags & 7) + 1))?;
        }
        Ok(())
    }
}

/// The data blocks of a frame.
struct PixelBlocks<'a> {
    data: Vec<&'a [u8]>,
    /// All but the last are full, as every encoder writes them.
    is_regular: bool,
    /// The empty block at the end is there.
    is_complete: bool,
}

/// The blocks again, but only as far as an LZW decoder reads: up to the end code, the last pixel, or a code that is not
/// valid.
fn used_blocks(blocks: &[&[u8]], code_size: u8, frame: Frame) -> Vec<u8> {
    let mut used = Vec::new();
    if (1..=8).contains(&code_size) {
        let mut decoder = Decoder::new(BitOrder::Lsb, code_size);
        let mut left = frame.width as usize * frame.height as usize;
        for block in blocks {
            let (length, is_over) = used_bytes(&mut decoder, block, &mut left);
            // An empty block would be the last one already.
            if length > 0 {
                // No block is longer than 255 bytes.
                used.push(length as u8);
                used.extend_from_slice(&block[..length]);
            }
            if is_over {
                break;
            }
        }
    }
    used.push(0);
    used
}

/// The number of bytes of a block that the decoder reads, and whether it reads no further.
fn used_bytes(decoder: &mut Decoder, block: &[u8], left: &mut usize) -> (usize, bool) {
    let mut pixels = [0; 4096];
    let mut position = 0;
    loop {
        let room = (*left).min(pixels.len());
        let result = decoder.decode_bytes(&block[position..], &mut pixels[..room]);
        position += result.consumed_in;
        *left -= result.consumed_out;
        match result.status {
            Ok(LzwStatus::Ok) if *left == 0 => return (position, true),
            Ok(LzwStatus::Ok) if position < block.len() || result.consumed_out == room => {}
            Ok(LzwStatus::Ok | LzwStatus::NoProgress) => return (block.len(), false),
            Ok(LzwStatus::Done) | Err(_) => return (position, true),
        }
    }
}
