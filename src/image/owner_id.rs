//! Public identifiers of those who add images.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Identifies a browser that adds images, without revealing the secret by which the browser proves that it is the one.
/// 12 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OwnerId(String);

impl OwnerId {
    /// The identifier of the browser whose secret has this SHA-256.
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(&hash[..9]))
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
