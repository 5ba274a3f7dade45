//! Numbers in text.

/// Parses a number as C's `sscanf` with `%lf` does, which RethinkDB uses: white space in front, a sign, decimal or
/// hexadecimal digits, `inf` and `nan`. `None` for any other text.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    let number = match digits.get(..2) {
        Some("0x" | "0X") => hexadecimal(&digits[2..])?,
        // Rust accepts a second sign here, C does not.
        _ if digits.starts_with(['+', '-']) => return None,
        _ => digits.parse().ok()?,
    };
    Some(sign * number)
}

/// Parses hexadecimal digits, possibly with a point and an exponent of 2: `a.8p1` is 21.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, exponent) = match text.split_once(['p', 'P']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0.0;
    for digit in whole.chars().chain(fraction.chars()) {
        number = number * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let fraction_bits = i32::try_from(fraction.len()).ok()?.checked_mul(4)?;
    Some(number * 2_f64.powi(exponent.checked_sub(fraction_bits)?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_are_read_as_in_c() {
        for (text, number) in [
            ("12", 12.0),
            (" -1.5e2", -150.0),
            ("+.5", 0.5),
            ("0x1F", 31.0),
            ("-0xa.8p1", -21.0),
            ("1e999", f64::INFINITY),
            ("-inf", f64::NEG_INFINITY),
        ] {
            assert_eq!(parse(text), Some(number), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in ["", " ", "1 ", "0x", "0x.", "0xg", "--1", "+-1", "1,5", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
