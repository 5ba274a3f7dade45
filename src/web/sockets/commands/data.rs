//! Deserialisation of command data, with error messages for the client.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::web::sockets::protocol::json_object::JsonObject;

/// The longest error message, in characters. Messages of serde can quote the input.
const MAX_MESSAGE: usize = 200;

/// Deserialises an object.
///
/// # Errors
///
/// A message for the client.
pub(crate) fn from_object<T: DeserializeOwned>(data: Value) -> Result<T, String> {
    let JsonObject(data) = serde_json::from_value(data).map_err(|error| message(&error))?;
    Ok(data)
}

/// Deserialises an optional field that may be missing but not null.
pub(crate) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The error as a message for the client.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.chars().take(MAX_MESSAGE).collect()
}
