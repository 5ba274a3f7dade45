//! The URL that names a RethinkDB cluster: `rethinkdb://[user[:password]@]host[:port][,host[:port]…][/database]`.

use crate::store::{Address, ClusterSettings, DEFAULT_DATABASE, DEFAULT_PORT, DEFAULT_USER};

/// Why a URL names no cluster. No message quotes what may be a user or a password, even one whose `@` was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Another scheme, or none.
    #[error("it must begin with rethinkdb://")]
    Scheme,
    /// Nothing between two commas, or nothing at all.
    #[error("a host is missing")]
    Host,
    /// Something that can be neither a host name nor an IPv4 address.
    #[error("{0:?} is not a host: it may hold letters, digits, '.', '-' and '_'")]
    HostName(String),
    /// An IPv6 address without brackets, or brackets around something else.
    #[error("an IPv6 address must stand in brackets, and nothing else may")]
    Brackets,
    /// Not a number from 1 to 65535.
    #[error("the port of {0:?} is not a number from 1 to 65535")]
    Port(String),
    /// RethinkDB would refuse it as well.
    #[error("{0:?} is not a name of a database: it may hold letters, digits, '_' and '-'")]
    Database(String),
    /// A `%` that no two hexadecimal digits follow, or bytes that are not UTF-8.
    #[error("the {0} is not percent-encoded UTF-8")]
    Encoding(&'static str),
}

/// Reads a URL. User and password may be percent-encoded; the database is the part behind the first slash.
///
/// # Errors
///
/// If a part is missing or malformed.
pub fn parse(url: &str) -> Result<ClusterSettings, InvalidUrl> {
    let rest = url.strip_prefix("rethinkdb://").ok_or(InvalidUrl::Scheme)?;
    // The login first: a slash that someone left as it is in a password must not end up in a message about the host.
    let (login, rest) = match rest.rsplit_once('@') {
        Some((login, rest)) => (Some(login), rest),
        None => (None, rest),
    };
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, password) = match login {
        Some(login) => {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (decode(user, "user")?, decode(password, "password")?)
        }
        None => (String::new(), String::new()),
    };
    Ok(ClusterSettings {
        hosts: hosts.split(',').map(address).collect::<Result<_, _>>()?,
        user: if user.is_empty() {
            DEFAULT_USER.to_owned()
        } else {
            user
        },
        password: password.into(),
        database: database(path)?,
        replicas: 1,
    })
}

/// `host`, `host:port`, `[IPv6]` or `[IPv6]:port`.
fn address(text: &str) -> Result<Address, InvalidUrl> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(InvalidUrl::Brackets)?;
            if host.parse::<std::net::Ipv6Addr>().is_err() {
                return Err(InvalidUrl::Brackets);
            }
            (host, port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let allowed = |c: char| c.is_alphanumeric() || ".-_".contains(c);
            if port.matches(':').count() > 1 {
                return Err(InvalidUrl::Brackets);
            } else if host.is_empty() {
                return Err(InvalidUrl::Host);
            } else if !host.chars().all(allowed) {
                return Err(InvalidUrl::HostName(host.to_owned()));
            }
            (host, port)
        }
    };
    let port = match port {
        "" => DEFAULT_PORT,
        port => port
            .strip_prefix(':')
            .and_then(|digits| digits.parse().ok())
            .filter(|number| *number != 0)
            .ok_or_else(|| InvalidUrl::Port(host.to_owned()))?,
    };
    Ok(Address::new(host, port))
}

fn database(path: &str) -> Result<String, InvalidUrl> {
    if path.is_empty() {
        return Ok(DEFAULT_DATABASE.to_owned());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !path.bytes().all(allowed) {
        return Err(InvalidUrl::Database(path.to_owned()));
    }
    Ok(path.to_owned())
}

fn decode(text: &str, part: &'static str) -> Result<String, InvalidUrl> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            decoded.push(first);
            continue;
        }
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err(InvalidUrl::Encoding(part));
        };
        decoded.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are a byte"));
        rest = &tail[2..];
    }
    String::from_utf8(decoded).map_err(|_| InvalidUrl::Encoding(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Password;
    use proptest::prelude::*;

    #[test]
    fn everything_but_a_host_may_be_left_out() {
        assert_eq!(
            parse("rethinkdb://db.example"),
            Ok(ClusterSettings::new("db.example", 28015))
        );
        assert_eq!(
            parse("rethinkdb://h/"),
            Ok(ClusterSettings::new("h", 28015))
        );
    }

    #[test]
    fn every_part_may_be_given() {
        assert_eq!(
            parse("rethinkdb://ann%40x:p%3A%2f%C3%BC@[::1]:1,db-2:65535,10.0.0.3/board_2-x"),
            Ok(ClusterSettings {
                hosts: vec![
                    Address::new("::1", 1),
                    Address::new("db-2", 65535),
                    Address::new("10.0.0.3", 28015),
                ],
                user: "ann@x".into(),
                password: Password::from("p:/ü".to_owned()),
                database: "board_2-x".into(),
                replicas: 1,
            })
        );
        let anonymous = parse("rethinkdb://:secret@h").unwrap();
        assert_eq!(anonymous.user, "admin");
        assert_eq!(anonymous.password.reveal(), "secret");
    }

    #[test]
    fn a_malformed_part_is_named() {
        for (url, error) in [
            ("", InvalidUrl::Scheme),
            ("http://h", InvalidUrl::Scheme),
            ("rethinkdb://", InvalidUrl::Host),
            ("rethinkdb://u@", InvalidUrl::Host),
            ("rethinkdb://h,,i", InvalidUrl::Host),
            ("rethinkdb://:28015", InvalidUrl::Host),
            ("rethinkdb://::1", InvalidUrl::Brackets),
            ("rethinkdb://fe80::1", InvalidUrl::Brackets),
            ("rethinkdb://[::1", InvalidUrl::Brackets),
            ("rethinkdb://[h]", InvalidUrl::Brackets),
            ("rethinkdb://h i", InvalidUrl::HostName("h i".into())),
            ("rethinkdb://h?x", InvalidUrl::HostName("h?x".into())),
            ("rethinkdb://h:", InvalidUrl::Port("h".into())),
            ("rethinkdb://h:0", InvalidUrl::Port("h".into())),
            ("rethinkdb://h:65536", InvalidUrl::Port("h".into())),
            ("rethinkdb://[::1]28015", InvalidUrl::Port("::1".into())),
            ("rethinkdb://h/a.b", InvalidUrl::Database("a.b".into())),
            ("rethinkdb://h/a/b", InvalidUrl::Database("a/b".into())),
            ("rethinkdb://h/a?x=1", InvalidUrl::Database("a?x=1".into())),
            ("rethinkdb://%zz@h", InvalidUrl::Encoding("user")),
            ("rethinkdb://u:%f@h", InvalidUrl::Encoding("password")),
            ("rethinkdb://u:%ff@h", InvalidUrl::Encoding("password")),
        ] {
            assert_eq!(parse(url), Err(error), "{url}");
        }
    }

    fn encoded(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn any_login_can_be_given_in_percent_encoding(user in ".+", password: String) {
            let settings = parse(&format!("rethinkdb://{}:{}@h", encoded(&user), encoded(&password))).unwrap();
            prop_assert_eq!(settings.user, user);
            prop_assert_eq!(settings.password.reveal(), password);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = parse(&text);
            let _ = parse(&format!("rethinkdb://{text}"));
        }

        #[test]
        fn an_error_never_quotes_the_password(before in "[a-z/:%?#]{0,9}", tail in "@?[ -~]{0,20}") {
            if let Err(error) = parse(&format!("rethinkdb://u:{before}S3CRET{tail}")) {
                prop_assert!(!error.to_string().contains("S3CRET"), "{}", error);
            }
        }
    }
}
