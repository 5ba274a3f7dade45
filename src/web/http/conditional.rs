//! `If-None-Match`, `Range` and `If-Range` (RFC 9110, sections 13 and 14).

use std::ops::Range;

use actix_web::HttpRequest;
use actix_web::http::header::{self, EntityTag, Header as _, HeaderMap, IfNoneMatch};

/// Whether the client has this version already.
pub(crate) fn is_known(request: &HttpRequest, etag: &EntityTag) -> bool {
    if !request.headers().contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(items)) => items.iter().any(|item| item.weak_eq(etag)),
        Err(_) => false,
    }
}

/// Which bytes a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    /// All of them, with or without asking.
    Whole,
    /// These. There is at least one.
    Part(Range<usize>),
    /// Some that there are not.
    Unsatisfiable,
}

/// Which of `total` bytes a request asks for. Several ranges at once, and what cannot be read, count as all of them.
pub(crate) fn requested_range(headers: &HeaderMap, etag: &EntityTag, total: usize) -> Requested {
    let Some(range) = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
    else {
        return Requested::Whole;
    };
    // A date would be compared to when the image changed; it never did, but the answer says no date.
    if headers
        .get(header::IF_RANGE)
        .is_some_and(|condition| condition.as_bytes() != etag.to_string().as_bytes())
    {
        return Requested::Whole;
    }
    parse(range, total).unwrap_or(Requested::Whole)
}

fn parse(range: &str, total: usize) -> Option<Requested> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", length) => total.saturating_sub(number(length)?)..total,
        (first, "") => number(first)?..total,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(total)
        }
    };
    Some(if range.is_empty() {
        Requested::Unsatisfiable
    } else {
        Requested::Part(range)
    })
}

/// A number; one too large to be true is as good as the largest.
fn number(digits: &str) -> Option<usize> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn requested(range: &str, condition: Option<&'static str>) -> Requested {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        if let Some(condition) = condition {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
        }
        requested_range(&headers, &EntityTag::new_strong("abc".into()), 100)
    }

    #[test]
    fn one_range_is_answered() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=10-", 10..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("BYTES = 5 - 7 ", 5..8),
            ("bytes=99-99999999999999999999999", 99..100),
        ] {
            assert_eq!(requested(range, None), Requested::Part(part), "{range}");
        }
        for range in [
            "bytes=100-",
            "bytes=100-200",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(requested(range, None), Requested::Unsatisfiable, "{range}");
        }
        for range in [
            "bytes=2-1",
            "bytes=0-1,3-4",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=0-1",
            "0-1",
        ] {
            assert_eq!(requested(range, None), Requested::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_answered_with_the_whole() {
        assert_eq!(
            requested("bytes=0-1", Some("\"abc\"")),
            Requested::Part(0..2)
        );
        for condition in ["\"abd\"", "W/\"abc\"", "Sat, 31 Jan 2026 00:00:00 GMT"] {
            assert_eq!(
                requested("bytes=0-1", Some(condition)),
                Requested::Whole,
                "{condition}"
            );
        }
    }
}
