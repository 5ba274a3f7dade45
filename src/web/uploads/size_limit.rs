//! The size limit of uploads.

use actix_web::http::StatusCode;

use crate::web::http::problem::Problem;

/// The bytes that a form may have besides the image: other fields, part headers and boundaries.
pub(crate) const FORM_ALLOWANCE: u64 = 128 << 10;

/// Answers 413.
pub(crate) fn too_large(limit: u64) -> Problem {
    let detail = format!("Too large: the limit is {}.", readable_size(limit));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Formats a size in MB as file managers show it, with powers of 1,024 and at most one decimal; in KB below 1 MB.
pub(crate) fn readable_size(bytes: u64) -> String {
    if bytes < 1 << 20 {
        return format!("{} KB", bytes >> 10);
    }
    let tenths = (bytes * 10) >> 20;
    match tenths % 10 {
        0 => format!("{} MB", tenths / 10),
        tenth => format!("{}.{tenth} MB", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_named_in_megabytes() {
        for (bytes, text) in [
            (16 << 20, "16 MB"),
            (90 << 20, "90 MB"),
            (2_000_000, "1.9 MB"),
            (500_000, "488 KB"),
        ] {
            assert_eq!(readable_size(bytes), text);
        }
    }
}
