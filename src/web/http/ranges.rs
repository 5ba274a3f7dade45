//! Range requests: `Range` and `If-Range` (RFC 9110, sections 13.1.5 and 14).

use std::ops::Range;

use actix_web::http::header::{self, ByteRangeSpec, EntityTag, HeaderMap};

/// The bytes that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestedRange {
    /// All bytes.
    Whole,
    /// A part, never empty.
    Part(Range<usize>),
    /// A range outside the representation: 416 is the answer.
    Unsatisfiable,
}

/// Returns which of `total` bytes a request asks for. Invalid and multiple ranges are ignored, as the RFC allows.
pub(crate) fn requested_range(
    headers: &HeaderMap,
    etag: &EntityTag,
    total: usize,
) -> RequestedRange {
    let Some(range) = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
    else {
        return RequestedRange::Whole;
    };
    // A date in If-Range never matches: images are sent without Last-Modified.
    if headers
        .get(header::IF_RANGE)
        .is_some_and(|condition| condition.as_bytes() != etag.to_string().as_bytes())
    {
        return RequestedRange::Whole;
    }
    let Some(range) = parse(range) else {
        return RequestedRange::Whole;
    };
    match range.to_satisfiable_range(total as u64) {
        Some((first, last)) => RequestedRange::Part(first as usize..last as usize + 1),
        None => RequestedRange::Unsatisfiable,
    }
}

/// Parses a header with one range.
///
/// actix's own parser accepts `+1-2` and `0-1,x`, rejects spaces, and rejects positions over 64 bits, which are valid
/// and lie behind the end. A range such as `2-1` is invalid rather than unsatisfiable.
fn parse(range: &str) -> Option<ByteRangeSpec> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    match (first.trim(), last.trim()) {
        ("", length) => Some(ByteRangeSpec::Last(number(length)?)),
        (first, "") => Some(ByteRangeSpec::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRangeSpec::FromTo(first, last))
        }
    }
}

/// Parses digits, saturating at the largest number.
fn number(digits: &str) -> Option<u64> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn requested(range: &str, condition: Option<&'static str>) -> RequestedRange {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
        if let Some(condition) = condition {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
        }
        requested_range(&headers, &EntityTag::new_strong("abc".into()), 100)
    }

    #[test]
    fn a_single_range_is_satisfied() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-99", 0..100),
            ("bytes=10-", 10..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("BYTES = 5 - 7 ", 5..8),
            ("bytes=99-99999999999999999999999", 99..100),
        ] {
            assert_eq!(
                requested(range, None),
                RequestedRange::Part(part),
                "{range}"
            );
        }
    }

    #[test]
    fn a_range_behind_the_end_is_unsatisfiable() {
        for range in [
            "bytes=100-",
            "bytes=100-200",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(
                requested(range, None),
                RequestedRange::Unsatisfiable,
                "{range}"
            );
        }
    }

    #[test]
    fn invalid_and_multiple_ranges_are_ignored() {
        for range in [
            "bytes=2-1",
            "bytes=0-1,3-4",
            "bytes=0-1,x",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=+1-2",
            "lines=0-1",
            "0-1",
        ] {
            assert_eq!(requested(range, None), RequestedRange::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_ignored() {
        assert_eq!(
            requested("bytes=0-1", Some("\"abc\"")),
            RequestedRange::Part(0..2)
        );
        for condition in ["\"abd\"", "W/\"abc\"", "Sat, 31 Jan 2026 00:00:00 GMT"] {
            assert_eq!(
                requested("bytes=0-1", Some(condition)),
                RequestedRange::Whole,
                "{condition}"
            );
        }
    }
}
