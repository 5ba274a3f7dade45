//! The encoding of documents.

use proptest::prelude::*;

use super::super::codec::{DecodeError, decode, encode};
use super::*;
use crate::engine::datum::Time;

fn any_datum() -> impl Strategy<Value = Datum> {
    let text = || any::<String>().prop_map(Arc::<str>::from);
    let whole = any::<i64>().prop_map(|value| Datum::Number(value as f64));
    let leaf = prop_oneof![
        Just(Datum::Null),
        any::<bool>().prop_map(Datum::Bool),
        any::<f64>().prop_map(Datum::Number),
        any::<u64>().prop_map(|bits| Datum::Number(f64::from_bits(bits))),
        whole,
        text().prop_map(Datum::String),
        proptest::collection::vec(any::<u8>(), 0..2000).prop_map(binary),
        (any::<f64>(), text()).prop_map(|(epoch_seconds, timezone)| Datum::Time(Time {
            epoch_seconds,
            timezone
        })),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8)
                .prop_map(|items| Datum::Array(items.into())),
            proptest::collection::btree_map(text(), inner, 0..8)
                .prop_map(|map| Datum::Object(Arc::new(map))),
        ]
    })
}

/// Compares two values bit by bit. `==` would not do: 0 equals -0, and NaN differs from itself.
fn same(a: &Datum, b: &Datum) -> bool {
    match (a, b) {
        (Datum::Null, Datum::Null) => true,
        (Datum::Bool(a), Datum::Bool(b)) => a == b,
        (Datum::Number(a), Datum::Number(b)) => a.to_bits() == b.to_bits(),
        (Datum::String(a), Datum::String(b)) => a == b,
        (Datum::Array(a), Datum::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (Datum::Object(a), Datum::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b.iter())
                    .all(|(a, b)| a.0 == b.0 && same(a.1, b.1))
        }
        (Datum::Binary(a), Datum::Binary(b)) => a.bytes().unwrap() == b.bytes().unwrap(),
        (Datum::Time(a), Datum::Time(b)) => {
            a.epoch_seconds.to_bits() == b.epoch_seconds.to_bits() && a.timezone == b.timezone
        }
        _ => false,
    }
}

/// Encodes a document, moving binaries of 1 KiB or more to `blobs`.
fn encode_with(datum: &Datum, blobs: &mut Vec<Bytes>) -> Vec<u8> {
    let assign = &mut |binary: &Binary| {
        let bytes = binary.bytes()?;
        if bytes.len() < 1024 {
            return Ok(None);
        }
        blobs.push(bytes);
        Ok(Some(blobs.len() as u64 - 1))
    };
    encode(datum, assign).unwrap()
}

fn no_blobs(_: u64, _: u64) -> Binary {
    Binary::Inline(Bytes::new())
}

proptest! {
    #[test]
    fn every_value_round_trips(datum in any_datum()) {
        let mut blobs = Vec::new();
        let bytes = encode_with(&datum, &mut blobs);
        let decoded = decode(&bytes, &mut |blob, len| {
            let bytes = blobs[blob as usize].clone();
            assert_eq!(bytes.len() as u64, len);
            Binary::Inline(bytes)
        });
        prop_assert!(same(&datum, &decoded.unwrap()));
    }

    #[test]
    fn damaged_bytes_are_an_error_or_another_value(datum in any_datum(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = encode_with(&datum, &mut Vec::new());
        let at = at % bytes.len();
        bytes[at] = byte;
        // This may decode to another value, but must not panic.
        let _ = decode(&bytes, &mut no_blobs);
        bytes.truncate(at);
        prop_assert!(decode(&bytes, &mut no_blobs).is_err());
    }

    #[test]
    fn arbitrary_bytes_cause_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = decode(&bytes, &mut no_blobs);
        // With a valid version byte, decoding gets further.
        let _ = decode(&[&[1], &bytes[..]].concat(), &mut no_blobs);
    }
}

#[test]
fn the_encoding_has_not_changed_since_the_first_release() {
    let time = Time {
        epoch_seconds: 1.5,
        timezone: "+00:00".into(),
    };
    let datum = object([
        (
            "a",
            Datum::Array([Datum::Null, Datum::Bool(false), Datum::Bool(true)].into()),
        ),
        ("b", binary(&b"xy"[..])),
        (
            "n",
            Datum::Array(
                [
                    number(0.0),
                    number(-0.0),
                    number(-3.0),
                    number(300.0),
                    number(0.5),
                ]
                .into(),
            ),
        ),
        ("s", Datum::String("ä".into())),
        ("t", Datum::Time(time)),
    ]);
    let expected: &[u8] = b"\x01\x07\x05\
        \x01a\x06\x03\x00\x01\x02\
        \x01b\x08\x02xy\
        \x01n\x06\x05\x04\x00\x03\x00\x00\x00\x00\x00\x00\x00\x80\x04\x05\x04\xd8\x04\x03\x00\x00\x00\x00\x00\x00\xe0\x3f\
        \x01s\x05\x02\xc3\xa4\
        \x01t\x0a\x00\x00\x00\x00\x00\x00\xf8\x3f\x06+00:00";
    assert_eq!(encode_with(&datum, &mut Vec::new()), expected);
    assert!(same(&decode(expected, &mut no_blobs).unwrap(), &datum));
}

#[test]
fn each_kind_of_damage_has_its_error() {
    let decode = |bytes: &[u8]| decode(bytes, &mut no_blobs).unwrap_err();
    assert_eq!(decode(&[]), DecodeError::Truncated);
    assert_eq!(decode(&[2, 0]), DecodeError::Version(2));
    assert_eq!(decode(&[1, 99]), DecodeError::Tag(99));
    assert_eq!(decode(&[1, 0, 0]), DecodeError::Rest(1));
    assert_eq!(decode(&[1, 5, 1, 0xff]), DecodeError::Text);
    assert_eq!(
        decode(&[
            1, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2
        ]),
        DecodeError::Varint
    );
    // An array with a count beyond the end of the document allocates nothing.
    assert_eq!(
        decode(&[1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        DecodeError::Truncated
    );
    let deep = [vec![1], [6, 1].repeat(100_000), vec![0]].concat();
    assert_eq!(decode(&deep), DecodeError::Depth);
}

#[test]
fn a_value_too_deep_to_be_decoded_is_not_encoded() {
    let deepest = (0..512).fold(Datum::Null, |inner, _| Datum::Array([inner].into()));
    let bytes = encode_with(&deepest, &mut Vec::new());
    assert!(same(&decode(&bytes, &mut no_blobs).unwrap(), &deepest));
    let deeper = Datum::Array([deepest].into());
    let error = encode(&deeper, &mut |_| Ok(None)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ResourceLimit);
}
