//! WebP: chunks that fill their container, and frames that are decoded and dropped.
//!
//! Chromium (156, for one) shows a WebP as it is stored, whatever orientation its EXIF data ask for. So width and height are
//! the stored ones, and the board looks at no orientation of a WebP anywhere: what one sees must be what was measured.

use std::io::Cursor;

use image::codecs::webp::WebPDecoder;
use image::error::ImageError;
use image::{AnimationDecoder as _, ImageDecoder as _};

use super::reader::Reader;
use super::{Bounds, Unfit};

const KIND: &str = "WebP";

/// Width and height of a complete WebP.
pub(super) fn check(bytes: &[u8], mut bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let container = container(bytes)?;
    let (width, height) = walk(container, bounds)?;
    let _turn = bounds.turn(width, height);
    decode(container, bounds)?;
    Ok((width, height))
}

/// The bytes of the RIFF container, without what follows it.
fn container(bytes: &[u8]) -> Result<&[u8], Unfit> {
    let mut reader = Reader::new(KIND, bytes);
    reader.take(4)?;
    let size = reader.le32()? as usize;
    reader.take(size)?;
    Ok(&bytes[..reader.position()])
}

/// Width and height as the chunks say.
fn walk(container: &[u8], bounds: Bounds) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, container);
    reader.take(12)?;
    let (mut size, mut has_pixels) = (None, false);
    while !reader.is_at_end() {
        bounds.time()?;
        let name: [u8; 4] = reader.array()?;
        let length = reader.le32()? as usize;
        let data = reader.take(length)?;
        // Chunks begin at even places; a last one without its padding hurts nobody.
        if length % 2 == 1 && !reader.is_at_end() {
            reader.byte()?;
        }
        match &name {
            b"VP8X" => size = size.or(Some(canvas(data)?)),
            b"VP8 " => size = size.or(Some(lossy_size(data)?)),
            b"VP8L" => size = size.or(Some(lossless_size(data)?)),
            _ => {}
        }
        has_pixels |= matches!(&name, b"VP8 " | b"VP8L" | b"ANMF");
    }
    let (width, height) = size
        .filter(|_| has_pixels)
        .ok_or(Unfit::Damaged(KIND, "it has no pixels"))?;
    bounds.size(KIND, width, height)?;
    Ok((width, height))
}

fn canvas(data: &[u8]) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, data);
    reader.take(4)?;
    Ok((reader.le24()? + 1, reader.le24()? + 1))
}

fn lossy_size(data: &[u8]) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, data);
    reader.take(3)?;
    if reader.array()? != [0x9d, 0x01, 0x2a] {
        return Err(Unfit::Damaged(KIND, "a frame without its header"));
    }
    Ok((
        u32::from(reader.le16()? & 0x3fff),
        u32::from(reader.le16()? & 0x3fff),
    ))
}

fn lossless_size(data: &[u8]) -> Result<(u32, u32), Unfit> {
    let mut reader = Reader::new(KIND, data);
    if reader.byte()? != 0x2f {
        return Err(Unfit::Damaged(KIND, "a frame without its header"));
    }
    let bits = reader.le32()?;
    Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
}

fn decode(container: &[u8], bounds: Bounds) -> Result<(), Unfit> {
    let decoder = WebPDecoder::new(Cursor::new(container)).map_err(unfit)?;
    if decoder.has_animation() {
        for frame in decoder.into_frames() {
            frame.map_err(unfit)?;
            bounds.time()?;
        }
        return Ok(());
    }
    let length = usize::try_from(decoder.total_bytes()).map_err(|_| Unfit::TooSlow)?;
    decoder.read_image(&mut vec![0; length]).map_err(unfit)
}

/// All chunks are there, so whatever is missing was never written.
fn unfit(error: ImageError) -> Unfit {
    drop(error);
    Unfit::Damaged(KIND, "it cannot be decoded")
}
