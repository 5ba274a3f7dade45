//! Address of, and login for, the database.

use std::fmt;

/// RethinkDB's default driver port.
pub const DEFAULT_PORT: u16 = 28015;

/// The user that a new RethinkDB has, with an empty password.
pub const DEFAULT_USER: &str = "admin";

/// Name of the database if none is configured.
pub const DEFAULT_DATABASE: &str = "realtime_photo";

/// A RethinkDB cluster, or the embedded engine, and a database in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Servers, tried in this order. At least one.
    pub hosts: Vec<Address>,
    /// User name for the login.
    pub user: String,
    /// Password of `user`.
    pub password: Password,
    /// Database name: letters, digits, `_` and `-`.
    pub database: String,
    /// The number of servers that hold each table that is created. At least one.
    pub replicas: u8,
}

impl ClusterSettings {
    /// Settings for one server, with the default user, an empty password and the default database.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            hosts: vec![Address::new(host, port)],
            user: DEFAULT_USER.to_owned(),
            password: Password::default(),
            database: DEFAULT_DATABASE.to_owned(),
            replicas: 1,
        }
    }
}

/// Host and port of a database server. Displays as `host:port`, with an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host name or IP address; an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Address {
    /// Creates an address.
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

/// A password. `Debug` prints `***` instead of the secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Returns the secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns `true` if the password is empty.
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
    fn an_ipv6_address_displays_in_brackets() {
        assert_eq!(Address::new("::1", 28015).to_string(), "[::1]:28015");
        assert_eq!(Address::new("db.example", 1).to_string(), "db.example:1");
    }

    #[test]
    fn debug_output_hides_the_password() {
        let mut settings = ClusterSettings::new("localhost", 1);
        settings.password = Password::from("correct horse".to_owned());
        assert!(!format!("{settings:?}").contains("horse"));
    }
}
