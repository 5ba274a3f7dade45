//! The walk over the parts of a PNG.

use std::io::Cursor;

use ::png::{DecodeOptions, Decoder, DecodingError, Limits as DecoderLimits};

use crate::image::format::inspected::Inspected;
use crate::image::format::parts::Parts;
use crate::image::{InvalidImage, Limits, exif};

const KIND: &str = "PNG";

/// The first eight bytes of every PNG.
pub(in crate::image) const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";

/// The decoder's memory: two rows, the inflater's window, and a colour profile.
const DECODER_MEMORY: usize = 32 << 20;

/// The chunks that stay. `pHYs` is the shape of a pixel.
const SHOWN: [&[u8; 4]; 20] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP",
    b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// The standard chunks that go.
const METADATA: [&[u8; 4]; 5] = [b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"];

pub(in crate::image::format) fn inspect(
    source: &[u8],
    limits: Limits,
) -> Result<Inspected<'_>, InvalidImage> {
    let mut decoder = decoder(source, true);
    let header = decoder
        .read_header_info()
        .map_err(|error| invalid(&error))?;
    let size = (header.width, header.height);
    limits.check_size(KIND, size.0, size.1)?;
    match decoder.read_info() {
        // Its rows are wider than the thumbnail's decoder allows, which browsers do not mind.
        Ok(_) | Err(DecodingError::LimitsExceeded) => {}
        Err(error) => return Err(invalid(&error)),
    }
    let (parts, orientation, is_damaged) = walk(source);
    Ok(Inspected {
        size,
        orientation,
        is_damaged,
        parts,
    })
}

/// A decoder with bounded memory. Like Chromium's, it does not ignore checksums in the header.
pub(super) fn decoder(source: &[u8], is_lenient: bool) -> Decoder<Cursor<&[u8]>> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    if is_lenient {
        options.set_ignore_iccp_chunk(true);
    } else {
        options.set_ignore_checksums(true);
    }
    let mut decoder = Decoder::new_with_options(Cursor::new(source), options);
    decoder.set_limits(DecoderLimits {
        bytes: DECODER_MEMORY,
    });
    decoder
}

fn invalid(error: &DecodingError) -> InvalidImage {
    match error {
        DecodingError::IoError(_) => InvalidImage::Truncated(KIND),
        _ => InvalidImage::Damaged(KIND, "its header is invalid"),
    }
}

/// A chunk that may be cut off by the end of the file.
struct Chunk<'a> {
    name: [u8; 4],
    /// Its data, as far as they go.
    data: &'a [u8],
    start: usize,
    end: usize,
    /// It is whole, and its checksum is right.
    is_intact: bool,
}

impl<'a> Chunk<'a> {
    fn at(source: &'a [u8], start: usize) -> Option<Self> {
        let (&[a, b, c, d, ref name @ ..], rest) = source.get(start..)?.split_first_chunk::<8>()?;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let data = &rest[..length.min(rest.len())];
        let checksum = rest.get(length..).and_then(<[u8]>::first_chunk);
        let named_data = &source[start + 4..start + 8 + data.len()];
        Some(Self {
            name: *name,
            data,
            start,
            end: (start + 8 + data.len() + 4).min(source.len()),
            is_intact: checksum.is_some_and(|&checksum| {
                crc32fast::hash(named_data) == u32::from_be_bytes(checksum)
            }),
        })
    }
}

/// The parts that stay, the orientation, and whether a flaw was met.
pub(super) fn walk(source: &[u8]) -> (Parts<'_>, u16, bool) {
    let mut parts = Parts::of(source);
    parts.keep(0..SIGNATURE.len());
    let (mut orientation, mut is_damaged) = (None, false);
    let mut position = SIGNATURE.len();
    while let Some(chunk) = Chunk::at(source, position) {
        position = chunk.end;
        is_damaged |= !chunk.is_intact;
        match &chunk.name {
            b"IEND" => {
                parts.keep(chunk.start..chunk.end);
                return (parts, orientation.unwrap_or(1), is_damaged);
            }
            b"IDAT" | b"fdAT" => {
                // Chromium ignores EXIF data behind the first pixels, and all but the first of those before.
                orientation.get_or_insert(1);
                if chunk.is_intact {
                    parts.keep(chunk.start..chunk.end);
                } else {
                    position = keep_damaged(&mut parts, &chunk);
                }
            }
            // Decoders skip other chunks whose checksum is wrong.
            _ if !chunk.is_intact => {}
            b"eXIf" if orientation.is_none() => {
                let own = exif::orientation(chunk.data);
                orientation = Some(own);
                if let Some(tiff) = exif::only_orientation(own) {
                    parts.replace(chunk.start..chunk.end, written(b"eXIf", &tiff));
                }
            }
            name if SHOWN.contains(&name) => parts.keep(chunk.start..chunk.end),
            _ => {}
        }
    }
    (parts, orientation.unwrap_or(1), true)
}

/// Keeps pixels whose checksum is wrong or missing. If it is the length that is wrong, other chunks are inside their
/// data, and some may hold metadata: the data then end in front of the first. Returns the position behind what was
/// kept.
fn keep_damaged(parts: &mut Parts<'_>, chunk: &Chunk<'_>) -> usize {
    let is_chunk = |head: &[u8]| {
        // No encoder writes chunks of 16 MiB and more, so a match in compressed pixels is a rare accident.
        head[0] == 0 && (SHOWN.iter().chain(&METADATA)).any(|name| head[4..] == name[..])
    };
    let Some(inner) = chunk.data.windows(8).position(is_chunk) else {
        parts.keep(chunk.start..chunk.end);
        return chunk.end;
    };
    // The checksum of the chunk itself comes first.
    let data = &chunk.data[..inner.saturating_sub(4)];
    parts.add(&written(&chunk.name, data));
    chunk.start + 8 + inner
}

fn written(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length =
        u32::try_from(data.len()).expect("a part of a chunk is no longer than 32 bits say");
    let named_data = [&name[..], data].concat();
    let checksum = crc32fast::hash(&named_data);
    [
        &length.to_be_bytes()[..],
        &named_data,
        &checksum.to_be_bytes(),
    ]
    .concat()
}
