//! The address under which a proxy publishes the server.

use std::fmt;
use std::str::FromStr;

use actix_web::http::Uri;

/// `http://` or `https://`, a host, and the path below which the proxy publishes the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    is_secure: bool,
    /// Host and port, in lower case, without the default port of the scheme.
    authority: String,
    /// Begins and ends with a slash.
    path: String,
}

/// The text is not such an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be like https://photos.example/ or https://photos.example/party/")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// Returns `true` for `https`.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The path below which the proxy publishes the server, with a slash at both ends.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns `true` if a `Host` header names this address.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        without_default_port(&host.to_ascii_lowercase(), self.is_secure) == self.authority
    }

    /// Returns `true` if an `Origin` header is the one of pages at this address.
    pub(crate) fn is_origin(&self, origin: &str) -> bool {
        let host = origin.strip_prefix(self.scheme());
        host.is_some_and(|host| !host.contains('/') && self.is_host(host))
    }

    fn scheme(&self) -> &'static str {
        if self.is_secure {
            "https://"
        } else {
            "http://"
        }
    }
}

/// Strips the port that the scheme implies.
fn without_default_port(authority: &str, is_secure: bool) -> &str {
    let port = if is_secure { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.scheme(), self.authority, self.path)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let is_secure = match url.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidPublicUrl),
        };
        let authority = url.authority().ok_or(InvalidPublicUrl)?.as_str();
        // A cookie's path and a header hold these characters as they are.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let is_valid = !authority.contains('@')
            && url.query().is_none()
            && url.path().bytes().all(is_plain)
            && !url.path().contains("//");
        if !is_valid {
            return Err(InvalidPublicUrl);
        }
        let authority = authority.to_ascii_lowercase();
        Ok(Self {
            is_secure,
            authority: without_default_port(&authority, is_secure).to_owned(),
            path: format!("{}/", url.path().trim_end_matches('/')),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_printed() {
        for (text, printed) in [
            ("https://Photos.Example", "https://photos.example/"),
            (
                "https://photos.example:443/party",
                "https://photos.example/party/",
            ),
            (
                "http://photos.example:8080/a/b/",
                "http://photos.example:8080/a/b/",
            ),
            ("http://[fd00::7]:80/", "http://[fd00::7]/"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().to_string(), printed);
        }
        for text in [
            "",
            "photos.example",
            "/party",
            "ftp://photos.example/",
            "https://user@photos.example/",
            "https://photos.example/?a=b",
            "https://photos.example/a b",
            "https://photos.example/a;b",
            "https://photos.example//a",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidPublicUrl), "{text}");
        }
    }

    #[test]
    fn host_and_origin_are_those_of_the_address() {
        let url: PublicUrl = "https://photos.example/party/".parse().unwrap();
        for host in ["photos.example", "PHOTOS.example:443"] {
            assert!(url.is_host(host), "{host}");
        }
        for host in [
            "photos.example:80",
            "photos.example.evil.example",
            "evil.example",
            "",
        ] {
            assert!(!url.is_host(host), "{host}");
        }
        assert!(url.is_origin("https://photos.example"));
        for origin in [
            "http://photos.example",
            "https://photos.example/",
            "https://evil.example",
            "https://photos.example:8443",
            "null",
        ] {
            assert!(!url.is_origin(origin), "{origin}");
        }
    }
}
