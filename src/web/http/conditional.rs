//! Conditional requests: `If-None-Match` (RFC 9110, section 13.1.2).

use actix_web::HttpRequest;
use actix_web::http::header::{self, EntityTag, Header as _, IfNoneMatch};

/// Returns whether the client's cached copy is current, so that 304 is the answer.
pub(crate) fn is_not_modified(request: &HttpRequest, etag: &EntityTag) -> bool {
    // Without the header, actix parses it as `*`.
    if !request.headers().contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(items)) => items.iter().any(|item| item.weak_eq(etag)),
        Err(_) => false,
    }
}
