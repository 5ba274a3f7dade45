//! The JSON messages of the handshake, each ended by a NUL byte.

use serde_json::{Map, Value, json};

use super::error::HandshakeError;

/// Parses a message, without its NUL.
pub(super) fn parse(text: &[u8]) -> Result<Map<String, Value>, HandshakeError> {
    serde_json::from_slice(text).map_err(|_| HandshakeError::INVALID_JSON)
}

/// Encodes a message, including its NUL.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    text.push(0);
    text
}

/// Encodes the message that reports a failed handshake.
pub(crate) fn encode_error(error: HandshakeError) -> Vec<u8> {
    encode(&json!({"success": false, "error": error.text, "error_code": error.code}))
}

/// The SCRAM part of a client's message.
pub(super) fn authentication(fields: &Map<String, Value>) -> Result<&str, HandshakeError> {
    fields
        .get("authentication")
        .and_then(Value::as_str)
        .ok_or(HandshakeError::new(
            5,
            "Expected a string for `authentication`.",
        ))
}
