//! The extension `permessage-deflate` (RFC 7692): compression of messages, each by itself.
//!
//! No context is kept between two messages: a compressed message costs no memory afterwards, and may be sent to any
//! viewer.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::frame::CloseCode;

/// The value of `Sec-WebSocket-Extensions` that accepts the extension.
pub(crate) const ACCEPTED: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The end of a compressed message, which is not sent (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// The room that is made at a time for a decompressed message, in bytes.
const INFLATED_AT_ONCE: usize = 16 << 10;

/// The number of streams that may end in a message. Browsers send one, which does not end.
const MAX_STREAMS: u32 = 4;

/// Returns `true` if one of the offers in `Sec-WebSocket-Extensions` can be accepted. One that limits the server's
/// window cannot: the encoder has only the largest, and no browser asks for another.
pub(crate) fn is_acceptable(offers: &str) -> bool {
    offers.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        parts.next() == Some("permessage-deflate") && parts.all(is_known)
    })
}

fn is_known(parameter: &str) -> bool {
    let (name, value) = parameter
        .split_once('=')
        .map_or((parameter, None), |(name, value)| {
            (name.trim(), Some(value.trim().trim_matches('"')))
        });
    match (name, value) {
        ("server_no_context_takeover" | "client_no_context_takeover", None) => true,
        ("client_max_window_bits", value) => value.is_none_or(is_window),
        _ => false,
    }
}

fn is_window(bits: &str) -> bool {
    bits.parse::<u8>()
        .is_ok_and(|bits| (8..=15).contains(&bits))
}

/// Compresses the payload of a message.
pub(crate) fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut encoder = Compress::new(Compression::fast(), false);
    let mut compressed = Vec::with_capacity(payload.len() / 4 + 64);
    let mut done = 0;
    loop {
        let flushed = encoder
            .compress_vec(&payload[done..], &mut compressed, FlushCompress::Sync)
            .expect("the encoder takes any bytes");
        done = usize::try_from(encoder.total_in()).unwrap_or(payload.len());
        // Spare capacity means that the flush is complete.
        if flushed == Status::Ok && compressed.len() < compressed.capacity() {
            break;
        }
        compressed.reserve(compressed.len());
    }
    compressed.truncate(compressed.len() - TAIL.len());
    compressed
}

/// Decompresses the payload of a message of at most `limit` bytes.
///
/// # Errors
///
/// The code to close with if it is not deflate data, or too long.
pub(crate) fn inflate(payload: &[u8], limit: usize) -> Result<Vec<u8>, CloseCode> {
    let mut decoder = Decompress::new(false);
    let mut text = Vec::new();
    let mut streams = 0;
    for mut input in [payload, &TAIL] {
        while !input.is_empty() {
            if text.len() > limit {
                return Err(CloseCode::TooBig);
            }
            text.reserve(INFLATED_AT_ONCE.min(limit + 1 - text.len()));
            let before = decoder.total_in();
            let status = decoder.decompress_vec(input, &mut text, FlushDecompress::Sync);
            let taken = usize::try_from(decoder.total_in() - before).unwrap_or(input.len());
            input = &input[taken..];
            match status {
                // A message may consist of several streams (section 7.2.3.4). To begin one costs as much as 32 KiB of
                // text.
                Ok(Status::StreamEnd) if streams < MAX_STREAMS => {
                    streams += 1;
                    decoder.reset(false);
                }
                Ok(Status::Ok | Status::BufError) if taken > 0 || text.len() == text.capacity() => {
                }
                _ => return Err(CloseCode::Invalid),
            }
        }
    }
    if text.len() > limit {
        return Err(CloseCode::TooBig);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_of_browsers_are_accepted() {
        for offer in [
            // Chromium, Firefox, Safari
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate",
            "x-webkit-deflate-frame, permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate; client_max_window_bits=\"9\"",
        ] {
            assert!(is_acceptable(offer), "{offer}");
        }
        for offer in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=10",
            "permessage-deflate; server_max_window_bits=15",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; unknown",
        ] {
            assert!(!is_acceptable(offer), "{offer}");
        }
    }

    #[test]
    fn a_message_survives_compression() {
        for length in [0, 1, 5, 1000, 100_000] {
            let text: String = (0..length)
                .map(|n| char::from(b'a' + (n % 7) as u8))
                .collect();
            let compressed = deflate(text.as_bytes());
            assert_eq!(inflate(&compressed, 100_000), Ok(text.into_bytes()));
        }
        let noise: Vec<u8> = (0..70_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        assert_eq!(inflate(&deflate(&noise), 70_000), Ok(noise));
        // The example of RFC 7692, section 7.2.3.1.
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflate(&hello, 5), Ok(b"Hello".to_vec()));
        // That of section 7.2.3.4, whose block is marked as the last.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(inflate(&last, 5), Ok(b"Hello".to_vec()));
    }

    #[test]
    fn a_bomb_and_other_bytes_are_refused() {
        let bomb = deflate(&vec![0; 10 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb, 1 << 18), Err(CloseCode::TooBig));
        assert_eq!(inflate(&[0xff; 20], 1 << 18), Err(CloseCode::Invalid));
        // Empty streams, each of which would cost as much as a long text.
        let empty = [0x03, 0x00].repeat(1 << 17);
        assert_eq!(inflate(&empty, 1 << 18), Err(CloseCode::Invalid));
    }
}
