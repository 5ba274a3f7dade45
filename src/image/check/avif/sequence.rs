//! The AV1 sequence header (AV1 bitstream specification, 5.5): how large the frames are at most.

/// `OBU_SEQUENCE_HEADER`
const SEQUENCE_HEADER: u8 = 1;

/// How many units are looked at: the header comes first, or after a temporal delimiter.
const MAX_UNITS: usize = 8;

/// The largest width and height of the frames among these units, which are whole or the beginning of a stream. `None` if no
/// sequence header is found that can be read.
pub(super) fn max_frame_size(units: &[u8]) -> Option<(u32, u32)> {
    let mut rest = units;
    for _ in 0..MAX_UNITS {
        let (kind, payload, after) = next_unit(rest)?;
        if kind == SEQUENCE_HEADER {
            return frame_size(&mut Bits::new(payload));
        }
        rest = after;
    }
    None
}

/// The kind of the first unit, what is in it, and what follows it (5.3).
fn next_unit(units: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, mut rest) = units.split_first()?;
    let (has_extension, has_size) = (head & 4 != 0, head & 2 != 0);
    if has_extension {
        rest = rest.get(1..)?;
    }
    let mut length = rest.len();
    if has_size {
        (length, rest) = leb128(rest)?;
    }
    let (payload, after) = rest.split_at_checked(length)?;
    Some((head >> 3 & 15, payload, after))
}

/// A number of up to eight bytes with seven bits each (4.10.5), and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().take(8).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at(last + 1);
    let number = number
        .iter()
        .rev()
        .fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
    Some((usize::try_from(number).ok()?, rest))
}

/// Reads `sequence_header_obu` (5.5.1) up to the size.
fn frame_size(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    // seq_profile, still_picture
    bits.take(4)?;
    let is_reduced = bits.flag()?;
    if is_reduced {
        // seq_level_idx
        bits.take(5)?;
    } else {
        skip_operating_points(bits)?;
    }
    let (width_bits, height_bits) = (bits.take(4)? + 1, bits.take(4)? + 1);
    Some((bits.take(width_bits)? + 1, bits.take(height_bits)? + 1))
}

fn skip_operating_points(bits: &mut Bits<'_>) -> Option<()> {
    let mut delay_bits = None;
    if bits.flag()? {
        // timing_info: num_units_in_display_tick, time_scale
        bits.take(32)?;
        bits.take(32)?;
        let equal_interval = bits.flag()?;
        if equal_interval {
            bits.skip_uvlc()?;
        }
        let has_decoder_model = bits.flag()?;
        if has_decoder_model {
            delay_bits = Some(bits.take(5)? + 1);
            // num_units_in_decoding_tick, and the lengths of two fields elsewhere
            bits.take(32)?;
            bits.take(10)?;
        }
    }
    let has_initial_delay = bits.flag()?;
    let points = bits.take(5)? + 1;
    for _ in 0..points {
        // operating_point_idc
        bits.take(12)?;
        let level = bits.take(5)?;
        if level > 7 {
            // seq_tier
            bits.flag()?;
        }
        if let Some(delay_bits) = delay_bits
            && bits.flag()?
        {
            // operating_parameters_info
            bits.take(delay_bits)?;
            bits.take(delay_bits)?;
            bits.flag()?;
        }
        if has_initial_delay && bits.flag()? {
            bits.take(4)?;
        }
    }
    Some(())
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(bit == 1)
    }

    /// A number of up to 32 bits.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.flag()?);
        }
        Some(number)
    }

    /// `uvlc()` (4.10.3)
    fn skip_uvlc(&mut self) -> Option<()> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        // From 32 on nothing follows.
        if zeros < 32 {
            self.take(zeros)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `still.avif` (a still picture, with a reduced header), and of `animated.avif`, after a temporal delimiter.
    const STILL: &[u8] = b"\x12\x00\x0a\x09\x38\x15\x7f\xbd\x84\x04\x34\x1a\x40";
    const SEQUENCE: &[u8] = b"\x12\x00\x0a\x0a\x40\x00\x00\x02\xa4\xfd\x36\xbe\x5d\x40";

    #[test]
    fn the_size_is_read_with_a_reduced_header_and_a_full_one() {
        assert_eq!(max_frame_size(STILL), Some((64, 48)));
        assert_eq!(max_frame_size(&STILL[2..]), Some((64, 48)));
        assert_eq!(max_frame_size(SEQUENCE), Some((40, 30)));
    }

    #[test]
    fn what_cannot_be_read_has_no_size() {
        for length in 0..8 {
            assert_eq!(max_frame_size(&STILL[..length]), None, "{length}");
        }
        assert_eq!(max_frame_size(&[0x12, 0].repeat(20)), None);
        assert_eq!(max_frame_size(&[0x0a; 3]), None);
        assert_eq!(max_frame_size(&[0xff; 40]), None);
    }
}
