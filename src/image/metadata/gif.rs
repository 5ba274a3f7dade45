//! GIF: the frames and what times and colours them.

use super::kept::Kept;
use crate::image::check::Unfit;
use crate::image::check::reader::Reader;

const KIND: &str = "GIF";

/// The application extensions that stay: how often an animation is repeated, under its two names, and the colour profile.
const SHOWN: [&[u8; 11]; 3] = [b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"];

pub(super) fn kept(source: &[u8]) -> Result<Kept<'_>, Unfit> {
    let mut reader = Reader::new(KIND, source);
    let mut kept = Kept::of(source);
    // The signature and the size of the screen.
    reader.take(10)?;
    let flags = reader.byte()?;
    reader.take(2)?;
    skip_palette(&mut reader, flags)?;
    kept.keep(0..reader.position());
    loop {
        let start = reader.position();
        let stays = match reader.byte()? {
            0x21 => extension(&mut reader)?,
            0x2c => {
                frame(&mut reader)?;
                true
            }
            0x3b => {
                kept.keep(start..reader.position());
                return Ok(kept);
            }
            // Some encoders write one terminator too many.
            0x00 => false,
            _ => return Err(Unfit::Damaged(KIND, "a block of an unknown kind")),
        };
        if stays {
            kept.keep(start..reader.position());
        }
    }
}

/// Passes an extension. The answer: does it stay?
fn extension(reader: &mut Reader<'_>) -> Result<bool, Unfit> {
    let label = reader.byte()?;
    let length = usize::from(reader.byte()?);
    let head = reader.take(length)?;
    if length > 0 {
        skip_blocks(reader)?;
    }
    Ok(match label {
        // The time of a frame and its transparent colour.
        0xf9 => true,
        0xff => SHOWN.iter().any(|name| head == &name[..]),
        _ => false,
    })
}

fn frame(reader: &mut Reader<'_>) -> Result<(), Unfit> {
    reader.take(8)?;
    let flags = reader.byte()?;
    skip_palette(reader, flags)?;
    reader.byte()?;
    skip_blocks(reader)
}

fn skip_palette(reader: &mut Reader<'_>, flags: u8) -> Result<(), Unfit> {
    if flags & 0x80 != 0 {
        reader.take(3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

fn skip_blocks(reader: &mut Reader<'_>) -> Result<(), Unfit> {
    loop {
        let length = usize::from(reader.byte()?);
        if length == 0 {
            return Ok(());
        }
        reader.take(length)?;
    }
}
