//! The web sites that may show the pages in a frame.

use std::fmt;
use std::str::FromStr;

use actix_web::http::Uri;

/// The origin of a web site that may show the pages in a frame, such as `https://www.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingOrigin(String);

/// The text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be like https://www.example.com, without a path")]
pub struct InvalidOrigin;

impl FromStr for EmbeddingOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        // Anything but a plain host and port could end the directive or begin another.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        let uri: Uri = text.parse().map_err(|_| InvalidOrigin)?;
        let parts = (uri.scheme_str(), uri.authority(), uri.path(), uri.query());
        match parts {
            (Some(scheme @ ("http" | "https")), Some(authority), "/", None)
                if authority.as_str().bytes().all(is_plain) && !authority.host().is_empty() =>
            {
                let authority = authority.as_str().to_ascii_lowercase();
                Ok(Self(format!("{scheme}://{authority}")))
            }
            _ => Err(InvalidOrigin),
        }
    }
}

impl fmt::Display for EmbeddingOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host() {
        for (text, expected) in [
            ("https://www.example.com", "https://www.example.com"),
            ("https://WWW.example.com/", "https://www.example.com"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let origin = text.parse::<EmbeddingOrigin>().unwrap();
            assert_eq!(origin.to_string(), expected);
        }
        for text in [
            "",
            "*",
            "example.com",
            "ftp://example.com",
            "https://example.com/path",
            "https://example.com?x",
            "https://user@example.com",
            "https://*.example.com",
            "https://a.example;script-src *",
            "https://a.example https://b.example",
        ] {
            assert!(text.parse::<EmbeddingOrigin>().is_err(), "{text}");
        }
    }
}
