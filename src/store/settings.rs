//! Which database to use, and how to log in.

use std::fmt;

/// The port on which RethinkDB listens for drivers unless told otherwise.
pub const DEFAULT_PORT: u16 = 28015;

/// The user of a RethinkDB that nobody has set up.
pub const DEFAULT_USER: &str = "admin";

/// The database that holds the board unless told otherwise.
pub const DEFAULT_DATABASE: &str = "realtime_photo";

/// A RethinkDB cluster (or the embedded engine), and the database in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// The servers to try, in this order; at least one.
    pub hosts: Vec<Address>,
    /// The user to log in as.
    pub user: String,
    /// That user's password.
    pub password: Password,
    /// The database; letters, digits, `_` and `-`.
    pub database: String,
}

impl ClusterSettings {
    /// One server, the user `admin` without a password, the usual database.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            hosts: vec![Address::new(host, port)],
            user: DEFAULT_USER.to_owned(),
            password: Password::default(),
            database: DEFAULT_DATABASE.to_owned(),
        }
    }
}

/// Where one database server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// A host name or an IP address, an IPv6 address without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
}

impl Address {
    /// The server at `host` and `port`.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// A password, which is never shown: its `Debug` is three stars.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret itself, for the handshake alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is the empty password.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Password {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_shown_in_brackets() {
        assert_eq!(Address::new("::1", 28015).to_string(), "[::1]:28015");
        assert_eq!(Address::new("db.example", 1).to_string(), "db.example:1");
    }

    #[test]
    fn a_password_is_not_shown() {
        let mut settings = ClusterSettings::new("localhost", 1);
        settings.password = Password::from("correct horse".to_owned());
        assert!(!format!("{settings:?}").contains("horse"));
    }
}
