//! `Content-Disposition` for any file name (RFC 6266, RFC 8187).

use actix_web::http::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All bytes but `attr-char` (RFC 8187, section 3.2.1). actix's `ExtendedValue` leaves `=` unencoded.
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Handling of a file by the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// Shows it.
    Inline,
    /// Saves it.
    Attachment,
}

/// Returns the header value with the file name twice: in ASCII for old clients, and in full.
///
/// actix's `ContentDisposition` is not used for the first: it passes CR and LF through.
pub(crate) fn disposition(kind: Disposition, file_name: &str) -> HeaderValue {
    let kind = match kind {
        Disposition::Inline => "inline",
        Disposition::Attachment => "attachment",
    };
    let ascii: String = file_name
        .chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect();
    let full = utf8_percent_encode(file_name, NOT_ATTR_CHAR);
    HeaderValue::try_from(format!(
        "{kind}; filename=\"{ascii}\"; filename*=UTF-8''{full}"
    ))
    .expect("both names are printable ASCII")
}

/// Returns whether every client reads this character of a quoted string literally. Some take `\` and `%` for an escape.
fn is_safe(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_sent_in_ascii_and_in_utf_8() {
        for (name, expected) in [
            (
                "cat.png",
                r#"attachment; filename="cat.png"; filename*=UTF-8''cat.png"#,
            ),
            (
                r#"a "b" 100%.png"#,
                r#"attachment; filename="a _b_ 100_.png"; filename*=UTF-8''a%20%22b%22%20100%25.png"#,
            ),
            (
                "é👩.gif",
                r#"attachment; filename="__.gif"; filename*=UTF-8''%C3%A9%F0%9F%91%A9.gif"#,
            ),
            (
                "x\r\nSet-Cookie: a=b",
                r#"attachment; filename="x__Set-Cookie: a=b"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db"#,
            ),
        ] {
            assert_eq!(disposition(Disposition::Attachment, name), expected);
        }
    }
}
