//! PNG: the chunks that decide how the picture looks, those of an animation among them.

use super::exif;
use super::kept::Kept;
use crate::image::check::Unfit;
use crate::image::check::reader::Reader;

const KIND: &str = "PNG";

/// The length of the signature.
const SIGNATURE: usize = 8;

/// The chunks that stay. `pHYs` is the shape of a pixel.
const SHOWN: [&[u8; 4]; 20] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn kept(source: &[u8]) -> Result<Kept<'_>, Unfit> {
    // The last one counts, as in the board's check.
    let last_exif = {
        let mut chunks = Chunks::of(source)?;
        let mut last = None;
        while let Some(chunk) = chunks.next()? {
            last = if &chunk.name == b"eXIf" {
                Some(chunk.start)
            } else {
                last
            };
        }
        last
    };
    let mut kept = Kept::of(source);
    kept.keep(0..SIGNATURE);
    let mut chunks = Chunks::of(source)?;
    while let Some(chunk) = chunks.next()? {
        if SHOWN.contains(&&chunk.name) {
            kept.keep(chunk.start..chunk.end);
        } else if Some(chunk.start) == last_exif {
            if let Some(orientation) = exif::only_orientation(chunk.data) {
                kept.replace(chunk.start..chunk.end, written(b"eXIf", &orientation));
            }
        } else if chunk.name[0].is_ascii_uppercase() {
            return Err(Unfit::Damaged(
                KIND,
                "an unknown chunk that it cannot do without",
            ));
        }
    }
    Ok(kept)
}

struct Chunk<'a> {
    name: [u8; 4],
    data: &'a [u8],
    start: usize,
    end: usize,
}

/// The chunks up to `IEND`.
struct Chunks<'a> {
    reader: Reader<'a>,
    is_over: bool,
}

impl<'a> Chunks<'a> {
    fn of(source: &'a [u8]) -> Result<Self, Unfit> {
        let mut reader = Reader::new(KIND, source);
        reader.take(SIGNATURE)?;
        Ok(Self {
            reader,
            is_over: false,
        })
    }

    fn next(&mut self) -> Result<Option<Chunk<'a>>, Unfit> {
        if self.is_over {
            return Ok(None);
        }
        let start = self.reader.position();
        let length = self.reader.be32()? as usize;
        let name = self.reader.array()?;
        let data = self.reader.take(length)?;
        self.reader.take(4)?;
        self.is_over = &name == b"IEND";
        Ok(Some(Chunk {
            name,
            data,
            start,
            end: self.reader.position(),
        }))
    }
}

fn written(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("all chunks made here are short");
    let named_data = [&name[..], data].concat();
    let checksum = crc32fast::hash(&named_data);
    [
        &length.to_be_bytes()[..],
        &named_data,
        &checksum.to_be_bytes(),
    ]
    .concat()
}
