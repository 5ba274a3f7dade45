//! The extension `permessage-deflate` (RFC 7692): compression of messages, each by itself.
//!
//! No context is kept between two messages: a compressed message costs no memory afterwards, and may be sent to any viewer.

use std::io::Write as _;

use flate2::write::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress};

use super::frame::CloseCode;

/// The value of `Sec-WebSocket-Extensions` that accepts the extension.
pub(crate) const ACCEPTED: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The end of a compressed message, which is not sent (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Returns `true` if one of the offers in `Sec-WebSocket-Extensions` can be accepted. One that asks for a smaller window
/// cannot: the encoder has only the largest.
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
        ("server_max_window_bits", value) => value == Some("15"),
        _ => false,
    }
}

fn is_window(bits: &str) -> bool {
    bits.parse::<u8>()
        .is_ok_and(|bits| (8..=15).contains(&bits))
}

/// Compresses the payload of a message.
pub(crate) fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut encoder = Compress::new(Compression::default(), false);
    let mut compressed = Vec::with_capacity(payload.len() / 4 + 64);
    let mut done = 0;
    loop {
        let flushed = encoder
            .compress_vec(&payload[done..], &mut compressed, FlushCompress::Sync)
            .expect("the encoder takes any bytes");
        done = usize::try_from(encoder.total_in()).unwrap_or(payload.len());
        // Room that is left means that everything has been written.
        if flushed == flate2::Status::Ok && compressed.len() < compressed.capacity() {
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
    let mut decoder = DeflateDecoder::new(Bounded {
        bytes: Vec::new(),
        limit,
        is_over: false,
    });
    let written = decoder
        .write_all(payload)
        .and_then(|()| decoder.write_all(&TAIL))
        .and_then(|()| decoder.flush());
    let output = decoder.get_ref();
    if output.is_over {
        return Err(CloseCode::TooBig);
    }
    written.map_err(|_| CloseCode::Invalid)?;
    Ok(std::mem::take(&mut decoder.get_mut().bytes))
}

/// A buffer that takes at most `limit` bytes.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
    is_over: bool,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.is_over = true;
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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
            "permessage-deflate; client_max_window_bits=\"9\"; server_max_window_bits=15",
        ] {
            assert!(is_acceptable(offer), "{offer}");
        }
        for offer in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=10",
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
    }

    #[test]
    fn a_bomb_and_other_bytes_are_refused() {
        let bomb = deflate(&vec![0; 10 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb, 1 << 18), Err(CloseCode::TooBig));
        assert_eq!(inflate(&[0xff; 20], 1 << 18), Err(CloseCode::Invalid));
    }
}
