//! Identifiers of boards.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Length of the identifier of every board but `main`, in characters: 128 bits as base64url without padding (RFC 4648).
const LENGTH: usize = 22;

/// The text that identifies the main board.
const MAIN: &str = "main";

/// Primary key of a board: `main`, or 22 random characters that nobody can guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BoardId(Repr);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
enum Repr {
    #[default]
    Main,
    /// ASCII characters.
    Random([u8; LENGTH]),
}

/// The text is not the identifier of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a board: main, or 22 letters, digits, hyphens and underscores")]
pub struct InvalidBoardId;

impl BoardId {
    /// The board that exists from the start. Images without a board are on it.
    pub const MAIN: Self = Self(Repr::Main);

    /// Creates the identifier of a new board.
    pub fn random() -> Self {
        let mut text = [0; LENGTH];
        let bits: [u8; 16] = rand::random();
        let length = URL_SAFE_NO_PAD.encode_slice(bits, &mut text);
        debug_assert_eq!(length, Ok(LENGTH));
        Self(Repr::Random(text))
    }

    /// Returns `true` for the main board.
    pub fn is_main(&self) -> bool {
        self.0 == Repr::Main
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Main => MAIN,
            Repr::Random(text) => str::from_utf8(text).expect("ASCII"),
        }
    }
}

impl fmt::Display for BoardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BoardId {
    type Err = InvalidBoardId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == MAIN {
            return Ok(Self::MAIN);
        }
        let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match <[u8; LENGTH]>::try_from(text.as_bytes()) {
            Ok(text) if text.iter().all(is_base64url) => Ok(Self(Repr::Random(text))),
            _ => Err(InvalidBoardId),
        }
    }
}

impl Serialize for BoardId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for BoardId {
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
    fn a_random_id_is_read_back_and_differs_from_the_next() {
        let ids: Vec<BoardId> = (0..100).map(|_| BoardId::random()).collect();
        for id in &ids {
            assert_eq!(id.as_str().len(), LENGTH);
            assert_eq!(id.as_str().parse(), Ok(*id));
            assert!(!id.is_main());
            assert_eq!(ids.iter().filter(|other| *other == id).count(), 1);
        }
        assert_eq!("main".parse(), Ok(BoardId::default()));
    }

    #[test]
    fn nothing_else_is_an_id() {
        for text in [
            "",
            "Main",
            "admin",
            "0123456789012345678901",
            "../../etc/passwd/012345",
            "01234567890123456789é",
            "0123456789 12345678901",
        ] {
            let is_valid = text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_digit());
            assert_eq!(text.parse::<BoardId>().is_ok(), is_valid, "{text}");
        }
    }
}
