//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::HandshakeError;

/// RethinkDB's iteration count for a chosen password.
pub(super) const PASSWORD_ITERATIONS: u32 = 4096;

/// The keys derived from a password (RFC 5802, section 3). The password cannot be recovered from them.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(super) salt: [u8; 16],
    pub(super) iterations: u32,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl Credentials {
    /// Credentials for a password chosen by the user. An empty password is not stretched, as in RethinkDB.
    pub(crate) fn chosen(password: &str) -> Self {
        let iterations = if password.is_empty() {
            1
        } else {
            PASSWORD_ITERATIONS
        };
        Self::new(password, iterations)
    }

    /// Credentials for a random password of 256 bits. Stretching would not make it safer, and would cost each new
    /// session a millisecond.
    pub(crate) fn random(password: &str) -> Self {
        Self::new(password, 1)
    }

    fn new(password: &str, iterations: u32) -> Self {
        let salt: [u8; 16] = rand::random();
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        Self {
            salt,
            iterations,
            stored_key: Sha256::digest(client_key).into(),
            server_key: hmac(&salted, b"Server Key"),
        }
    }

    /// Checks a client's proof in constant time.
    pub(super) fn verify(&self, proof: [u8; 32], auth_message: &str) -> bool {
        let signature = hmac(&self.stored_key, auth_message.as_bytes());
        let client_key: [u8; 32] = std::array::from_fn(|i| proof[i] ^ signature[i]);
        Sha256::digest(client_key).ct_eq(&self.stored_key).into()
    }

    /// The server's proof that it knows the password, in base64.
    pub(super) fn server_signature(&self, auth_message: &str) -> String {
        STANDARD.encode(hmac(&self.server_key, auth_message.as_bytes()))
    }
}

/// The client's first SCRAM message: `n,,n=user,r=nonce`.
pub(super) struct ClientFirst<'a> {
    pub(super) user: String,
    pub(super) nonce: &'a str,
    /// The part that the proof covers.
    pub(super) bare: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, HandshakeError> {
        let bare = match text.as_bytes().first() {
            Some(b'n' | b'y') => text[1..]
                .strip_prefix(",,")
                .ok_or(HandshakeError::INVALID_ENCODING)?,
            Some(b'p') => return Err(HandshakeError::CHANNEL_BINDING),
            _ => return Err(HandshakeError::INVALID_ENCODING),
        };
        if bare.starts_with("m=") {
            return Err(HandshakeError::EXTENSIONS);
        }
        let (user, nonce) = bare
            .strip_prefix("n=")
            .and_then(|rest| rest.split_once(",r="))
            .ok_or(HandshakeError::INVALID_ENCODING)?;
        let nonce = nonce.split(',').next().unwrap_or_default();
        if nonce.is_empty() {
            return Err(HandshakeError::INVALID_ENCODING);
        }
        let user = unescape(user).ok_or(HandshakeError::INVALID_USERNAME)?;
        Ok(Self { user, nonce, bare })
    }
}

/// Decodes a user name, in which RFC 5802 writes `,` as `=2C` and `=` as `=3D`.
fn unescape(user: &str) -> Option<String> {
    let mut parts = user.split('=');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        plain.push(match part.get(..2)? {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        plain.push_str(&part[2..]);
    }
    Some(plain)
}

pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}
