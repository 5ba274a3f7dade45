//! The size limit of uploads.

use actix_web::http::StatusCode;

use crate::web::http::problem::Problem;
use crate::web::http::readable_size::readable_size;

/// The bytes that a form may have besides the image: other fields, part headers and boundaries.
pub(crate) const FORM_ALLOWANCE: u64 = 128 << 10;

/// Answers 413.
pub(crate) fn too_large(limit: u64) -> Problem {
    let detail = format!("Too large: the limit is {}.", readable_size(limit));
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}
