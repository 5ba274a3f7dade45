//! `Content-Disposition` with any file name (RFC 6266, RFC 8187).

use actix_web::http::header::HeaderValue;

/// `inline` or `attachment` with the name of the file: once for clients that know only ASCII, once in full.
pub(crate) fn disposition(kind: &str, file_name: &str) -> HeaderValue {
    let plain: String = file_name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let encoded = encode(file_name);
    HeaderValue::try_from(format!(
        "{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    ))
    .expect("both names are printable ASCII")
}

/// What stands for itself in a quoted string for every client: some take `\` and `%` for the beginning of an escape.
fn is_plain(c: char) -> bool {
    (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%')
}

/// All but RFC 8187's `attr-char` in percent encoding.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_in_ascii_and_in_full() {
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
            assert_eq!(disposition("attachment", name), expected);
        }
    }
}
