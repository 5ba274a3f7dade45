//! RethinkDB's pseudotype `BINARY`.

use std::fmt;

use base64::Engine as _;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::de::{self, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that serialize as `{"$reql_type$": "BINARY", "data": base64}`.
///
/// `reql::types::Binary` writes `null` as the pseudotype's name, which RethinkDB refuses, and cannot read the name.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Binary(pub(crate) Bytes);

const TYPE_KEY: &str = "$reql_type$";
const TYPE_NAME: &str = "BINARY";

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({} bytes)", self.0.len())
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Data<'a>(&'a [u8]);
        impl Serialize for Data<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&Base64Display::new(self.0, &STANDARD))
            }
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(TYPE_KEY, TYPE_NAME)?;
        map.serialize_entry("data", &Data(&self.0))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Binary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(BinaryVisitor)
    }
}

struct BinaryVisitor;

impl<'de> Visitor<'de> for BinaryVisitor {
    type Value = Binary;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document of pseudotype BINARY")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Binary, A::Error> {
        let (mut named, mut data) = (false, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                TYPE_KEY => named = map.next_value::<String>()? == TYPE_NAME,
                "data" => data = Some(map.next_value::<Decoded>()?.0),
                _ => drop(map.next_value::<de::IgnoredAny>()?),
            }
        }
        match data {
            Some(data) if named => Ok(Binary(data)),
            _ => Err(A::Error::custom("not a document of pseudotype BINARY")),
        }
    }
}

/// Decodes base64 directly from the parser's buffer, without an intermediate `String`.
struct Decoded(Bytes);

impl<'de> Deserialize<'de> for Decoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = Decoded;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decoded, E> {
                // The decoder's error would quote a byte of the image.
                decode(text)
                    .map(Decoded)
                    .map_err(|_| E::custom("invalid base64 in a BINARY"))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// Decodes base64. RethinkDB inserts CR LF after every 76 characters, which a strict decoder refuses.
fn decode(text: &str) -> Result<Bytes, base64::DecodeError> {
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return STANDARD.decode(text).map(Bytes::from);
    }
    let mut joined = String::with_capacity(text.len());
    joined.extend(text.split_ascii_whitespace());
    STANDARD.decode(joined).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_serialize_as_the_pseudotype() {
        let json = serde_json::to_string(&Binary(Bytes::from_static(&[0, 1, 2, 255]))).unwrap();
        assert_eq!(json, r#"{"$reql_type$":"BINARY","data":"AAEC/w=="}"#);
    }

    #[test]
    fn base64_with_line_breaks_is_decoded() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let text = STANDARD.encode(&bytes);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(76)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        let document = serde_json::json!({"data": lines.join("\r\n"), "$reql_type$": "BINARY"});
        let read: Binary = serde_json::from_str(&document.to_string()).unwrap();
        assert_eq!(read.0, bytes);
        assert_eq!(serde_json::from_value::<Binary>(document).unwrap().0, bytes);
    }

    #[test]
    fn an_invalid_document_is_refused_without_being_quoted() {
        for json in [
            r#"{"data":"AAAA"}"#,
            r#"{"$reql_type$":"TIME","data":"AAAA"}"#,
            r#"{"$reql_type$":"BINARY"}"#,
        ] {
            assert!(serde_json::from_str::<Binary>(json).is_err(), "{json}");
        }
        let error = serde_json::from_str::<Binary>(r#"{"$reql_type$":"BINARY","data":"secret!"}"#)
            .unwrap_err();
        assert!(
            error.to_string().starts_with("invalid base64 in a BINARY"),
            "{error}"
        );
    }

    #[test]
    fn debug_output_contains_only_the_length() {
        assert_eq!(
            format!("{:?}", Binary(Bytes::from_static(b"secret"))),
            "Binary(6 bytes)"
        );
    }
}
