//! The handshake of protocol V1_0: SCRAM-SHA-256 (RFC 5802, RFC 7677) in NUL-ended JSON. Pure, without sockets.
//!
//! Order, texts and error codes as RethinkDB 2.4.4 (golden: `1-handshake.json`; `client_protocol/server.cc`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a client of protocol V1_0 sends first.
pub(crate) const MAGIC: [u8; 4] = 0x34c2_bdc3_u32.to_le_bytes();

/// The longest message that a client may send, its NUL excluded.
pub(crate) const MAX_MESSAGE_BYTES: usize = 2048;

/// The answer to another magic number: plain text, for whoever reads it.
pub(crate) const WRONG_MAGIC: &str = "ERROR: Received an unsupported protocol version. This port is for RethinkDB queries. \
     Does your client driver version not match the server?\n";

/// The one user there is, as in a fresh RethinkDB.
pub(crate) const USER: &str = "admin";

/// RethinkDB's rounds for a password that a person chose.
const PASSWORD_ROUNDS: u32 = 4096;

/// What the server must know of the password: nothing from which it could be had back.
#[derive(Clone)]
pub(crate) struct Credentials {
    salt: [u8; 16],
    rounds: u32,
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl Credentials {
    /// For a password that a person chose; the empty one needs no stretching, as in RethinkDB.
    pub(crate) fn chosen(password: &str) -> Self {
        Self::new(
            password,
            if password.is_empty() {
                1
            } else {
                PASSWORD_ROUNDS
            },
        )
    }

    /// For a random password of 256 bits, which stretching could not make any safer.
    pub(crate) fn random(password: &str) -> Self {
        Self::new(password, 1)
    }

    fn new(password: &str, rounds: u32) -> Self {
        let salt: [u8; 16] = rand::random();
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, rounds, &mut salted);
        let client_key = sign(&salted, b"Client Key");
        Self {
            salt,
            rounds,
            stored_key: Sha256::digest(client_key).into(),
            server_key: sign(&salted, b"Server Key"),
        }
    }
}

/// A refused handshake: RethinkDB's code and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    code: u32,
    message: &'static str,
}

impl Refusal {
    /// A client message longer than [`MAX_MESSAGE_BYTES`].
    pub(crate) const TOO_LONG: Self = refusal(7, "Limited read buffer size.");

    /// The message that says so, its NUL included.
    pub(crate) fn to_message(self) -> Vec<u8> {
        message(&json!({"success": false, "error": self.message, "error_code": self.code}))
    }
}

const fn refusal(code: u32, message: &'static str) -> Refusal {
    Refusal { code, message }
}

const INVALID_ENCODING: Refusal = refusal(10, "Invalid encoding");
const WRONG_PASSWORD: Refusal = refusal(12, "Wrong password");

/// The server's first message, which answers the magic number.
pub(crate) fn greeting() -> Vec<u8> {
    message(&json!({
        "success": true, "min_protocol_version": 0, "max_protocol_version": 0, "server_version": crate::engine::REQL_VERSION,
    }))
}

/// A handshake that waits for the client's proof.
pub(crate) struct Challenge {
    known_user: bool,
    nonce: String,
    auth_message: String,
}

/// Reads the client's first message and makes the challenge.
///
/// # Errors
/// The refusal to send before the connection is closed.
pub(crate) fn challenge(
    text: &[u8],
    credentials: &Credentials,
) -> Result<(Challenge, Vec<u8>), Refusal> {
    let fields = parse(text)?;
    let Some(version) = fields.get("protocol_version").and_then(Value::as_f64) else {
        return Err(refusal(1, "Expected a number for `protocol_version`."));
    };
    if version != 0.0 {
        return Err(refusal(2, "Unsupported `protocol_version`."));
    }
    let Some(method) = fields.get("authentication_method").and_then(Value::as_str) else {
        return Err(refusal(3, "Expected a string for `authentication_method`."));
    };
    if method != "SCRAM-SHA-256" {
        return Err(refusal(4, "Unsupported `authentication_method`."));
    }
    let (user, client_nonce, bare) = parse_client_first(authentication(&fields)?)?;
    let known_user = user == USER;
    // An unknown user is told only after the proof, and until then looks like one with a password.
    let (salt, rounds) = if known_user {
        (credentials.salt, credentials.rounds)
    } else {
        (rand::random(), PASSWORD_ROUNDS)
    };
    let nonce = format!(
        "{client_nonce}{}",
        STANDARD.encode(rand::random::<[u8; 18]>())
    );
    let server_first = format!("r={nonce},s={},i={rounds}", STANDARD.encode(salt));
    let auth_message = format!("{bare},{server_first}");
    let reply = message(&json!({"success": true, "authentication": server_first}));
    Ok((
        Challenge {
            known_user,
            nonce,
            auth_message,
        },
        reply,
    ))
}

impl Challenge {
    /// Checks the client's proof and makes the last message.
    ///
    /// # Errors
    /// The refusal to send before the connection is closed.
    pub(crate) fn verify(self, text: &[u8], credentials: &Credentials) -> Result<Vec<u8>, Refusal> {
        let fields = parse(text)?;
        let client_final = authentication(&fields)?;
        let (without_proof, proof) = client_final.rsplit_once(",p=").ok_or(INVALID_ENCODING)?;
        let (binding, nonce) = without_proof.split_once(",r=").ok_or(INVALID_ENCODING)?;
        // `biws` is `n,,` in base64: no channel binding.
        if binding != "c=biws" {
            return Err(refusal(15, "Channel binding is not supported"));
        }
        if !self.known_user {
            return Err(refusal(17, "Unknown user"));
        }
        let proof: [u8; 32] = STANDARD
            .decode(proof)
            .ok()
            .and_then(|proof| proof.try_into().ok())
            .ok_or(WRONG_PASSWORD)?;
        let auth_message = format!("{},{without_proof}", self.auth_message);
        let signature = sign(&credentials.stored_key, auth_message.as_bytes());
        let client_key: Vec<u8> = proof
            .iter()
            .zip(signature)
            .map(|(proof, signature)| proof ^ signature)
            .collect();
        let proven = Sha256::digest(client_key).ct_eq(&credentials.stored_key);
        if nonce != self.nonce || !bool::from(proven) {
            return Err(WRONG_PASSWORD);
        }
        let signature = STANDARD.encode(sign(&credentials.server_key, auth_message.as_bytes()));
        Ok(message(
            &json!({"success": true, "authentication": format!("v={signature}")}),
        ))
    }
}

/// `n,,n=user,r=nonce`: the user, the client's nonce, and the part that the proof covers.
fn parse_client_first(text: &str) -> Result<(String, &str, &str), Refusal> {
    let bare = match text.as_bytes().first() {
        Some(b'n' | b'y') => text[1..].strip_prefix(",,").ok_or(INVALID_ENCODING)?,
        Some(b'p') => return Err(refusal(15, "Channel binding is not supported")),
        _ => return Err(INVALID_ENCODING),
    };
    if bare.starts_with("m=") {
        return Err(refusal(11, "Extensions not supported"));
    }
    let (user, nonce) = bare
        .strip_prefix("n=")
        .and_then(|rest| rest.split_once(",r="))
        .ok_or(INVALID_ENCODING)?;
    let nonce = nonce.split(',').next().unwrap_or_default();
    if nonce.is_empty() {
        return Err(INVALID_ENCODING);
    }
    let user = unescape(user).ok_or(refusal(18, "Invalid username encoding"))?;
    Ok((user, nonce, bare))
}

/// RFC 5802 writes `,` in a user name as `=2C` and `=` as `=3D`.
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

fn parse(text: &[u8]) -> Result<Map<String, Value>, Refusal> {
    serde_json::from_slice(text).map_err(|_| refusal(8, "Invalid JSON object."))
}

fn authentication(fields: &Map<String, Value>) -> Result<&str, Refusal> {
    fields
        .get("authentication")
        .and_then(Value::as_str)
        .ok_or(refusal(5, "Expected a string for `authentication`."))
}

fn message(value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    text.push(0);
    text
}

fn sign(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(user: &str) -> Vec<u8> {
        json!({
            "protocol_version": 0, "authentication_method": "SCRAM-SHA-256",
            "authentication": format!("n,,n={user},r=abcdefgh"),
        })
        .to_string()
        .into_bytes()
    }

    fn reply_to(challenge: &[u8], user: &str, password: &str) -> Vec<u8> {
        let reply: Value = serde_json::from_slice(&challenge[..challenge.len() - 1]).unwrap();
        let server_first = reply["authentication"].as_str().unwrap().to_owned();
        let part = |name: &str| {
            server_first
                .split(',')
                .find_map(|part| part.strip_prefix(name))
                .unwrap()
        };
        let mut salted = [0; 32];
        let rounds = part("i=").parse().unwrap();
        pbkdf2::pbkdf2_hmac::<Sha256>(
            password.as_bytes(),
            &STANDARD.decode(part("s=")).unwrap(),
            rounds,
            &mut salted,
        );
        let without_proof = format!("c=biws,r={}", part("r="));
        let auth_message = format!("n={user},r=abcdefgh,{server_first},{without_proof}");
        let client_key = sign(&salted, b"Client Key");
        let signature = sign(&Sha256::digest(client_key), auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(a, b)| a ^ b)
            .collect();
        json!({"authentication": format!("{without_proof},p={}", STANDARD.encode(proof))})
            .to_string()
            .into_bytes()
    }

    fn log_in(user: &str, password: &str, credentials: &Credentials) -> Result<Vec<u8>, Refusal> {
        let (pending, reply) = challenge(&first(user), credentials)?;
        pending.verify(&reply_to(&reply, user, password), credentials)
    }

    #[test]
    fn the_right_password_is_taken_and_the_wrong_one_refused() {
        let credentials = Credentials::chosen("grün");
        assert!(log_in(USER, "grün", &credentials).is_ok());
        assert_eq!(log_in(USER, "blau", &credentials), Err(WRONG_PASSWORD));
        assert_eq!(
            log_in("nobody", "grün", &credentials),
            Err(refusal(17, "Unknown user"))
        );
    }

    #[test]
    fn messages_that_are_no_messages_are_refused_with_their_code() {
        let credentials = Credentials::chosen("");
        for (text, code) in [
            (r#"[]"#, 8),
            (r#"{}"#, 1),
            (r#"{"protocol_version":1}"#, 2),
            (r#"{"protocol_version":0}"#, 3),
            (
                r#"{"protocol_version":0,"authentication_method":"SCRAM-SHA-256"}"#,
                5,
            ),
            (
                r#"{"protocol_version":0,"authentication_method":"SCRAM-SHA-256","authentication":"é"}"#,
                10,
            ),
            (
                r#"{"protocol_version":0,"authentication_method":"SCRAM-SHA-256","authentication":"p=x,,n=a,r=b"}"#,
                15,
            ),
            (
                r#"{"protocol_version":0,"authentication_method":"SCRAM-SHA-256","authentication":"n,,m=a,r=b"}"#,
                11,
            ),
            (
                r#"{"protocol_version":0,"authentication_method":"SCRAM-SHA-256","authentication":"n,,n==é,r=b"}"#,
                18,
            ),
        ] {
            assert_eq!(
                challenge(text.as_bytes(), &credentials)
                    .err()
                    .map(|refusal| refusal.code),
                Some(code),
                "{text}"
            );
        }
    }

    #[test]
    fn every_message_fits_what_drivers_read() {
        let (_, reply) = challenge(&first(USER), &Credentials::chosen("x"))
            .ok()
            .unwrap();
        assert!(reply.len() < 1024 && greeting().len() < 1024);
    }
}
