//! Answers to requests that no route handles.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::problem::Problem;

/// Answers 404: no route has this path.
pub(crate) async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found("There is nothing at this address."))
}

/// Answers 405 with the methods that the path has.
pub(crate) async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    // actix keeps no list of a resource's methods.
    let allowed = match request.match_pattern().as_deref() {
        Some(
            "/image"
            | "/image/"
            | "/image/{id}/restore"
            | "/image/{id}/approve"
            | "/images/approve"
            | "/qr",
        ) => "POST",
        Some("/image/{id}" | "/images") => "GET, HEAD, DELETE",
        Some("/boards" | "/boards/{board}/links") => "GET, HEAD, POST",
        Some("/boards/{board}") => "GET, HEAD, PATCH, DELETE",
        Some("/boards/{board}/links/{link}") => "DELETE",
        Some("/ws" | "/join/{token}") => "GET",
        _ => "GET, HEAD",
    };
    let detail = format!("{} is not possible here.", request.method());
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        .with_header(header::ALLOW, HeaderValue::from_static(allowed)))
}
