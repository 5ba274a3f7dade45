//! Sizes as people write them.

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a size such as 16MiB, 500k or 1048576")]
pub struct InvalidSize(String);

/// The units, in lower case and without a final `b`, and how many bytes each stands for.
const UNITS: [(&str, u64); 7] = [
    ("", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
];

/// Reads a number of bytes: digits and a unit, `k`, `M`, `G` for powers of 1,000 and `Ki`, `Mi`, `Gi` for powers of 1,024,
/// each with or without a `B`, in upper or lower case.
///
/// # Errors
///
/// If the text is anything else, or more bytes than 64 bits can count.
pub(super) fn parse(text: &str) -> Result<u64, InvalidSize> {
    let invalid = || InvalidSize(text.chars().take(40).collect());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start().to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let number: u64 = number.parse().map_err(|_| invalid())?;
    UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .and_then(|(_, factor)| number.checked_mul(*factor))
        .ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_size_may_have_a_decimal_or_a_binary_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1048576", 1 << 20),
            ("500k", 500_000),
            ("500kB", 500_000),
            ("16MiB", 16 << 20),
            ("16 mib", 16 << 20),
            ("2M", 2_000_000),
            ("1GiB", 1 << 30),
            ("7B", 7),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5MiB",
            "1 2",
            "1MM",
            "1bb",
            "1ib",
            "99999999999999999999",
            "18446744073709551615k",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn plain_bytes_are_read_as_they_are(bytes: u64) {
            prop_assert_eq!(parse(&bytes.to_string()), Ok(bytes));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
        }
    }
}
