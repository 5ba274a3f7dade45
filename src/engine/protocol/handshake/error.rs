//! The errors of the handshake.

use thiserror::Error;

/// A handshake error with RethinkDB's code and text (`client_protocol/client_server_error.hpp` and `server.cc`; golden:
/// `1-handshake.json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{text} (code {code})")]
pub(crate) struct HandshakeError {
    pub(super) code: u32,
    pub(super) text: &'static str,
}

impl HandshakeError {
    pub(crate) const TOO_LONG: Self = Self::new(7, "Limited read buffer size.");
    pub(super) const INVALID_JSON: Self = Self::new(8, "Invalid JSON object.");
    pub(super) const INVALID_ENCODING: Self = Self::new(10, "Invalid encoding");
    pub(super) const EXTENSIONS: Self = Self::new(11, "Extensions not supported");
    pub(super) const WRONG_PASSWORD: Self = Self::new(12, "Wrong password");
    pub(super) const CHANNEL_BINDING: Self = Self::new(15, "Channel binding is not supported");
    pub(super) const UNKNOWN_USER: Self = Self::new(17, "Unknown user");
    pub(super) const INVALID_USERNAME: Self = Self::new(18, "Invalid username encoding");

    /// Not an error of RethinkDB, which does not slow guessing. Drivers report this code as a failed login.
    pub(crate) const TOO_MANY_LOGINS: Self =
        Self::new(12, "Too many failed logins; try again later");

    pub(super) const fn new(code: u32, text: &'static str) -> Self {
        Self { code, text }
    }
}
