//! Links: secret addresses that give a role.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::image::Timestamp;

/// The rights of the holder of a link. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See the images.
    View,
    /// Add images, and change one's own.
    Add,
    /// Change all images.
    Edit,
    /// Change the settings of the board, and make links.
    Host,
    /// Make and delete boards.
    Admin,
}

/// The secret of a link: 128 random bits, or a text that the operator chose. Never logged or stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The SHA-256 of a token, which the database stores: whoever reads it there cannot use it. A fast hash suffices,
/// because a token cannot be guessed.
#[derive(Clone, Copy, Eq)]
pub struct TokenHash([u8; 32]);

/// Identifies a link in the list of its board. Not secret.
pub type LinkId = String;

/// A link as the database stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Identifies the link.
    pub id: LinkId,
    /// The role that it gives.
    pub role: Role,
    /// The name that the host has given it, 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The hash of its token.
    pub hash: TokenHash,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time at which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Add => "add",
            Self::Edit => "edit",
            Self::Host => "host",
            Self::Admin => "admin",
        })
    }
}

impl Token {
    /// The length of the longest token, in characters.
    const MAX_LENGTH: usize = 256;

    /// Creates a token of 22 characters that nobody can guess.
    pub fn random() -> Self {
        let bits: [u8; 16] = rand::random();
        Self(URL_SAFE_NO_PAD.encode(bits))
    }

    /// The token as text, to be shown to whoever makes the link and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash by which the token is recognised.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// The text cannot be a token: it is empty, too long, or has characters that an address must escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 1 to 256 letters, digits and -._~")]
pub struct InvalidToken;

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The unreserved characters of RFC 3986, which an address, a header and a cookie can hold as they are.
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_valid =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_unreserved);
        is_valid.then(|| Self(text.to_owned())).ok_or(InvalidToken)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl TokenHash {
    /// The hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    /// Takes the same time wherever the hashes differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("not a SHA-256"))
    }
}

impl Link {
    /// Makes a link. Returns it with its token, which is not kept.
    pub fn new(role: Role, name: Option<String>, expires_at: Option<Timestamp>) -> (Self, Token) {
        let token = Token::random();
        let link = Self {
            id: short_id(),
            role,
            name,
            hash: token.hash(),
            created_at: Timestamp::now(),
            expires_at,
        };
        (link, token)
    }

    /// Returns `true` if the link has expired at this time.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// Eight random characters, which tell the links of a board apart.
fn short_id() -> LinkId {
    let bits: [u8; 6] = rand::random();
    URL_SAFE_NO_PAD.encode(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_ordered_and_have_their_names_everywhere() {
        let roles = [Role::View, Role::Add, Role::Edit, Role::Host, Role::Admin];
        assert!(roles.is_sorted());
        for role in roles {
            assert_eq!(serde_json::to_value(role).unwrap(), role.to_string());
        }
    }

    #[test]
    fn a_token_is_kept_as_its_hash_only() {
        let (link, token) = Link::new(Role::Add, Some("Guests".into()), None);
        let stored = serde_json::to_string(&link).unwrap();
        assert!(!stored.contains(token.reveal()), "{stored}");
        assert_eq!(serde_json::from_str::<Link>(&stored).unwrap(), link);
        assert!(link.hash == token.hash() && link.hash != Token::random().hash());
        assert!(!format!("{link:?} {token:?}").contains(token.reveal()));
    }

    #[test]
    fn a_token_needs_no_escaping() {
        for text in ["x", "a-b.c_d~e", Token::random().reveal()] {
            assert_eq!(text.parse::<Token>().unwrap().reveal(), text);
        }
        for text in ["", "a b", "a/b", "a;b", "a%20", "é", &"x".repeat(257)] {
            assert_eq!(text.parse::<Token>(), Err(InvalidToken), "{text}");
        }
    }

    #[test]
    fn a_link_expires_at_its_time() {
        let at = Timestamp::from_millis(1000);
        let (link, _) = Link::new(Role::View, None, Some(at));
        assert!(!link.is_expired(Timestamp::from_millis(999)));
        assert!(link.is_expired(at));
        assert!(!Link::new(Role::View, None, None).0.is_expired(at));
    }
}
