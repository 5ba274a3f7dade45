//! Conversion of JSON to values.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::binary::Binary;
use super::json::Node;
use super::time::Time;
use super::value::{Datum, Object};
use crate::engine::error::ReqlError;

/// Base64 with or without padding, as RethinkDB accepts it (golden: `binary_that_is_not_base64`).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Converts parsed JSON to a value.
///
/// # Errors
/// An unknown or malformed pseudotype.
pub(crate) fn from_node(node: Node<'_>) -> Result<Datum, ReqlError> {
    Ok(match node {
        Node::Null => Datum::Null,
        Node::Bool(value) => Datum::Bool(value),
        Node::Number(number) => Datum::Number(number),
        Node::String(text) => Datum::String(text.into()),
        Node::Array(items) => items
            .into_iter()
            .map(from_node)
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Node::Object(fields) => return from_fields(fields),
    })
}

/// Converts the fields of a JSON object to an object or a pseudotype.
///
/// # Errors
/// As [`from_node`].
pub(crate) fn from_fields(
    fields: Vec<(std::borrow::Cow<'_, str>, Node<'_>)>,
) -> Result<Datum, ReqlError> {
    // A binary is decoded directly from the JSON: it may be large, and an object would copy its text.
    let is_binary = fields.iter().any(|(name, value)| {
        name == PSEUDOTYPE && matches!(value, Node::String(text) if text == "BINARY")
    });
    if is_binary {
        return binary(&fields);
    }
    let mut object = Object::new();
    for (name, value) in fields {
        object.insert(name.into(), from_node(value)?);
    }
    pseudotype(object)
}

/// The field that marks an object as a pseudotype.
const PSEUDOTYPE: &str = "$reql_type$";

/// Converts an object with a `$reql_type$` to its pseudotype. Any other object stays an object.
///
/// # Errors
/// An unknown or malformed pseudotype.
pub(crate) fn pseudotype(object: Object) -> Result<Datum, ReqlError> {
    match object.get(PSEUDOTYPE) {
        None => Ok(object.into()),
        Some(Datum::String(name)) => match &**name {
            "TIME" => time(&object),
            "BINARY" => binary_object(&object),
            other => Err(ReqlError::logic(format!(
                "Unknown $reql_type$ `PTYPE<{other}>`."
            ))),
        },
        Some(other) => {
            let (shown, kind) = (other.print(), other.type_name());
            let whole = Datum::from(object).print();
            Err(ReqlError::logic(format!(
                "Error: Field `$reql_type$` must be a string (got `{shown}` of type {kind}):\n{whole}"
            )))
        }
    }
}

fn time(object: &Object) -> Result<Datum, ReqlError> {
    let field = |name: &str| {
        object.get(name).ok_or_else(|| {
            ReqlError::logic(format!(
                "Invalid time object constructed (no field `{name}`)."
            ))
        })
    };
    let timezone = field("timezone")?.as_str()?;
    let timezone = Time::parse_timezone(timezone)
        .ok_or_else(|| ReqlError::logic(format!("Invalid ISO 8601 timezone: `{timezone}`.")))?;
    Ok(Datum::Time(Time::new(
        field("epoch_time")?.as_number()?,
        timezone,
    )))
}

fn binary(fields: &[(std::borrow::Cow<'_, str>, Node<'_>)]) -> Result<Datum, ReqlError> {
    let mut bytes = None;
    for (name, value) in fields {
        match (&**name, value) {
            (PSEUDOTYPE, _) => {}
            ("data", Node::String(text)) => bytes = Some(decode_base64(text)?),
            ("data", other) => {
                let found = from_node(other.clone())?.type_name();
                return Err(ReqlError::expected("STRING", found));
            }
            (other, _) => return Err(illegal_field(other)),
        }
    }
    bytes.map(inline).ok_or_else(lacking_data)
}

fn binary_object(object: &Object) -> Result<Datum, ReqlError> {
    if let Some(other) = object
        .keys()
        .find(|name| !matches!(&***name, PSEUDOTYPE | "data"))
    {
        return Err(illegal_field(other));
    }
    let text = object.get("data").ok_or_else(lacking_data)?.as_str()?;
    decode_base64(text).map(inline)
}

fn inline(bytes: Vec<u8>) -> Datum {
    Datum::Binary(Binary::Inline(Bytes::from(bytes)))
}

fn illegal_field(name: &str) -> ReqlError {
    ReqlError::logic(format!("Invalid binary pseudotype: illegal `{name}` key."))
}

fn lacking_data() -> ReqlError {
    ReqlError::logic("Invalid binary pseudotype: lacking `data` key.")
}

/// Decodes base64, ignoring white space (golden: `binary_input_may_hold_line_breaks`).
fn decode_base64(text: &str) -> Result<Vec<u8>, ReqlError> {
    // Text without white space needs no copy.
    if let Ok(bytes) = BASE64.decode(text) {
        return Ok(bytes);
    }
    let dense: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    // In the order in which RethinkDB's `base64.cc` finds the flaws.
    let end = dense.iter().position(|byte| *byte == b'=');
    let (digits, padding) = dense.split_at(end.unwrap_or(dense.len()));
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    if let Some(position) = digits.iter().position(|byte| !is_digit(byte)) {
        // Not one byte, because it may begin a longer character.
        let found = String::from_utf8_lossy(&digits[position..]);
        let found = found.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        return Err(ReqlError::logic(format!(
            "Invalid base64 character found: '{found}'."
        )));
    }
    if digits.len() % 4 == 1 {
        return Err(ReqlError::logic(
            "Invalid base64 length: 1 character remaining, cannot decode a full byte.",
        ));
    }
    if padding.iter().any(|byte| *byte != b'=') {
        return Err(ReqlError::logic(
            "Invalid base64 format, data found after padding character '='.",
        ));
    }
    BASE64
        .decode(digits)
        .map_err(|error| ReqlError::logic(format!("Invalid base64: {error}.")))
}
