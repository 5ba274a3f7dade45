//! PNG: chunks with checksums up to `IEND`, and rows that are inflated and dropped.

use std::io::Cursor;

use ::png::{DecodeOptions, Decoder, DecodingError, Limits, Transformations};

use super::reader::Reader;
use super::{Bounds, Unfit, exif, upright};

/// The first eight bytes of every PNG.
pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

const KIND: &str = "PNG";

/// The decoder's memory: two rows, the inflater's window, and no more. The widest row that fits the pixel limit's default has
/// 800 MB, so very wide pictures are refused here.
const DECODER_MEMORY: usize = 32 << 20;

/// Width and height of a complete PNG.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let (width, height) = dimensions(bytes)?;
    bounds.size(KIND, width, height)?;
    let sideways = walk(bytes)?;
    inflate(bytes, bounds)?;
    Ok(upright(width, height, sideways))
}

fn dimensions(bytes: &[u8]) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, &bytes[SIGNATURE.len()..]);
    let length = reader.be32()?;
    let name: [u8; 4] = reader.array()?;
    if length != 13 || &name != b"IHDR" {
        return Err(Unfit::Damaged(KIND, "it does not begin with its header"));
    }
    let width = reader.be32()?;
    let height = reader.be32()?;
    Ok((width, height))
}

/// Walks all chunks; what follows `IEND` is not looked at. The answer: is it shown sideways?
fn walk(bytes: &[u8]) -> Result<bool, Unfit> {
    let mut reader = Reader::new(KIND, &bytes[SIGNATURE.len()..]);
    let (mut sideways, mut has_pixels) = (false, false);
    loop {
        let length = reader.be32()? as usize;
        let start = reader.clone();
        let name: [u8; 4] = reader.array()?;
        let data = reader.take(length)?;
        let named_data = &start.rest()[..length + 4];
        let checksum = reader.be32()?;
        // Decoders ignore what they do not know, so a fault there hurts nobody: an upper case name marks what they need.
        let needed = name[0].is_ascii_uppercase() || matches!(&name, b"acTL" | b"fcTL" | b"fdAT");
        if needed && crc32fast::hash(named_data) != checksum {
            return Err(Unfit::Damaged(KIND, "a checksum is wrong"));
        }
        match &name {
            b"IEND" if has_pixels => return Ok(sideways),
            b"IEND" => return Err(Unfit::Damaged(KIND, "it has no pixels")),
            b"IDAT" => has_pixels = true,
            b"eXIf" => sideways = exif::is_sideways(data),
            _ => {}
        }
    }
}

/// Decodes every row of the still picture. Its checksums were looked at already.
fn inflate(bytes: &[u8], bounds: Bounds) -> Result<(), Unfit> {
    let mut options = DecodeOptions::default();
    options.set_ignore_checksums(true);
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(Limits {
        bytes: DECODER_MEMORY,
    });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| unfit(&error))?;
    let mut rows = 0_u32;
    while reader
        .next_interlaced_row()
        .map_err(|error| unfit(&error))?
        .is_some()
    {
        rows += 1;
        if rows.is_multiple_of(64) {
            bounds.time()?;
        }
    }
    Ok(())
}

fn unfit(error: &DecodingError) -> Unfit {
    match error {
        // All chunks are there, so pixels that are missing were never written.
        DecodingError::IoError(_) => Unfit::Damaged(KIND, "it has fewer pixels than it says"),
        DecodingError::LimitsExceeded => Unfit::Damaged(KIND, "its rows are too wide"),
        DecodingError::Format(_) | DecodingError::Parameter(_) => {
            Unfit::Damaged(KIND, "it cannot be decoded")
        }
    }
}
