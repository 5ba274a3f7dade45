//! The handshake of protocol V1_0: SCRAM-SHA-256 in JSON messages. Pure functions, without sockets.
//!
//! The order of the checks, the texts and the error codes are those of RethinkDB 2.4.4 (golden: `1-handshake.json`;
//! `client_protocol/server.cc`).

mod error;
mod message;
mod scram;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

pub(crate) use error::HandshakeError;
pub(crate) use message::encode_error;
pub(crate) use scram::Credentials;
use scram::{ClientFirst, PASSWORD_ITERATIONS};

use crate::engine::version::REQL_VERSION;

/// The first bytes that a client of protocol V1_0 sends (`VersionDummy.Version.V1_0` in `ql2.proto`).
pub(crate) const MAGIC: [u8; 4] = 0x34c2_bdc3_u32.to_le_bytes();

/// The longest message that a client may send, excluding its NUL.
pub(crate) const MAX_MESSAGE_BYTES: usize = 2048;

/// The response to any other magic number: plain text, including its NUL (golden:
/// `bad_magic_is_refused_in_plain_text`).
pub(crate) const WRONG_MAGIC: &[u8] =
    b"ERROR: Received an unsupported protocol version. This port is for RethinkDB queries. \
     Does your client driver version not match the server?\n\0";

/// The only user, as in a new RethinkDB.
pub(crate) const USER: &str = "admin";

/// The server's first message, sent once the magic number has arrived.
pub(crate) fn greeting() -> Vec<u8> {
    message::encode(&json!({
        "success": true, "min_protocol_version": 0, "max_protocol_version": 0, "server_version": REQL_VERSION,
    }))
}

/// A handshake that waits for the client's proof.
pub(crate) struct Challenge {
    is_known_user: bool,
    nonce: String,
    auth_message: String,
}

/// Reads the client's first message. Returns the challenge and the reply to send.
///
/// # Errors
/// The error to send before the connection is closed.
pub(crate) fn challenge(
    text: &[u8],
    credentials: &Credentials,
) -> Result<(Challenge, Vec<u8>), HandshakeError> {
    let fields = message::parse(text)?;
    let fail = |code, text| Err(HandshakeError::new(code, text));
    match fields.get("protocol_version").and_then(Value::as_f64) {
        None => return fail(1, "Expected a number for `protocol_version`."),
        Some(0.0) => {}
        Some(_) => return fail(2, "Unsupported `protocol_version`."),
    }
    match fields.get("authentication_method").and_then(Value::as_str) {
        None => return fail(3, "Expected a string for `authentication_method`."),
        Some("SCRAM-SHA-256") => {}
        Some(_) => return fail(4, "Unsupported `authentication_method`."),
    }
    let client_first = ClientFirst::parse(message::authentication(&fields)?)?;
    let is_known_user = client_first.user == USER;
    // An unknown user is rejected only after the proof, and until then looks like one with a password (golden:
    // `unknown_user_fails_only_at_the_end`).
    let (salt, iterations) = if is_known_user {
        (credentials.salt, credentials.iterations)
    } else {
        (rand::random(), PASSWORD_ITERATIONS)
    };
    let server_nonce = STANDARD.encode(rand::random::<[u8; 18]>());
    let nonce = format!("{}{server_nonce}", client_first.nonce);
    let server_first = format!("r={nonce},s={},i={iterations}", STANDARD.encode(salt));
    let auth_message = format!("{},{server_first}", client_first.bare);
    let reply = message::encode(&json!({"success": true, "authentication": server_first}));
    Ok((
        Challenge {
            is_known_user,
            nonce,
            auth_message,
        },
        reply,
    ))
}

impl Challenge {
    /// Checks the client's proof. Returns the last message to send.
    ///
    /// # Errors
    /// The error to send before the connection is closed.
    pub(crate) fn verify(
        self,
        text: &[u8],
        credentials: &Credentials,
    ) -> Result<Vec<u8>, HandshakeError> {
        let fields = message::parse(text)?;
        let client_final = message::authentication(&fields)?;
        let (without_proof, proof) = client_final
            .rsplit_once(",p=")
            .ok_or(HandshakeError::INVALID_ENCODING)?;
        let (binding, nonce) = without_proof
            .split_once(",r=")
            .ok_or(HandshakeError::INVALID_ENCODING)?;
        // `biws` is `n,,` in base64: no channel binding.
        if binding != "c=biws" {
            return Err(HandshakeError::CHANNEL_BINDING);
        }
        if !self.is_known_user {
            return Err(HandshakeError::UNKNOWN_USER);
        }
        let proof: [u8; 32] = STANDARD
            .decode(proof)
            .ok()
            .and_then(|proof| proof.try_into().ok())
            .ok_or(HandshakeError::WRONG_PASSWORD)?;
        let auth_message = format!("{},{without_proof}", self.auth_message);
        let is_proven = credentials.verify(proof, &auth_message);
        if nonce != self.nonce || !is_proven {
            return Err(HandshakeError::WRONG_PASSWORD);
        }
        let signature = credentials.server_signature(&auth_message);
        Ok(message::encode(
            &json!({"success": true, "authentication": format!("v={signature}")}),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::scram::hmac;
    use super::*;
    use sha2::{Digest, Sha256};

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
        let iterations = part("i=").parse().unwrap();
        pbkdf2::pbkdf2_hmac::<Sha256>(
            password.as_bytes(),
            &STANDARD.decode(part("s=")).unwrap(),
            iterations,
            &mut salted,
        );
        let without_proof = format!("c=biws,r={}", part("r="));
        let auth_message = format!("n={user},r=abcdefgh,{server_first},{without_proof}");
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&Sha256::digest(client_key), auth_message.as_bytes());
        let proof: Vec<u8> = client_key
            .iter()
            .zip(signature)
            .map(|(a, b)| a ^ b)
            .collect();
        json!({"authentication": format!("{without_proof},p={}", STANDARD.encode(proof))})
            .to_string()
            .into_bytes()
    }

    fn log_in(
        user: &str,
        password: &str,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, HandshakeError> {
        let (pending, reply) = challenge(&first(user), credentials)?;
        pending.verify(&reply_to(&reply, user, password), credentials)
    }

    #[test]
    fn accepts_the_right_password_only() {
        let credentials = Credentials::chosen("grün");
        assert!(log_in(USER, "grün", &credentials).is_ok());
        assert_eq!(
            log_in(USER, "blau", &credentials),
            Err(HandshakeError::WRONG_PASSWORD)
        );
        assert_eq!(
            log_in("nobody", "grün", &credentials),
            Err(HandshakeError::UNKNOWN_USER)
        );
    }

    #[test]
    fn rejects_malformed_messages_with_the_code_of_rethinkdb() {
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
                    .map(|error| error.code),
                Some(code),
                "{text}"
            );
        }
    }

    #[test]
    fn every_message_fits_the_read_buffer_of_the_drivers() {
        let (_, reply) = challenge(&first(USER), &Credentials::chosen("x"))
            .ok()
            .unwrap();
        assert!(reply.len() < 1024 && greeting().len() < 1024);
    }
}
