//! Identifiers of images.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Uuid, Variant};

/// Primary key of an image in both tables: a UUIDv7, so that keys sort by creation time.
///
/// Only the hyphenated lower case form is accepted. An image therefore has exactly one URL, and texts sort like values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(Uuid);

/// The text is not a UUIDv7 in hyphenated lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUIDv7 in lower case with hyphens")]
pub struct InvalidImageId;

impl ImageId {
    /// Creates an id that is larger than all previous ones of this process.
    #[expect(
        clippy::new_without_default,
        reason = "two new ids differ; a default suggests one value"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Its 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The creation time that it contains, in milliseconds since 1970, by the clock of its creator.
    pub fn ms(self) -> i64 {
        // RFC 9562 puts the time into the first 48 of 128 bits.
        (self.0.as_u128() >> 80) as i64
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for ImageId {
    type Err = InvalidImageId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 36 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidImageId);
        }
        let uuid = Uuid::try_parse(text).map_err(|_| InvalidImageId)?;
        if uuid.get_version_num() != 7 || uuid.get_variant() != Variant::RFC4122 {
            return Err(InvalidImageId);
        }
        Ok(Self(uuid))
    }
}

impl Serialize for ImageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ImageId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_sort_by_creation_time_as_text() {
        let ids: Vec<String> = (0..1000).map(|_| ImageId::new().to_string()).collect();
        assert!(ids.is_sorted());
        assert!(
            ids.iter()
                .all(|id| id.parse::<ImageId>().unwrap().to_string() == *id)
        );
    }

    #[test]
    fn only_a_lower_case_hyphenated_uuid_of_version_7_parses() {
        let spellings = [
            "",
            "x",
            "../etc/passwd",
            "0194BD2C-7A00-7000-8000-000000000001",
            "0194bd2c7a0070008000000000000001",
            "{0194bd2c-7a00-7000-8000-000000000001}",
            "0194bd2c-7a00-4000-8000-000000000001",
            "0194bd2c-7a00-7000-0000-000000000001",
            "0194bd2c-7a00-7000-8000-00000000000é",
        ];
        for spelling in spellings {
            assert_eq!(
                spelling.parse::<ImageId>(),
                Err(InvalidImageId),
                "{spelling}"
            );
        }
    }
}
