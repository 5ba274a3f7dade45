//! The encoding of primary keys and of the values of secondary indexes as bytes, in ReQL's order.

use data_encoding::HEXLOWER;

use super::value::Datum;
use crate::engine::error::ReqlError;

/// The longest key in bytes, including its type tag (`MAX_PRIMARY_KEY_SIZE` in RethinkDB's `protocol.hpp`).
const MAX_KEY_BYTES: usize = 128;

/// Encodes a primary key so that the byte order is ReQL's order. The types sort as array, bool, number, pseudotype,
/// string.
///
/// `minval` and `maxval` sort below and above all other items of an array. No document has such a key, but a range may
/// end at one.
///
/// # Errors
/// RethinkDB's errors for `null`, an object, a string with a NUL character, or a key that is too long.
pub(crate) fn primary_key(value: &Datum) -> Result<Vec<u8>, ReqlError> {
    let mut key = Vec::new();
    encode(value, &mut key, KeyKind::Primary)?;
    if key.len() > MAX_KEY_BYTES {
        return Err(ReqlError::logic(format!(
            "Primary key too long (max {} characters): {}",
            MAX_KEY_BYTES - 1,
            value.print()
        )));
    }
    Ok(key)
}

/// A primary key for a message: text in quotes, any other key as hexadecimal digits.
pub(crate) fn describe_key(key: &[u8]) -> String {
    let text = key
        .strip_prefix(b"S")
        .and_then(|text| str::from_utf8(text).ok());
    match text {
        Some(text) => format!("{text:?}"),
        None => HEXLOWER.encode(key),
    }
}

/// Encodes a value of a secondary index so that the byte order is ReQL's order, of any length. No encoding is another
/// one followed by a byte 0.
///
/// # Errors
/// RethinkDB's errors for `null` and an object. An index has no entries for them.
pub(crate) fn index_key(value: &Datum) -> Result<Vec<u8>, ReqlError> {
    let mut key = Vec::new();
    encode(value, &mut key, KeyKind::Secondary)?;
    Ok(key)
}

#[derive(Clone, Copy)]
enum KeyKind {
    Primary,
    Secondary,
}

impl KeyKind {
    /// The message for a value that is no key.
    fn explain(self, value: &Datum) -> String {
        let (kind, shown) = (value.type_name(), value.print());
        match self {
            Self::Primary => format!(
                "Primary keys must be either a number, string, bool, pseudotype or array (got type {kind}):\n{shown}"
            ),
            Self::Secondary => format!(
                "Secondary keys must be a number, string, bool, pseudotype, or array (got {shown} of type {kind})."
            ),
        }
    }
}

fn encode(value: &Datum, key: &mut Vec<u8>, kind: KeyKind) -> Result<(), ReqlError> {
    match value {
        Datum::MinVal => key.push(b'A' - 1),
        Datum::MaxVal => key.push(b'Z' + 1),
        Datum::Array(items) => {
            key.push(b'A');
            for item in items.iter() {
                if matches!(item, Datum::Null | Datum::Object(_)) {
                    return Err(not_in_array(item));
                }
                encode(item, key, kind)?;
                // Lower than any byte that can follow, so that ["a"] sorts before ["a", 1] and ["aa"].
                key.push(0);
            }
        }
        Datum::Bool(value) => key.extend([b'B', u8::from(*value)]),
        Datum::Number(number) => {
            key.push(b'N');
            key.extend(ordered_bits(*number).to_be_bytes());
        }
        Datum::Binary(binary) => {
            key.extend(b"PB");
            escape(&binary.bytes()?, key);
        }
        Datum::Time(time) => {
            key.extend(b"PT");
            key.extend(ordered_bits(time.epoch_seconds).to_be_bytes());
        }
        Datum::String(text) => {
            key.push(b'S');
            match kind {
                KeyKind::Primary => {
                    refuse_nul(text)?;
                    key.extend(text.as_bytes());
                }
                KeyKind::Secondary => escape(text.as_bytes(), key),
            }
        }
        Datum::Null | Datum::Object(_) => {
            return Err(ReqlError::of_type(value.type_name(), kind.explain(value)));
        }
    }
    Ok(())
}

/// With two spaces, as in `array_to_str_key` in RethinkDB's `datum.cc`.
fn not_in_array(item: &Datum) -> ReqlError {
    let (kind, shown) = (item.type_name(), item.print());
    ReqlError::of_type(
        kind,
        format!(
            "Array keys can only contain numbers, strings, bools,  pseudotypes, or arrays (got {shown} of type {kind})."
        ),
    )
}

/// Appends bytes. 0 ends an item of an array, so 0 and 1 are escaped as two bytes that keep the order.
fn escape(bytes: &[u8], key: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            0 | 1 => key.extend([1, byte + 1]),
            _ => key.push(*byte),
        }
    }
}

/// Primary keys are not escaped, because folders and RethinkDB have them as they are.
fn refuse_nul(text: &str) -> Result<(), ReqlError> {
    let Some(offset) = text.find('\0') else {
        return Ok(());
    };
    let start = &text.as_bytes()[..text.len().min(20)];
    let start = start.escape_ascii().to_string();
    Err(ReqlError::logic(format!(
        "String \"{start}\" (truncated) contains NULL byte at offset {offset} in index key."
    )))
}

/// The bits of a double, mapped so that their unsigned order is that of the numbers. -0 equals 0.
fn ordered_bits(number: f64) -> u64 {
    // Adding 0 turns -0 into 0.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 0 {
        bits ^ (1 << 63)
    } else {
        !bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::datum::Time;
    use proptest::prelude::*;

    fn numbers() -> impl Strategy<Value = f64> {
        use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
        let any = POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO;
        prop_oneof![any, -3.0..3.0, Just(-0.0), Just(0.0)]
    }

    fn keys() -> impl Strategy<Value = Datum> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Datum::Bool),
            numbers().prop_map(Datum::Number),
            numbers().prop_map(|seconds| Datum::Time(Time::utc(seconds))),
            "[\u{0}-\u{3}a-zé☃]{0,8}".prop_map(Datum::from),
            proptest::collection::vec(any::<u8>(), 0..6).prop_map(|bytes| Datum::Binary(
                crate::engine::datum::Binary::Inline(bytes.into())
            )),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| {
            proptest::collection::vec(inner, 0..3).prop_map(Datum::from)
        })
    }

    proptest! {
        #[test]
        fn keys_sort_by_bytes_as_values_compare(a in keys(), b in keys()) {
            let (key_a, key_b) = (index_key(&a).unwrap(), index_key(&b).unwrap());
            prop_assert_eq!(key_a.cmp(&key_b), a.compare(&b).unwrap());
            // As entries of an index, in which a byte 0 follows the value.
            let (entry_a, entry_b) = ([key_a, vec![0, 9]].concat(), [key_b, vec![0, 1]].concat());
            if a.compare(&b).unwrap().is_ne() {
                prop_assert_eq!(entry_a.cmp(&entry_b), a.compare(&b).unwrap());
            }
        }
    }

    #[test]
    fn negative_zero_equals_zero() {
        assert_eq!(
            primary_key(&Datum::Number(-0.0)).unwrap(),
            primary_key(&Datum::Number(0.0)).unwrap()
        );
    }
}
